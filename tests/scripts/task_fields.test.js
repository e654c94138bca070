import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultsOf, fieldsOf, followed, survivingDrafts } from "../../playground/ui/scripts/compose/task_fields.js";

const TASK = {
  id: "slogans",
  fields: [
    { name: "product", default: { en: "Blue Moon", zh: "蓝月" }, max_length: 10, choices: null },
    {
      name: "tone",
      default: { en: "calm", zh: "平静" },
      max_length: 100,
      choices: { en: ["calm", "loud"], zh: ["平静", "响亮"] },
    },
  ],
};
const DEFAULTS = { product: "Blue Moon", tone: "calm" };

test("a field begins with its default in the language of the page", () => {
  assert.deepEqual(defaultsOf(TASK, "en"), DEFAULTS);
  assert.deepEqual(defaultsOf(TASK, "zh"), { product: "蓝月", tone: "平静" });
});

test("what was kept of a field stands there again where the field still takes it", () => {
  const kept = { product: "Red Sun", tone: "loud", gone: "x" };
  assert.deepEqual(fieldsOf(TASK, kept, "en", DEFAULTS), { product: "Red Sun", tone: "loud" });
  assert.deepEqual(fieldsOf(TASK, { product: "far too long a name", tone: "响亮" }, "en", DEFAULTS), DEFAULTS);
  assert.deepEqual(fieldsOf(TASK, { product: "" }, "en", DEFAULTS), { product: "", tone: "calm" });
});

test("defaults and choices follow the language, and what was typed stays", () => {
  assert.deepEqual(followed(TASK, DEFAULTS, "en", "zh"), { product: "蓝月", tone: "平静" });
  assert.deepEqual(followed(TASK, { product: "Mine", tone: "loud" }, "en", "zh"), { product: "Mine", tone: "响亮" });
  assert.deepEqual(followed(TASK, { product: "", tone: "" }, "en", "zh"), { product: "", tone: "" });
});

test("there and back again is where it was", () => {
  const there = followed(TASK, DEFAULTS, "en", "zh");
  assert.deepEqual(followed(TASK, there, "zh", "en"), DEFAULTS);
});

test("drafts survive but those of own tasks that are changed, gone or new under an old key", () => {
  const drafts = { slogans: { a: "1" }, same: { a: "2" }, changed: { a: "3" }, gone: { a: "4" }, back: { a: "5" } };
  const before = [
    TASK,
    { ...TASK, id: "same", yaml: "s" },
    { ...TASK, id: "changed", yaml: "c" },
    { ...TASK, id: "gone", yaml: "g" },
  ];
  const now = new Map([
    ["same", "s"],
    ["changed", "other"],
    ["back", "b"],
  ]);
  assert.deepEqual(survivingDrafts(drafts, before, now), { slogans: { a: "1" }, same: { a: "2" } });
});
