import assert from "node:assert/strict";
import { test } from "node:test";
import { buttonsOf, NOTHING, pageOf, percentOf, stageOf, usable } from "../../playground/ui/scripts/batch/status.js";

const shown = (status) =>
  Object.entries(buttonsOf({ ...NOTHING, ...status }))
    .filter(([, is]) => is)
    .map(([name]) => name)
    .sort();
const DONE = { all: 4, planned: true, done: 2 };

test("a job is new, runs, is paused or has ended", () => {
  assert.equal(stageOf(NOTHING), "new");
  assert.equal(stageOf({ ...NOTHING, planned: true, running: true, waiting: 3 }), "running");
  assert.equal(stageOf({ ...NOTHING, planned: true, waiting: 3 }), "paused");
  assert.equal(stageOf({ ...NOTHING, planned: true }), "ended");
});

test("each stage has its buttons", () => {
  assert.deepEqual(shown({ all: 4, waiting: 4 }), ["run"]);
  assert.deepEqual(shown({ all: 4, planned: true, running: true, waiting: 4 }), ["halt", "pause"]);
  assert.deepEqual(shown({ ...DONE, running: true, waiting: 1, failed: 1 }), ["csv", "halt", "jsonl", "pause"]);
  assert.deepEqual(shown({ ...DONE, waiting: 2 }), ["csv", "jsonl", "resume", "run"]);
  assert.deepEqual(shown({ ...DONE, waiting: 1, failed: 1 }), ["csv", "jsonl", "resume", "retry", "run"]);
  assert.deepEqual(shown({ ...DONE, done: 4 }), ["csv", "jsonl", "run"]);
  assert.deepEqual(shown({ ...DONE, done: 0, failed: 4 }), ["csv", "jsonl", "retry", "run"]);
});

test("refused rows count for nothing", () => {
  const status = { ...NOTHING, ...DONE, failed: 1, refused: 1 };
  assert.equal(usable(status), 3);
  assert.equal(percentOf(status), 100);
  assert.equal(percentOf(NOTHING), 0);
});

test("rows are shown by pages", () => {
  assert.deepEqual(pageOf(1, 50), { from: 1, to: 50, earlier: false, later: false, several: false });
  assert.deepEqual(pageOf(1, 51), { from: 1, to: 50, earlier: false, later: true, several: true });
  assert.deepEqual(pageOf(51, 60), { from: 51, to: 60, earlier: true, later: false, several: true });
});
