import assert from "node:assert/strict";
import { test } from "node:test";
import {
  changedTexts,
  countWords,
  draftToOpen,
  isOpen,
  Sent,
  unsentOf,
  withDraft,
  withoutHead,
} from "../../playground/ui/scripts/write/draft.js";

const draft = (key, at) => ({ key, at, head: { title: "" }, sections: [], carried: {}, remark: null });

test("the draft that was changed last is the first of the list, one that was left is its last", () => {
  const known = withDraft(withDraft([], { key: "a", title: "A" }, true), { key: "b", title: "B" }, true);
  assert.deepEqual(
    known.map((one) => one.key),
    ["b", "a"],
  );
  assert.deepEqual(withDraft(known, { key: "a", title: "A2" }, true), [
    { key: "a", title: "A2" },
    { key: "b", title: "B" },
  ]);
  assert.deepEqual(
    withDraft(known, { key: "c", title: "C" }, false).map((one) => one.key),
    ["b", "a", "c"],
  );
});

test("a page begins with the draft that it showed, or the newest, or none", () => {
  const known = [
    { key: "b", title: "" },
    { key: "a", title: "" },
  ];
  assert.equal(draftToOpen(known, "a"), "a");
  assert.equal(draftToOpen(known, "gone"), "b");
  assert.equal(draftToOpen(known, null), "b");
  assert.equal(draftToOpen([], "a"), undefined);
  assert.equal(draftToOpen(known, "a", new Set(["a", "b"])), "a"); // a reload, before its own lock is gone
  assert.equal(draftToOpen(known, null, new Set(["b"])), "a");
  assert.equal(draftToOpen(known, null, new Set(["a", "b"])), undefined);
});

test("of a head only what was changed here is sent, of a new draft all", () => {
  const texts = { title: "T", plan: "", author: "new" };
  assert.deepEqual(changedTexts(texts, { title: "T", plan: "", author: "old" }), { author: "new" });
  assert.deepEqual(changedTexts(texts, undefined), texts);
});

test("what was typed is kept until the server has it, an open editor for longer", () => {
  const edit = { number: 2, text: "x" };
  assert.equal(unsentOf(null, null), null);
  assert.deepEqual(unsentOf({ title: "T" }, null), { head: { title: "T" }, edit: null });
  assert.deepEqual(unsentOf({}, null), { head: {}, edit: null }); // typed, and typed back
  assert.equal(withoutHead({ head: { title: "T" }, edit: null }), null);
  assert.deepEqual(withoutHead({ head: { title: "T" }, edit }), { head: null, edit });
});

test("each event has a time of its own, by which its answer is known", () => {
  const sent = new Sent();
  assert.equal(sent.next(null, 1000), 1000);
  assert.equal(sent.next("a", 1000), 1001);
  assert.equal(sent.next("a", 500), 1002); // the clock was set back
  assert.equal(sent.last, 1002);
  assert.equal(sent.isNewest(draft("a", 1001)), false);
  assert.equal(sent.isNewest(draft("a", 1002)), true);
  assert.equal(sent.isNewest(draft("b", 1002)), false);
  assert.equal(sent.begins(draft("b", 1000)), true);
  assert.equal(sent.begins(draft("b", 1000)), false); // only once
  assert.equal(sent.begins(draft("a", 1001)), false);
});

test("an answer belongs to the open draft, to the one that was chosen, or to the new one that was asked for", () => {
  const none = { open: null, opening: null, asked: false, sent: 7 };
  assert.equal(isOpen({ key: "a", at: 1 }, { ...none, open: "a", opening: "b" }), true);
  assert.equal(isOpen({ key: "b", at: 1 }, { ...none, open: "a", opening: "b" }), false);
  assert.equal(isOpen({ key: "b", at: 1 }, { ...none, opening: "b", asked: true }), true);
  assert.equal(isOpen({ key: "a", at: 7 }, { ...none, opening: "b", asked: true }), false);
  assert.equal(isOpen({ key: "a", at: 7 }, { ...none, asked: true }), true);
  assert.equal(isOpen({ key: "a", at: 6 }, { ...none, asked: true }), false);
  assert.equal(isOpen({ key: "a", at: 7 }, none), false);
});

test("Chinese is counted by characters, anything else by words", () => {
  assert.equal(countWords("He waits — and waits.\n"), 5);
  assert.equal(countWords("海很静 ok"), 4);
  assert.equal(countWords(""), 0);
});
