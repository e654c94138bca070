import assert from "node:assert/strict";
import { test } from "node:test";
import { feed, listen } from "../../playground/ui/scripts/page/feed.js";

test("an element that begins late is told the last of what it missed, once", () => {
  const heard = [];
  feed([
    ["late", "event", [{ text: "Night", rows: 1 }]],
    ["late", "event", { text: [5, " Ferry"] }],
  ]);
  listen("late", (value) => heard.push(value));
  assert.deepEqual(heard, [{ text: "Night Ferry", rows: 1 }]);
  feed([["late", "event", { rows: [2] }]]);
  assert.deepEqual(heard.at(-1), { text: "Night Ferry", rows: 2 });
  listen("late", (value) => heard.push(value));
  assert.equal(heard.length, 2);
});
