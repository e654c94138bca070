// Settings of a training as they are typed, which preset they are, and in what trainings differ.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acts,
  completed,
  differences,
  presetOf,
  typedValue,
} from "../../playground/ui/scripts/train/setting_values.js";

const words = (/** @type {string} */ text) => ({ en: text, zh: text });
/** @param {string} name @param {"int" | "float" | "bool" | "text"} kind @param {any} usual */
const setting = (name, kind, usual) => ({
  name,
  kind,
  default: usual,
  default_text: words(String(usual)),
  group: "steps",
  label: words(name),
  help: words(""),
  source: "",
  low: null,
  high: null,
  off: null,
  allowed: words(""),
  choices: [],
  needs: name === "rank" ? { name: "method", value: "lora" } : null,
  basic: true,
});
const SETTINGS = [setting("method", "text", "lora"), setting("rank", "int", 16), setting("rate", "float", 0.1)];
const PRESETS = [
  { name: "try", label: words("Try"), help: words(""), values: { rank: 8 } },
  { name: "good", label: words("Good"), help: words(""), values: {} },
];

test("what is typed becomes a number where the setting is one, and else goes on to be refused by name", () => {
  assert.equal(typedValue(SETTINGS[1], " ８ "), 8);
  assert.equal(typedValue(SETTINGS[2], "2e-4"), 0.0002);
  assert.equal(typedValue(SETTINGS[1], "many"), "many");
  assert.equal(typedValue(SETTINGS[1], ""), "");
  assert.equal(typedValue(SETTINGS[0], " full "), "full");
  assert.equal(typedValue(setting("packing", "bool", false), true), true);
});
test("a preset is found again by its values, and one changed value is none", () => {
  const values = completed(SETTINGS, PRESETS[0].values);
  assert.deepEqual(values, { method: "lora", rank: 8, rate: 0.1 });
  assert.equal(presetOf(SETTINGS, PRESETS, values)?.name, "try");
  assert.equal(presetOf(SETTINGS, PRESETS, { ...values, rate: 0.2 }), null);
  assert.equal(acts(SETTINGS[1], values), true);
  assert.equal(acts(SETTINGS[1], { ...values, method: "full" }), false);
});
test("trainings differ only in what is not the same in all of them", () => {
  const rank = (/** @type {string} */ value) => ({ name: "rank", label: words("Rank"), value: words(value) });
  const rate = { name: "rate", label: words("Rate"), value: words("1") };
  const found = differences([{ changed: [rank("8"), rate] }, { changed: [rate] }, { changed: [rank("64"), rate] }]);
  assert.deepEqual(
    found.map(({ name, values }) => [name, values.map((one) => one?.en ?? null)]),
    [["rank", ["8", null, "64"]]],
  );
});
