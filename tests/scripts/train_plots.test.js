// What the plots of a training are made of: scales, lines, the nearest point, and the table of all figures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { csvOf, pointsOf } from "../../playground/ui/scripts/train/metric_lines.js";
import {
  HEIGHT,
  LEFT,
  levels,
  nearest,
  pathOf,
  RIGHT,
  roundStep,
  scaleOf,
  shown,
  smoothed,
  stepAt,
  stepTicks,
  thinned,
  tick,
} from "../../playground/ui/scripts/train/plot_scale.js";

/** @typedef {import("../../playground/ui/scripts/train/plot_scale.js").Point} Point */

/** @type {Point[]} */
const LINE = [
  [1, 4],
  [2, 3],
  [10, 1],
];

test("steps of the grid are 1, 2 or 5 times a power of ten", () => {
  assert.deepEqual([0.3, 1, 1.1, 4, 6, 0.000012].map(roundStep), [0.5, 1, 2, 5, 10, 0.00002]);
  assert.deepEqual(levels(0, 1), [0, 0.5, 1]);
  assert.deepEqual(levels(0.9, 4.1, 5), [1, 2, 3, 4]);
  assert.deepEqual(levels(3, 3), [3]);
  assert.ok(levels(0, 0.0002).length >= 2);
});
test("a scale holds every point, and its ends are the ends of the picture", () => {
  const scale = scaleOf([LINE], 600);
  assert.equal(scale.x(1), LEFT);
  assert.equal(scale.x(10), 600 - RIGHT);
  for (const [, value] of LINE) assert.ok(scale.y(value) > 0 && scale.y(value) < HEIGHT);
  assert.equal(stepAt(scale, scale.x(7)), 7);
  assert.deepEqual(
    stepTicks(
      scaleOf(
        [
          [
            [0, 1],
            [100, 2],
          ],
        ],
        600,
      ),
    ),
    [0, 20, 40, 60, 80, 100],
  );
});
test("one point, none, and equal values have a scale too", () => {
  const one = scaleOf([[[5, 2]]], 300);
  assert.ok(one.x(5) > LEFT && one.x(5) < 300 && Number.isFinite(one.y(2)));
  const none = scaleOf([], 300);
  assert.ok(Number.isFinite(none.x(0)) && Number.isFinite(none.y(0)));
  const zero = scaleOf(
    [
      [
        [1, 0],
        [2, 0],
      ],
    ],
    300,
    { from: 0 },
  );
  assert.equal(zero.y(0), HEIGHT);
});
test("what is from 0 stands on the ground", () => {
  assert.equal(scaleOf([LINE], 300, { from: 0 }).y(0), HEIGHT);
});
test("the nearest point of a line, at its ends too", () => {
  assert.deepEqual(nearest(LINE, -5), [1, 4]);
  assert.deepEqual(nearest(LINE, 5), [2, 3]);
  assert.deepEqual(nearest(LINE, 7), [10, 1]);
  assert.deepEqual(nearest(LINE, 99), [10, 1]);
  assert.equal(nearest([], 1), null);
});
test("a thinned line keeps its spikes and its order", () => {
  /** @type {Point[]} */
  const long = Array.from({ length: 1000 }, (_, at) => [at, at === 503 ? 50 : at === 704 ? -9 : 1]);
  const few = thinned(long, 100);
  assert.ok(few.length <= 100);
  assert.ok(few.some(([, value]) => value === 50) && few.some(([, value]) => value === -9));
  assert.deepEqual(
    few.map(([step]) => step),
    few.map(([step]) => step).sort((one, other) => one - other),
  );
  assert.equal(thinned(LINE, 100), LINE);
});
test("a smoothed line begins where the line does and is drawn towards no zero", () => {
  assert.deepEqual(
    smoothed([
      [1, 4],
      [2, 4],
    ]).map(([step, value]) => [step, Number(value.toFixed(9))]),
    [
      [1, 4],
      [2, 4],
    ],
  );
  const [, second] = smoothed([
    [1, 4],
    [2, 2],
  ]);
  assert.ok(second[1] > 2 && second[1] < 4);
});
test("a line breaks where a value is no number", () => {
  const scale = scaleOf([LINE], 300);
  const path = pathOf(
    [
      [1, 4],
      [2, Number.NaN],
      [3, 2],
      [4, 1],
    ],
    scale,
  );
  assert.equal(path.match(/M/g)?.length, 2);
  assert.equal(path.match(/L/g)?.length, 1);
});
test("numbers are written with the digits that count", () => {
  assert.deepEqual([0, 1.23456, 0.05, 1234.5678, 0.00002, -3.5].map(shown), [
    "0",
    "1.235",
    "0.0500",
    "1235",
    "2e−5",
    "−3.500",
  ]);
  assert.deepEqual([0, 0.5, 200, 0.0002, 2_000_000].map(tick), ["0", "0.5", "200", "2e−4", "2e6"]);
});
test("all figures become one table with a row for each step", () => {
  const metrics = [
    { step: 1, epoch: 0.5, loss: 3, learning_rate: 0.001 },
    { step: 2, epoch: 1, loss: 2, learning_rate: null },
    { step: 2, epoch: 1, validation_loss: 2.5, token_accuracy: 0.25 },
  ];
  assert.deepEqual(pointsOf(metrics, "validation_loss"), [[2, 2.5]]);
  assert.deepEqual(pointsOf(metrics, "learning_rate"), [[1, 0.001]]);
  const [head, one, two, end] = csvOf(metrics).split("\r\n");
  assert.ok(head.startsWith("step,epoch,loss,validation_loss,token_accuracy"));
  assert.equal(one, "1,0.5,3,,,,0.001,,,");
  assert.equal(two, "2,1,2,2.5,0.25,,,,,");
  assert.equal(end, "");
});
