import assert from "node:assert/strict";
import { test } from "node:test";
import { formOf, LeftByPlace, placeKey, toKeep } from "../../playground/ui/scripts/compose/form_kept.js";

const TASKS = [{ id: "slogans" }, { id: "poems" }];
const FORM = {
  kind: "chat",
  task: "poems",
  own: "",
  fields: { theme: "rain" },
  drafts: { slogans: { product: "tea" } },
  variables: { name: "Anna" },
  special_tokens: true,
  fill: false,
  language: "zh",
  prompt: "p",
  system: "s",
  message: "m",
  prefill: "f",
};

test("a form comes back as it was kept, without what belongs to the page", () => {
  const kept = JSON.parse(JSON.stringify(toKeep({ ...FORM, ready: "model", asked: 7, picked: true, restored: null })));
  assert.deepEqual(kept, FORM);
  assert.deepEqual(formOf(kept, TASKS), FORM);
});

test("nothing, or what is no form, is none", () => {
  for (const kept of [null, undefined, "text", 3, []]) assert.equal(formOf(kept, TASKS), null);
});

test("of a damaged form the sound parts are taken", () => {
  const nothing = { fields: {}, variables: {}, drafts: {} };
  const damaged = { ...FORM, kind: "other", language: "fr", prompt: 3, fill: "yes", fields: { theme: 1, form: "ode" } };
  const { kind, language, prompt, fill, ...rest } = FORM;
  assert.deepEqual(formOf(damaged, TASKS), { ...rest, fields: { form: "ode" } });
  const empty = formOf({ task: "poems", fields: [], variables: "x", drafts: [{ a: "b" }] }, TASKS);
  assert.deepEqual(empty, { ...nothing, task: "poems", own: "" });
  assert.deepEqual(formOf({ task: "poems", drafts: { poems: null } }, TASKS)?.drafts, { poems: {} });
});

test("a task that is no longer there is not chosen again; one's own comes with its YAML", () => {
  const gone = formOf({ ...FORM, task: "gone" }, TASKS);
  assert.deepEqual([gone?.task, gone?.own, gone?.fields], [undefined, undefined, undefined]);
  const own = formOf({ ...FORM, task: "own:1", own: "id: mine" }, TASKS);
  assert.deepEqual([own?.task, own?.own, own?.fields], ["own:1", "id: mine", FORM.fields]);
});

test("knobs belong to a task or to a kind", () => {
  assert.equal(placeKey({ ...FORM, kind: "task" }), "task/poems");
  for (const kind of ["complete", "chat", "talk"]) assert.equal(placeKey({ ...FORM, kind }), kind);
});

test("the knobs of the places that were left last are kept", () => {
  const left = new LeftByPlace();
  for (let place = 0; place < 25; place += 1) left.leave(`task/${place}`, { knobs: { n: place }, preset: "task" });
  assert.equal(left.at("task/4"), null);
  left.leave("task/5", { knobs: { n: 55 }, preset: "balanced" }); // the oldest is now the newest
  left.leave("chat", { knobs: {}, preset: "task" });
  assert.deepEqual(left.at("task/5"), { knobs: { n: 55 }, preset: "balanced" });
  assert.equal(left.at("task/6"), null);
  assert.equal(Object.keys(left.toKeep()).length, 20);
});

test("kept knobs are found again, and what is damaged is left out", () => {
  const left = new LeftByPlace();
  left.find({ chat: { knobs: { n: 2 }, preset: "task" }, talk: { knobs: [] }, complete: null, "task/a": "x" });
  left.find(null);
  left.find([1]);
  assert.deepEqual(left.toKeep(), { chat: { knobs: { n: 2 }, preset: "task" } });
});
