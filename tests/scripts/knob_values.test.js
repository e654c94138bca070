import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { movedOrder, readOrder, shortOrder, wholeOrder } from "../../playground/ui/scripts/knobs/order.js";
import { namedIn, rank, ranked } from "../../playground/ui/scripts/knobs/search.js";
import { canonical, isNeutral, neutralValues, presetValues, same } from "../../playground/ui/scripts/knobs/values.js";
import {
  readBias,
  readIdLists,
  readIds,
  readTexts,
  showIdLists,
  showTexts,
} from "../../playground/ui/scripts/knobs/written.js";

const { chain, ids, biases } = JSON.parse(readFileSync(new URL("./knob_cases.json", import.meta.url), "utf8"));
const LARGEST = 2 ** 31 - 1;

test("values that mean the same are the same, in whatever order their keys stand", () => {
  assert.ok(same({ a: 1, b: [1, { c: 2, d: 3 }] }, { b: [1, { d: 3, c: 2 }], a: 1 }));
  assert.ok(!same([1, 2], [2, 1]));
  assert.ok(!same("1", 1));
  assert.ok(!same({ a: undefined }, {}));
  assert.equal(canonical({ b: null, a: "x" }), '{"a":"x","b":null}');
});

const record = (name, kind, neutral, more = {}) => ({
  name,
  kind,
  neutral,
  label: { en: name, zh: name },
  help: { en: "", zh: "" },
  elsewhere: {},
  ...more,
});
const KNOBS = [
  record("temperature", "float", 1),
  record("stop", "texts", []),
  record("max_new_tokens", "int", 1, { setting: true }),
  record("seed", "seed", -1, { setting: true }),
];

test("neutral leaves the settings of a run, and a preset leaves the seed", () => {
  const values = { temperature: 0.7, stop: ["x"], max_new_tokens: 40, seed: 7 };
  assert.deepEqual(neutralValues(KNOBS, values), { temperature: 1, stop: [], max_new_tokens: 40, seed: 7 });
  const preset = { temperature: 0.9, max_new_tokens: 48, seed: 3 };
  assert.deepEqual(presetValues(KNOBS, values, preset), { temperature: 0.9, stop: [], max_new_tokens: 48, seed: 7 });
  assert.ok(isNeutral(KNOBS[1], { stop: [] }) && !isNeutral(KNOBS[1], values));
});

test("a short order is completed as Python completes it", () => {
  for (const [value, whole] of Object.entries(chain.whole)) assert.deepEqual(wholeOrder(chain, value), whole, value);
});

test("an order that is typed is read, and none that names a stage twice or one that there is not", () => {
  for (const value of chain.refused) assert.equal(readOrder(chain, value), undefined, value);
  assert.equal(readOrder(chain, "llama.cpp"), "llama.cpp");
  assert.equal(readOrder(chain, "cut， heat"), "cut,heat");
  assert.equal(readOrder(chain, chain.stages.join(", ")), "transformers");
  assert.equal(readOrder(chain, " "), undefined);
});

test("the shortest value stands for the same order", () => {
  for (const whole of Object.values(chain.whole)) assert.deepEqual(wholeOrder(chain, shortOrder(chain, whole)), whole);
  assert.equal(shortOrder(chain, chain.whole.heat), "heat");
  assert.equal(shortOrder(chain, chain.orders["llama.cpp"]), "llama.cpp");
});

test("a stage moves among those that are shown, and back again to the order that was", () => {
  const shown = ["penalty", "heat", "cut"];
  const down = movedOrder(chain, chain.stages, shown, "penalty", 1);
  assert.deepEqual(
    down.filter((stage) => shown.includes(stage)),
    ["heat", "penalty", "cut"],
  );
  const now = ["heat", "penalty", "cut"];
  assert.deepEqual(movedOrder(chain, down, now, "penalty", -1), chain.stages);
  assert.deepEqual(movedOrder(chain, chain.stages, shown, "penalty", -1), chain.stages);
  const first = movedOrder(chain, chain.stages, shown, "cut", Number.NEGATIVE_INFINITY);
  assert.deepEqual(first, ["guide", "cut", "penalty", "heat", "draw"]);
});

test("token ids and biases are read as Python reads them", () => {
  for (const [text, value] of Object.entries(ids.typed)) assert.deepEqual(readIds(text, LARGEST), value, text);
  for (const text of ids.refused) assert.equal(readIds(text, LARGEST), undefined, text);
  for (const [text, value] of Object.entries(biases.typed)) assert.equal(readBias(text, 100), value, text);
  for (const text of biases.refused) assert.equal(readBias(text, 100), undefined, text);
});

test("lists of ids are read with brackets or a line each", () => {
  for (const text of ["[1, 2], [3]", "[[1,2],[3]]", "1, 2\n3", "1 2；3", "[1，2],[3]"]) {
    assert.deepEqual(readIdLists(text, LARGEST), [[1, 2], [3]], text);
  }
  for (const text of ["[1, 2", "[], [1]", "[1.5]", "x", "[[[1]]]", "1\n\nx"]) {
    assert.equal(readIdLists(text, LARGEST), undefined, text);
  }
  assert.deepEqual(readIdLists(" ", LARGEST), []);
  assert.equal(showIdLists([[1, 2], [3]]), "[1, 2], [3]");
});

test("texts come back from how they are shown", () => {
  const texts = [" end", "\n\n", "tab\there", "back\\slash", "\\n"];
  assert.deepEqual(readTexts(showTexts(texts)), texts);
});

const FOUND = [
  record("dynatemp_high", "float", 0, { label: { en: "Dynamic temperature, high", zh: "动态温度上限" } }),
  record("order", "order", "", { help: { en: "Where temperature stands.", zh: "" }, elsewhere: { vllm: "order_of" } }),
  record("temperature_last", "bool", false),
  record("temperature", "float", 1, { label: { en: "Temperature", zh: "温度" } }),
];
const found = (typed) =>
  ranked(
    FOUND.filter((knob) => rank(knob, typed) < Number.POSITIVE_INFINITY),
    (knob) => rank(knob, typed),
  ).map(({ name }) => name);

test("what is called as typed comes first, then what begins so", () => {
  assert.deepEqual(found("temperature"), ["temperature", "temperature_last", "dynatemp_high", "order"]);
  assert.deepEqual(found("TEMPERATURE "), found("temperature"));
  assert.deepEqual(found("温度"), ["temperature", "dynatemp_high"]);
  assert.deepEqual(found("temper"), ["temperature_last", "temperature", "dynatemp_high", "order"]);
  assert.deepEqual(found("dynatemp-high"), ["dynatemp_high"]);
  assert.deepEqual(found("high dynamic"), ["dynatemp_high"]);
  assert.deepEqual(found("order of"), ["order"]);
  assert.deepEqual(found("nothing"), []);
  assert.equal(found("").length, FOUND.length);
});

test("a sentence names knobs by whole words", () => {
  const knobs = [record("n", "int", 1, { label: { en: "Candidates", zh: "候选数" } }), ...FOUND];
  const told = { en: "Candidates (n) is 4, but at temperature 0 all candidates would be identical.", zh: "" };
  assert.deepEqual(namedIn(knobs, told), ["n", "temperature"]);
  assert.deepEqual(namedIn(knobs, "No n-grams here."), []);
  assert.deepEqual(namedIn(knobs, null), []);
});
