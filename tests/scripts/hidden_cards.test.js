import assert from "node:assert/strict";
import { test } from "node:test";
import { AlikeCards } from "../../playground/ui/scripts/cards/hidden_cards.js";
import { asVersion, cardOf } from "../../playground/ui/scripts/cards/versions.js";

const one = (text, at, more = {}) =>
  asVersion({ text, tokens: 1, seed: 1, finish: "end", ...more }, { id: `r:${at}`, run: "r", at });
const runOf = (...texts) => ({ id: "r", request: {}, cards: texts.map((text, at) => cardOf(one(text, at))) });
const SAME = "A quiet morning at the harbour, with coffee and a book";
const nobody = () => false;
const hiddenOf = (alike, run) => [...run.cards.keys()].filter((number) => alike.hides(number));
const decided = (run, isInHand = nobody, growing = false) => {
  const alike = new AlikeCards();
  alike.decide(run, growing, isInHand);
  return alike;
};

test("what repeats an earlier card is hidden once the run has ended", () => {
  const run = runOf(SAME, "Something else entirely.", `${SAME}!`, `${SAME}.`);
  assert.deepEqual(hiddenOf(decided(run), run), [2, 3]);
  run.cards[1].versions[0].finish = null;
  assert.deepEqual(hiddenOf(decided(run), run), []);
});

test("nothing is hidden of a worked example, nor a card that is in somebody's hands, edited or written anew", () => {
  const run = runOf(SAME, SAME, SAME, SAME);
  assert.deepEqual(hiddenOf(decided({ ...run, example: { model: "m", seed: 1 } }), run), []);
  run.cards[2].versions[0].edited = true;
  run.cards[3].versions.push(one(SAME, 9));
  const alike = decided(run, (number) => number === 1);
  assert.deepEqual([hiddenOf(alike, run), alike.count], [[], 0]);
});

test("a card comes back as somebody takes it up, and does not go away as he leaves it", () => {
  const run = runOf(SAME, SAME, SAME);
  const alike = decided(run);
  alike.leave((number) => number === 1);
  assert.deepEqual(hiddenOf(alike, run), [2]);
  alike.leave(nobody);
  assert.deepEqual(hiddenOf(alike, run), [2]);
});

test("while something is written nothing is found anew, and a run can show all", () => {
  const run = runOf(SAME, SAME);
  const alike = decided(run);
  run.cards[0] = cardOf(one("Something else entirely, and longer.", 0));
  alike.decide(run, true, nobody);
  assert.deepEqual(hiddenOf(alike, run), [1]);
  run.alike = "shown";
  assert.deepEqual([hiddenOf(alike, run), alike.count, alike.areShown], [[], 1, true]);
  alike.decide(run, false, nobody);
  assert.equal(alike.count, 0);
});
