import assert from "node:assert/strict";
import { test } from "node:test";
import { expectedOf } from "../../playground/ui/scripts/read/expected_tokens.js";
import { joined } from "../../playground/ui/scripts/read/joined.js";

test("words that meet without a space are shown with what stands around them", () => {
  assert.equal(joined("The capital", "of France"), "capitalof");
  assert.equal(joined("It ended.", "Then"), "ended.Then");
  assert.equal(joined("A", `${"b".repeat(50)} c`), `A${"b".repeat(20)}`);
});

test("nothing is said where a space stands, a text is empty, or words need none", () => {
  for (const [before, after] of [
    ["The ", "capital"],
    ["The", " capital"],
    ["", "a"],
    ["a", ""],
    ["港口", "的清晨"],
  ]) {
    assert.equal(joined(before, after), "");
  }
});

test("the token that stands there is in the chart, behind the likeliest where it is none of them", () => {
  const top = [
    { id: 1, text: "a", p: 0.6 },
    { id: 2, text: "b", p: 0.3 },
  ];
  const token = { id: 3, text: "c", logprob: Math.log(0.05), p: null, rank: 9, entropy: 1, top };
  assert.deepEqual(
    expectedOf(token).map(({ id }) => id),
    [1, 2, 3],
  );
  assert.equal(expectedOf(token)[2].p?.toFixed(2), "0.05");
  assert.deepEqual(
    expectedOf({ ...token, id: 2 }).map(({ id, p }) => [id, p]),
    [
      [1, 0.6],
      [2, 0.3],
    ],
  );
});
