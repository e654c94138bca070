import assert from "node:assert/strict";
import { test } from "node:test";
import {
  askedFirst,
  change,
  ending,
  isChosen,
  isIdle,
  isOffered,
  isRemoved,
  labelOf,
  largest,
  searchBegun,
  shownSettings,
  standing,
  stepsOf,
  turnedStage,
} from "../../playground/ui/scripts/tokens/breakdown.js";

/** @param {Partial<import("../../playground/ui/scripts/tokens/breakdown.js").Stage>} [more] */
const stage = (more) => ({
  stage: "top_p",
  label: null,
  formula: null,
  alive: /** @type {[number, number]} */ ([9, 9]),
  mass: 0,
  entropy: /** @type {[number, number]} */ ([1, 1]),
  top: [{ id: 1, text: "a", before: 0.5, after: 0.5 }],
  ...more,
});
const token = { id: 1, text: "a" };
/** @param {Partial<import("../../playground/ui/scripts/tokens/breakdown.js").Breakdown>} [more] */
const value = (more) => ({
  run: "one",
  row: 0,
  position: 0,
  token,
  error: null,
  alive: 9,
  entropy: 1,
  model: [],
  stages: [stage(), stage({ stage: "xtc" })],
  outcomes: [],
  kept_best: false,
  draw: { token, race: 1.5, sentence: "won", runner_up: null },
  asked: null,
  branch: true,
  branch_reason: null,
  ...more,
});
/** @param {Partial<import("../../playground/ui/scripts/tokens/breakdown.js").Outcome>} [more] */
const outcome = (more) => ({ id: 2, text: "b", rank: 2, p_model: 0.3, p_after: 0.2, ...more });

test("the way goes from the model over the stages and the draw to the alternatives", () => {
  assert.deepEqual(stepsOf(value()), ["model", 0, 1, "draw", "alternatives"]);
  assert.deepEqual(stepsOf(value({ draw: null })), ["model", 0, 1, "alternatives"]);
  assert.deepEqual(stepsOf(value({ draw: null, note: "nothing is drawn" })), ["model", 0, 1, "draw", "alternatives"]);
});

test("a stage takes one line where it neither removed a candidate nor moved a probability", () => {
  assert.ok(isIdle(stage()));
  assert.ok(!isIdle(stage({ alive: [9, 8] })));
  assert.ok(!isIdle(stage({ mass: 0.01 })));
  assert.ok(!isIdle(stage({ top: [{ id: 1, text: "a", before: 0.5, after: 0.6 }] })));
});

test("a stage without a label is called by its name", () => {
  assert.equal(labelOf(stage()), "top_p");
  assert.deepEqual(labelOf(stage({ label: { en: "Top", zh: "顶" } })), { en: "Top", zh: "顶" });
});

test("a form of a text is shown by its beginning, and a setting that is empty not at all", () => {
  const regex = `.{1,20}😀${"(\\n[^\\n]+)".repeat(20)}`;
  const [first, ...more] = shownSettings({ json_schema: "", regex, stop: [], temperature: 0 });
  assert.ok(first.startsWith('regex = ".{1,20}😀(') && first.endsWith("…") && first.length < 90, first);
  assert.deepEqual(more, ["temperature = 0"]);
  assert.deepEqual(shownSettings(undefined), []);
});

test("what stayed is said once", () => {
  assert.equal(change("9", "9"), "9");
  assert.equal(change("9", "4"), "9 → 4");
});

test("the widest bar is that of the largest share, before or after", () => {
  const chances = [
    { id: 1, text: "a", before: 0.2, after: 0.7 },
    { id: 2, text: "b", before: 0.8, after: 0 },
    { id: 3, text: "c", before: null, after: 0.1 },
  ];
  assert.equal(largest(chances), 0.8);
  assert.equal(largest([]), 0);
  assert.deepEqual(chances.map(isRemoved), [false, true, false]);
});

test("the candidate that was asked about stands first", () => {
  const ids = askedFirst([outcome({ id: 5 }), outcome({ id: 6 }), outcome({ id: 7 })], 6).map(({ id }) => id);
  assert.deepEqual(ids, [6, 5, 7]);
});

test("an end of text without an id is no other token without one", () => {
  assert.ok(isChosen({ id: 1, text: "a" }, { token }));
  assert.ok(!isChosen({ id: null, text: "" }, { token: { id: null, text: "" } }));
  assert.ok(!isChosen({ id: 1, text: "a" }, { token: null }));
});

test("where nothing is drawn only the best can come", () => {
  assert.equal(ending(outcome(), value()), "survived");
  assert.equal(ending(outcome(), value({ draw: { token, race: null, sentence: "", runner_up: null } })), "not_best");
  assert.equal(ending(outcome({ id: 1 }), value()), null);
  assert.equal(ending(outcome({ id: 1, begins: true }), value()), "chosen");
});

test("knobs that were turned may choose another token than the one in the text", () => {
  const other = { token: { id: 2, text: "b" }, race: 1, sentence: "", runner_up: null };
  assert.equal(standing(token, value()), "chosen");
  assert.equal(standing(token, value({ turned: true })), "chosen");
  assert.equal(standing(token, value({ turned: true, draw: other })), "stands");
  assert.equal(ending(outcome(), value({ turned: true, draw: other })), "instead");
  assert.equal(ending(outcome({ id: 3 }), value({ turned: true, draw: other })), "survived");
});

test("a text of several tokens is answered with its first one, which is said", () => {
  const found = outcome({ id: 6, text: "gh" });
  assert.equal(searchBegun(found, { asked: 6, search: "ghost town" }), "ghost town");
  assert.equal(searchBegun(found, { asked: 6, search: "gh" }), "");
  assert.equal(searchBegun(found, { asked: 5, search: "ghost town" }), "");
  assert.equal(searchBegun(found, { asked: null, search: null }), "");
});

test("one goes on with any other token, and ahead of a run with the likeliest too", () => {
  assert.ok(isOffered(outcome(), value()));
  assert.ok(!isOffered(outcome({ id: 1 }), value()));
  assert.ok(isOffered(outcome({ id: 1, begins: true }), value()));
  assert.ok(!isOffered(outcome({ begins: false }), value()));
  assert.ok(!isOffered(outcome(), value({ branch: false })));
});

test("the stage of the knob that was turned is found, also one that was not there before", () => {
  const warm = stage({ stage: "temperature", settings: { temperature: 1 } });
  const hot = stage({ stage: "temperature", settings: { temperature: 2 } });
  const cut = stage({ settings: { top_p: 0.9 } });
  assert.equal(turnedStage(value({ stages: [cut, warm] }), value({ stages: [cut, hot] })), 1);
  assert.equal(turnedStage(value({ stages: [warm] }), value({ stages: [warm, cut] })), 1);
  assert.equal(turnedStage(value({ stages: [cut] }), value({ stages: [cut] })), -1);
  assert.equal(turnedStage(null, value({ stages: [cut] })), -1);
});
