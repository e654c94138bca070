import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, number } from "../../playground/ui/scripts/page/numbers.js";
import { filled } from "../../playground/ui/scripts/page/text.js";

test("numbers have commas between thousands and as many digits as asked for", () => {
  assert.equal(number(49152), "49,152");
  assert.equal(number("0.666", 2), "0.67");
});

test("bytes are written with the unit that fits", () => {
  assert.equal(bytes(999), "999 B");
  assert.equal(bytes(269_000_000), "269 MB");
  assert.equal(bytes(12_300_000_000), "12.3 GB");
});

test("a word follows its number in one or many", () => {
  assert.equal(filled("{count:token|tokens}", { count: 1 }), "1 token");
  assert.equal(filled("{count:token|tokens} of {all}", { count: 2 }), "2 tokens of {all}");
});
