import assert from "node:assert/strict";
import { test } from "node:test";
import { beginningOf } from "../../playground/ui/scripts/compose/try_label.js";

test("a text that is offered is called by its beginning, on one line and cut between words", () => {
  assert.equal(beginningOf("The capital of France is"), "The capital of France is");
  assert.equal(beginningOf("Five reasons:\n1."), "Five reasons: 1.");
  assert.equal(beginningOf("def fibonacci(n):\n"), "def fibonacci(n):");
  assert.equal(
    beginningOf("Once upon a time, in the last house of the street,"),
    "Once upon a time, in the last house of the…",
  );
  assert.equal(beginningOf("从".repeat(50)), `${"从".repeat(48)}…`);
  assert.equal(beginningOf("😀".repeat(49)), `${"😀".repeat(48)}…`);
});
