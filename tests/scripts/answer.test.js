import assert from "node:assert/strict";
import { test } from "node:test";
import {
  answerOf,
  hasForm,
  isNothing,
  listOf,
  nothingKey,
  plainText,
  tableOf,
} from "../../playground/ui/scripts/cards/answer.js";

const say = (text) => (text === null ? "" : typeof text === "string" ? text : text.zh);
const list = { text: "raw", items: ["one", "two"], finish: "end" };
const table = {
  text: "raw",
  table: {
    head: [{ en: "Name", zh: "名" }, "Age"],
    rows: [
      ["Ann", "5"],
      ["Bo", null],
    ],
  },
  finish: "end",
};

test("the answer is what follows a thought, or the whole text", () => {
  assert.equal(answerOf({ text: "thought answer", answer: "answer" }), "answer");
  assert.equal(answerOf({ text: "all", answer: null }), "all");
  assert.equal(answerOf({ text: "all", answer: "" }), "");
});

test("a list or a table has its form once it has ended, unless it is wanted as text", () => {
  assert.deepEqual(listOf(list), ["one", "two"]);
  assert.equal(listOf({ ...list, finish: null }), null);
  assert.equal(listOf({ ...list, plain: true }), null);
  assert.equal(tableOf({ ...table, plain: true }), null);
  assert.equal(hasForm({ ...table, plain: true }), true);
  assert.equal(hasForm({ ...list, items: [] }), false);
  assert.equal(hasForm({ ...table, finish: null }), false);
});

test("a list is copied a line a part, a table with tabs between its cells", () => {
  assert.equal(plainText(list, say), "one\ntwo");
  assert.equal(plainText({ ...list, numbered: true }, say), "1. one\n2. two");
  assert.equal(plainText(table, say), "名\tAge\nAnn\t5\nBo\t");
});

test("an object without headings, and whatever is wanted as text, is copied as it was written", () => {
  assert.equal(plainText({ ...table, table: { head: [], rows: [["a", "1"]] } }, say), "raw");
  assert.equal(plainText({ ...list, plain: true, text: "  raw " }, say), "raw ");
});

test("a text that ended without a word says why", () => {
  assert.equal(isNothing({ text: " \n", finish: "end" }), true);
  assert.equal(isNothing({ text: "", finish: null }), false);
  assert.equal(isNothing({ text: "<think>a</think>", answer: "", thought: "a", finish: "end" }), false);
  assert.equal(nothingKey({ text: "", finish: "end" }), "empty_text");
  assert.equal(nothingKey({ text: "", finish: "stopped" }), "nothing_written");
  assert.equal(nothingKey({ text: "", finish: "edited", edited: true }), "emptied");
});
