import assert from "node:assert/strict";
import { test } from "node:test";
import { turnedSince } from "../../playground/ui/scripts/cards/other_knobs.js";
import { endOf, promptBefore } from "../../playground/ui/scripts/cards/prompt_end.js";

test("a short prompt is shown whole, on one line", () => {
  assert.equal(endOf("Once upon\n\n a time, \n"), "Once upon a time,");
  assert.equal(endOf(""), "");
});

test("of a long one the end, from a word on", () => {
  const end = endOf(`${"Every word of it counts. ".repeat(40)}The end`);
  assert.match(end, /^…(Every|word|of|it|counts)\b.*The end$/);
  assert.ok(end.length > 100 && end.length <= 121, String(end.length));
  const chinese = endOf(`${"清晨的港口很安静，".repeat(40)}结束`);
  assert.match(chinese, /^…\p{Script=Han}.*结束$/u);
  assert.ok(chinese.length > 100 && chinese.length <= 121);
});

test("a word that is longer than that is cut, but no character", () => {
  assert.equal(endOf("x".repeat(500)), `…${"x".repeat(120)}`);
  const faces = endOf(`${"😀".repeat(100)}a`);
  assert.doesNotMatch(faces, /\p{Cs}/u);
});

test("only the texts of a free prompt stand behind it", () => {
  const run = (kind) => ({ id: "r", cards: [], request: { prompt: "Once" }, about: { kind } });
  assert.deepEqual(
    ["complete", "task", "chat", undefined].map((kind) => promptBefore(run(kind))),
    ["Once", "", "", ""],
  );
  assert.equal(promptBefore(undefined), "");
  assert.equal(promptBefore({ ...run("complete"), request: { prompt: 5 } }), "");
});

test("the knobs that were turned since a run began, but for what each run has of its own", () => {
  const before = { temperature: 0.9, seed: 1, n: 3, stop: ["a"], top_k: 0 };
  assert.equal(turnedSince(before, { ...before, seed: 5, n: 1, stop: ["a"] }), null);
  assert.deepEqual(turnedSince(before, { ...before, temperature: 0.5, stop: [] }), { temperature: 0.5, stop: [] });
  assert.equal(turnedSince(undefined, before), null);
});
