// How addresses name places of the page, in old links too.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asked, fragmentOf, placeOf, read } from "../../playground/ui/scripts/page/place.js";

test("a fragment names a tab, and on Play a kind and a task", () => {
  assert.deepEqual(read("#write"), { tab: "write" });
  assert.deepEqual(read("#play/prompt"), { tab: "play", kind: "complete" });
  assert.deepEqual(read("#play/task/my%20task"), { tab: "play", kind: "task", task: "my task" });
  assert.deepEqual(read("#write/prompt"), { tab: "write" });
});
test("what names no place is none, and what a place does not have is left out", () => {
  for (const fragment of ["", "#", "#footer", "#%E0%A4%A"]) assert.equal(read(fragment), null);
  assert.deepEqual(read("#play/nowhere"), { tab: "play" });
  assert.deepEqual(read("#play/task/%E0%A4%A"), { tab: "play", kind: "task" });
  assert.deepEqual(placeOf("play", "task", "x".repeat(101)), { tab: "play", kind: "task" });
});
test("a place is read as it was written", () => {
  /** @type {import("../../playground/ui/scripts/topics").Place[]} */
  const places = [{ tab: "batch" }, { tab: "play", kind: "talk" }, { tab: "play", kind: "task", task: "自/己" }];
  for (const place of places) assert.deepEqual(read(fragmentOf(place)), place);
});
test("a link may ask for a place with a query", () => {
  const of = (/** @type {string} */ query) => asked(new URLSearchParams(query));
  assert.deepEqual(of("task=slogans"), { tab: "play", kind: "task", task: "slogans" });
  assert.deepEqual(of("kind=chat"), { tab: "play", kind: "chat" });
  assert.deepEqual(of("tab=read"), { tab: "read" });
  assert.equal(of("utm=x"), null);
});
