import assert from "node:assert/strict";
import { test } from "node:test";
import { seedOf, seedText, wholeNumber } from "../../playground/ui/scripts/page/typed_numbers.js";

test("a whole number is one, anything else stays as it was typed, to be refused by name", () => {
  assert.equal(wholeNumber(" 12 "), 12);
  assert.equal(wholeNumber("-1"), -1);
  assert.equal(wholeNumber("４２"), 42);
  for (const text of ["", "1.5", "1e3", "a lot"]) assert.equal(wholeNumber(text), text);
});

test("an empty field draws a seed", () => {
  assert.equal(seedOf(" "), -1);
  assert.equal(seedOf("0"), 0);
  assert.equal(seedOf("x"), "x");
});

test("−1 draws a seed however it is written, and the field is left to its placeholder", () => {
  for (const text of ["", "-1", "−1", "－１", " -1 "]) {
    assert.equal(seedOf(text), -1);
    assert.equal(seedText(text), "");
  }
  for (const text of ["0", "7", "-2", "x"]) assert.equal(seedText(text), text);
});
