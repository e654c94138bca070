import assert from "node:assert/strict";
import { test } from "node:test";
import {
  entropies,
  HEIGHT,
  levels,
  line,
  placeAt,
  scaleOf,
  stems,
  stemWidth,
  ticks,
} from "../../playground/ui/scripts/tokens/curve_scale.js";

/** @param {number | null} entropy @param {number | null} [bits] of surprise */
const token = (entropy, bits = null) => ({
  id: 1,
  text: "a",
  logprob: bits === null ? null : -bits * Math.LN2,
  p: null,
  rank: null,
  entropy,
  top: [],
});

test("the top is a multiple of four bits and holds every token", () => {
  assert.equal(scaleOf([], 500).most, 4);
  assert.equal(scaleOf([token(4), token(1, 3)], 500).most, 4);
  assert.equal(scaleOf([token(4.1)], 500).most, 8);
  assert.deepEqual(levels(scaleOf([token(2, 9.5)], 500)), [0, 6, 12]);
});

test("tokens stand from the left edge to the right, as wide as there is room", () => {
  const scale = scaleOf([token(1), token(1), token(1)], 236);
  assert.deepEqual([0, 1, 2].map(scale.x), [28, 128, 228]);
  assert.equal(scaleOf([token(1)], 10).width, 120);
  assert.equal(scale.y(0), HEIGHT);
  assert.equal(scale.y(-1), HEIGHT);
  assert.equal(scale.y(4), 6);
});

test("a place in the picture is that of the nearest token", () => {
  const scale = scaleOf([token(1), token(1), token(1)], 236);
  assert.deepEqual(
    [28, 77, 79, 400].map((left) => placeAt(scale, left)),
    [0, 0, 1, 4],
  );
});

test("at most ten tokens have a number", () => {
  assert.deepEqual(ticks(0), []);
  assert.deepEqual(ticks(3), [1, 2, 3]);
  assert.deepEqual(ticks(36), [5, 10, 15, 20, 25, 30, 35]);
  assert.equal(ticks(100_000).length, 10);
});

test("the line is broken, and a stem missing, where a figure is not known", () => {
  const tokens = [token(2), token(4, 2), token(null, 4), token(0)];
  const scale = scaleOf(tokens, 336);
  assert.equal(line(tokens, scale), "M28.0 51.0L128.0 6.0M328.0 96.0");
  assert.equal(stems(tokens, scale), "M128.0 96V51.0M228.0 96V6.0");
});

test("stems grow narrower with the length of a text, within bounds", () => {
  assert.equal(stemWidth(scaleOf([token(1), token(1)], 500)), "4.0");
  assert.equal(stemWidth(scaleOf(Array(2000).fill(token(1)), 500)), "0.6");
});

test("the mean leaves out what is not known, and the first of the highest counts", () => {
  assert.equal(entropies([token(null)]), null);
  assert.deepEqual(entropies([token(null), token(1), token(3), token(3), token(0)]), { mean: 1.75, highest: 2 });
});
