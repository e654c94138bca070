import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { grew, past, takeBack } from "../../playground/ui/scripts/cards/history.js";
import { keepRuns, keptRuns } from "../../playground/ui/scripts/cards/kept_runs.js";
import { asVersion, cardOf } from "../../playground/ui/scripts/cards/versions.js";

const KEY = "playground-cards";
/** A tab's storage. */
const storage = new Map();
globalThis.sessionStorage = {
  getItem: (key) => storage.get(key) ?? null,
  setItem: (key, text) => storage.set(key, text),
  removeItem: (key) => storage.delete(key),
};
const one = (id, more = {}) => asVersion({ text: id, tokens: 1, seed: 1, finish: "end", ...more }, { id, run: id });
const run = (id, more = {}) => ({ id, request: { prompt: id }, cards: [cardOf(one(`${id}:0`))], ...more });

beforeEach(() => {
  storage.clear();
  past.done = [];
  past.undone = [];
});

test("runs come back as they were, with what was done to them", () => {
  const runs = [run("a"), run("b")];
  grew(runs[0], 0, one("a:1"));
  grew(runs[0], 0, one("a:2"));
  takeBack(runs[0]);
  keepRuns(runs, 1, true);
  const { done, undone } = past;
  past.done = [];
  past.undone = [];
  assert.deepEqual(JSON.parse(JSON.stringify(keptRuns())), JSON.parse(JSON.stringify({ runs, at: 1, unfolded: true })));
  assert.deepEqual([past.done, past.undone], [done, undone]);
});

test("a worked example is not kept, and of texts that are too long the newest", () => {
  keepRuns([run("a", { example: { model: "m", seed: 1 } })], 0);
  assert.equal(keptRuns(), null);
  const long = { request: { prompt: "x".repeat(700_000) } };
  keepRuns([run("a", long), run("b", long), run("c", long)], 0);
  assert.deepEqual([keptRuns().runs.map(({ id }) => id), keptRuns().at], [["b", "c"], 0]);
});

test("a text that was being written was stopped", () => {
  const written = run("a");
  delete written.cards[0].versions[0].finish;
  keepRuns([written], 0);
  assert.equal(keptRuns().runs[0].cards[0].versions[0].finish, "stopped");
});

test("what is not sound is not read", () => {
  const sound = { runs: [run("a")], at: 0 };
  const broken = [
    "nonsense",
    "null",
    '{"runs": []}',
    '{"runs": [{"id": 1}]}',
    JSON.stringify(sound).replace('"at":"a:0"', '"at":"other"'),
    JSON.stringify(sound).replace('"gone":[]', '"gone":["a:0"]'),
  ];
  for (const text of broken) {
    storage.set(KEY, text);
    assert.equal(keptRuns(), null, text);
  }
  storage.set(KEY, JSON.stringify({ ...sound, at: 7, past: { done: [{ run: "a", card: 3 }], undone: "x" } }));
  assert.equal(keptRuns().at, 0);
  assert.deepEqual(past, { done: [], undone: [] });
});
