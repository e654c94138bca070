import assert from "node:assert/strict";
import { test } from "node:test";
import { barParts, hubPage, idleTime, percentDone, verdict } from "../../playground/ui/scripts/model/memory.js";
import { roundTime } from "../../playground/ui/scripts/page/round_time.js";

/** @type {import("../../playground/ui/scripts/server").Estimate} */
const some = {
  weights: 300,
  packed: 100,
  kv_cache: 50,
  beside: 50,
  held: 450,
  total: 500,
  need: 500,
  context: 2048,
  download: 0,
  loaded_now: 200,
  free: 800,
  fits: true,
  basis: "files",
};

test("a model fits beside what is loaded, instead of it, or lacks so many bytes", () => {
  assert.deepEqual(verdict(some), { fits: "yes", lacks: 0 });
  assert.deepEqual(verdict({ ...some, free: 500 }), { fits: "yes", lacks: 0 });
  assert.deepEqual(verdict({ ...some, free: 499 }), { fits: "instead", lacks: 0 });
  assert.deepEqual(verdict({ ...some, free: 200 }), { fits: "no", lacks: 100 });
  assert.deepEqual(verdict({ ...some, free: 0, basis: "unknown" }), { fits: "unknown", lacks: 0 });
});

test("the parts of the bar add up to the machine, or to what would be wanted of it", () => {
  const parts = barParts(some);
  assert.deepEqual(
    parts.map(({ part }) => part),
    ["loaded_now", "weights", "packed", "kv_cache", "beside", "free"],
  );
  assert.ok(Math.abs(parts.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
  assert.equal(parts[0].share, 0.2);
  const over = barParts({ ...some, free: 100, packed: 0 });
  assert.deepEqual(
    over.map(({ part, size }) => [part, size]),
    [
      ["loaded_now", 200],
      ["weights", 300],
      ["kv_cache", 50],
      ["beside", 50],
    ],
  );
  assert.ok(Math.abs(over.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
  assert.deepEqual(barParts({ ...some, weights: 0, packed: 0, kv_cache: 0, beside: 0, loaded_now: 0, free: 0 }), []);
});

test("times are rounded as they are said", () => {
  assert.deepEqual(roundTime(0.2), { unit: "s", count: 1 });
  assert.deepEqual(roundTime(119), { unit: "s", count: 119 });
  assert.deepEqual(roundTime(150), { unit: "min", count: 3 });
  assert.deepEqual(roundTime(3 * 3600), { unit: "h", count: 3 });
  assert.deepEqual(idleTime(59), { unit: "s", count: 59 });
  assert.deepEqual(idleTime(61), { unit: "min", count: 1 });
  assert.deepEqual(idleTime(7300), { unit: "h", count: 2 });
});

test("the share of a download goes before that of a stage, and never beyond the whole", () => {
  assert.equal(percentDone({ share: null, download: null }), null);
  assert.equal(percentDone({ share: 0.429, download: null }), 42);
  assert.equal(percentDone({ share: 0.1, download: { done: 999, total: 1000, rate: null, left: null } }), 99);
  assert.equal(percentDone({ share: null, download: { done: 5, total: 0, rate: null, left: null } }), null);
  assert.equal(percentDone({ share: null, download: { done: 12, total: 10, rate: null, left: null } }), 100);
});

test("only a hub id of two parts has a page", () => {
  assert.equal(hubPage("Qwen/Qwen3-0.6B", "https://huggingface.co"), "https://huggingface.co/Qwen/Qwen3-0.6B");
  assert.equal(hubPage("a/b", "https://hf-mirror.com/"), "https://hf-mirror.com/a/b");
  for (const name of [
    "./model",
    "/a/b",
    "C:/x",
    "model.gguf",
    "x/y.gguf",
    "http://a/b",
    "a/b/c",
    "a b/c",
    "javascript:/x",
  ]) {
    assert.equal(hubPage(name, "https://huggingface.co"), "", name);
  }
});
