import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as kept from "../../playground/ui/scripts/write/kept_drafts.js";

const storage = () => {
  const held = new Map();
  return { getItem: (name) => held.get(name) ?? null, setItem: (name, text) => held.set(name, String(text)) };
};
const put = (name) => Object.defineProperty(globalThis, name, { value: storage(), configurable: true, writable: true });
const newTab = () => put("sessionStorage");

beforeEach(() => {
  put("localStorage");
  newTab();
});

test("of the drafts that were touched last something is kept, and nothing where there is nothing", () => {
  for (let number = 0; number < 45; number += 1) kept.keepOf(kept.TYPED, `key${number}`, { head: null, edit: null });
  assert.equal(kept.keptOf(kept.TYPED, "key4"), null);
  assert.notEqual(kept.keptOf(kept.TYPED, "key5"), null);
  for (let number = 0; number < 45; number += 1) kept.keepOf(kept.TYPED, `key${number}`, null);
  assert.equal(localStorage.getItem(kept.TYPED), "");
});

test("a new tab takes up a draft without a key, once", () => {
  const before = kept.tabName();
  kept.keepOf(kept.CARDS, before, [{ text: "By hand." }]);
  kept.adopt(); // the tab is its own still
  assert.deepEqual(kept.keptOf(kept.CARDS, before), [{ text: "By hand." }]);
  newTab();
  kept.adopt();
  assert.notEqual(kept.tabName(), before);
  assert.deepEqual(kept.keptOf(kept.CARDS, kept.tabName()), [{ text: "By hand." }]);
  assert.equal(kept.keptOf(kept.CARDS, before), null);
});

test("what somebody else wrote there does no harm", () => {
  for (const text of ["", "no json", "7", "[]", '[null, 7, {"title": "x"}]', '{"a": 7}']) {
    for (const name of [kept.DRAFTS, kept.CARDS, "playground-write"]) localStorage.setItem(name, text);
    assert.deepEqual(kept.listed(), []);
    assert.equal(kept.keptOf(kept.CARDS, "a"), null);
    assert.equal(kept.keptSettings().n, undefined);
  }
});

test("a draft that is deleted leaves nothing", () => {
  kept.remember({ key: "a", head: { title: "A" } });
  kept.keepOf(kept.REMOVED, "a", [{ number: 1 }]);
  kept.forgotten("a");
  assert.deepEqual(kept.listed(), []);
  assert.equal(kept.keptOf(kept.REMOVED, "a"), null);
});
