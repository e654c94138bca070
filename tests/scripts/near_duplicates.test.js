import assert from "node:assert/strict";
import { test } from "node:test";
import { repeated } from "../../playground/ui/scripts/cards/near_duplicates.js";

test("a text that differs from an earlier one in a sign or a word is a repetition of it", () => {
  const texts = [
    "A quiet morning at the harbour, with coffee and a book.",
    "A quiet morning at the harbour, with coffee and a book!",
    "Every wave brings a new story to the shop on the corner.",
    "A quiet morning at the harbour, with a coffee and a book.",
  ];
  assert.deepEqual(repeated(texts), [null, 0, null, 0]);
});

test("short texts are repetitions only where they are equal but for case and signs", () => {
  assert.deepEqual(repeated(["Blue Moon", "blue moon!", "Blue Noon"]), [null, 0, null]);
});

test("an empty text repeats nothing", () => {
  assert.deepEqual(repeated(["", "", "…"]), [null, null, null]);
});

test("Chinese texts are compared by their characters", () => {
  const texts = [
    "清晨的港口，一杯咖啡陪你等日出。",
    "清晨的港口，一杯咖啡陪你等日出！",
    "夜里的码头，一盏灯等着归来的船。",
  ];
  assert.deepEqual(repeated(texts), [null, 0, null]);
});
