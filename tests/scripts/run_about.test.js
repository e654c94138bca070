import assert from "node:assert/strict";
import { test } from "node:test";
import { isFolded, isOfForm, shortened, subjectOf } from "../../playground/ui/scripts/cards/run_about.js";
import { current, hasOwn, holds, runs, shown } from "../../playground/ui/scripts/cards/shown_runs.js";
import { asVersion, cardOf } from "../../playground/ui/scripts/cards/versions.js";

const title = { en: "Slogans", zh: "标语" };
const run = (request, about, example) => ({ id: "r", cards: [], request, about, example });
const ofTask = (task) => run({ prompt: "p", task, fields: {} }, { kind: "task", task, title });
const ofPrompt = run({ prompt: "Once", task: null }, { kind: "complete" });

test("a run is called by its task and the first field that says something", () => {
  const fields = { count: 3, brand: "  ", product: " Red\n Kite " };
  assert.deepEqual(subjectOf(run({ prompt: "p", task: "slogans", fields }, { title })), { title, asked: "Red Kite" });
  assert.deepEqual(subjectOf(run({ prompt: "p", task: "slogans" }, { title })), { title, asked: "" });
});

test("without a task it is called by its prompt, shortened", () => {
  assert.deepEqual(subjectOf(ofPrompt), { title: undefined, asked: "Once" });
  assert.equal(shortened("a ".repeat(40)), `${"a ".repeat(20)}…`);
  assert.equal(shortened("x".repeat(40)), "x".repeat(40));
  assert.equal(shortened(undefined), "");
});

test("a run is of the form where kind and task are the same", () => {
  const slogans = { kind: "task", task: { id: "slogans", title } };
  assert.equal(isOfForm(ofTask("slogans"), slogans), true);
  assert.equal(isOfForm(ofTask("poems"), slogans), false);
  assert.equal(isOfForm(ofPrompt, slogans), false);
  assert.equal(isOfForm(ofPrompt, { kind: "complete" }), true);
  assert.equal(isOfForm(ofPrompt, { kind: "chat" }), false);
  assert.equal(isOfForm(ofTask("slogans"), { kind: "complete" }), false);
  assert.equal(isOfForm(ofTask("slogans"), {}), true); // nothing is known of the form yet
});

test("a run that was kept without what it was about goes by its request", () => {
  assert.equal(isOfForm(run({ prompt: "", task: "poems" }), { kind: "task", task: { id: "poems", title } }), true);
  assert.equal(isOfForm(run({ prompt: "" }), { kind: "chat" }), true);
});

test("a run of something else is folded, unless somebody unfolded it or something is written", () => {
  const now = { form: { kind: "complete" }, unfolded: null, growing: null };
  assert.equal(isFolded(ofTask("poems"), now), true);
  assert.equal(isFolded(ofPrompt, now), false);
  assert.equal(isFolded(ofTask("poems"), { ...now, unfolded: "r" }), false);
  assert.equal(isFolded(ofTask("poems"), { ...now, unfolded: "other" }), true);
  assert.equal(isFolded(ofTask("poems"), { ...now, growing: "r" }), false);
  assert.equal(isFolded(run({ prompt: "" }, undefined, { model: "m", seed: 1 }), now), false);
});

test("the cards hold a run where a version is of it, or by hand of that name", () => {
  const written = asVersion({ text: "a", tokens: 1, seed: 1 }, { id: "r:0", run: "r" });
  const byHand = asVersion({ text: "b", tokens: 0, seed: null }, { id: "hand-1" });
  assert.equal(current(), undefined);
  runs.push({ id: "r", request: { prompt: "" }, cards: [{ ...cardOf(written), versions: [written, byHand] }] });
  shown.at = 0;
  assert.equal(current().id, "r");
  assert.equal(hasOwn(), true);
  assert.deepEqual([holds("r"), holds("hand-1"), holds("s"), holds(undefined)], [true, true, false, false]);
  runs[0].example = { model: "m", seed: 1 };
  assert.equal(hasOwn(), false);
  runs.length = 0;
});
