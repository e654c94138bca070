import assert from "node:assert/strict";
import { test } from "node:test";
import { labelOf, namesIn, placesOf, variablesOf } from "../../playground/ui/scripts/compose/variables.js";
import places from "./places.json" with { type: "json" };

const PLACE = new RegExp(places.place, "gu");
const FORM = {
  kind: "complete",
  prompt: "{{a}} {{b}} {{a}}",
  system: "{{c}}",
  message: "{{d}} {{c}}",
  prefill: "{{e}}",
  fill: true,
};

// tests/test_page_data.py holds Python, which fills them in, to the same table.
for (const { text, names } of places.texts) {
  test(`a text has the places that the server finds: ${JSON.stringify(text.slice(0, 30))}`, () => {
    assert.deepEqual(namesIn(text, PLACE), names);
  });
}

test("variables stand in the texts of the kind that is chosen, each once", () => {
  assert.deepEqual(placesOf(FORM, PLACE), ["a", "b"]);
  assert.deepEqual(placesOf({ ...FORM, kind: "chat" }, PLACE), ["c", "d", "e"]);
  for (const kind of ["task", "talk"]) assert.deepEqual(placesOf({ ...FORM, kind }, PLACE), []);
});

test("what is not to be filled in, or has too many places, has no variables", () => {
  assert.deepEqual(variablesOf(FORM, PLACE, 2), ["a", "b"]);
  assert.deepEqual(variablesOf(FORM, PLACE, 1), []);
  assert.deepEqual(variablesOf({ ...FORM, fill: false }, PLACE, 2), []);
});

test("a variable is shown as the words that its name was made of", () => {
  assert.equal(labelOf("What_it_is"), "What it is");
  assert.equal(labelOf("产品"), "产品");
  assert.equal(labelOf("__"), "__");
});
