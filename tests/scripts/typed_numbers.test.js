import assert from "node:assert/strict";
import { test } from "node:test";
import { seedOf, wholeNumber } from "../../playground/ui/scripts/page/typed_numbers.js";

test("a whole number is one, anything else stays as it was typed, to be refused by name", () => {
  assert.equal(wholeNumber(" 12 "), 12);
  assert.equal(wholeNumber("-1"), -1);
  for (const text of ["", "1.5", "1e3", "a lot"]) assert.equal(wholeNumber(text), text);
});

test("an empty field draws a seed", () => {
  assert.equal(seedOf(" "), -1);
  assert.equal(seedOf("0"), 0);
  assert.equal(seedOf("x"), "x");
});
