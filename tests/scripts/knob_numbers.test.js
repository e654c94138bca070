import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatNumber, isAllowed, parseNumber } from "../../playground/ui/scripts/knobs/number_text.js";
import { scaleOf, stepped } from "../../playground/ui/scripts/knobs/scale.js";

const cases = JSON.parse(readFileSync(new URL("./knob_cases.json", import.meta.url), "utf8"));
const UNIT = {
  kind: "float",
  neutral: 1,
  low: 0,
  high: 2,
  step: 0.01,
  scale: "linear",
  hard_low: 0,
  hard_high: 100,
  above_low: false,
};
const COUNT = { ...UNIT, kind: "int", neutral: 0, low: 1, high: 8, step: 1 };
const SMALL = { ...UNIT, neutral: 0, low: 1e-5, high: 0.01, step: 1e-5, scale: "log", hard_high: 0.999 };

test("a typed number is read, and what is none or out of range is not, as Python reads it", () => {
  for (const { range, typed, refused } of cases.numbers) {
    for (const [text, value] of Object.entries(typed)) assert.equal(parseNumber(range, text), value, text);
    for (const text of refused) assert.equal(parseNumber(range, text), undefined, `${text} of ${range.kind}`);
  }
});

test("numbers may be typed as people type them, and Off in either language", () => {
  assert.equal(parseNumber(UNIT, "0,8"), 0.8);
  assert.equal(parseNumber(UNIT, "０．８"), 0.8);
  assert.equal(parseNumber(UNIT, "off", ["Off", "关"]), 1);
  assert.equal(parseNumber(UNIT, " 关 ", ["Off", "关"]), 1);
  assert.equal(parseNumber(UNIT, "off"), undefined);
  assert.equal(isAllowed(UNIT, Number.NaN), false);
});

test("a number is written with the digits of its step, and with all where those would change it", () => {
  assert.equal(formatNumber(UNIT, 0.5), "0.50");
  assert.equal(formatNumber(UNIT, 0.123456), "0.123456");
  assert.equal(formatNumber(COUNT, 3), "3");
  assert.equal(formatNumber(SMALL, 0.00012), "0.00012");
});

test("a value has a place on its slider, and the place has the value", () => {
  for (const range of [UNIT, COUNT, SMALL]) {
    const scale = scaleOf(range);
    for (const value of [range.low, range.high, range.neutral]) assert.equal(scale.value(scale.place(value)), value);
  }
  assert.equal(scaleOf(UNIT).value(0.7300000001), 0.73);
  assert.equal(scaleOf(UNIT).place(50), 2);
});

test("a neutral value outside of the slider has a place of its own at the near end", () => {
  const scale = scaleOf(COUNT);
  assert.equal(scale.min, 0);
  assert.equal(scale.value(0), 0);
  assert.equal(scale.value(1), 1);
  const above = scaleOf({ ...UNIT, neutral: 3 });
  assert.equal(above.value(above.max), 3);
  assert.equal(above.place(3), above.max);
});

test("a slider by orders of magnitude has as many places for each of them", () => {
  const scale = scaleOf(SMALL);
  const places = [1e-5, 1e-4, 1e-3, 1e-2].map(scale.place);
  const gaps = places.slice(1).map((place, at) => place - places[at]);
  assert.ok(Math.max(...gaps) - Math.min(...gaps) <= 1, String(gaps));
  assert.equal(scale.place(0), 0);
  for (let at = 1; at <= scale.max; at += 1) assert.ok(scale.value(at) >= scale.value(at - 1));
});

test("steps lead from one end to the other and back, each to another value", () => {
  for (const range of [UNIT, COUNT, SMALL]) {
    const scale = scaleOf(range);
    for (const [from, to, way] of [
      [range.low, range.high, 1],
      [range.high, range.low, -1],
    ]) {
      let value = from;
      for (let steps = 0; value !== to; steps += 1) {
        const next = stepped(range, scale, value, way);
        assert.ok((next - value) * way > 0 && steps < 1000, `${value} to ${next}`);
        value = next;
      }
    }
  }
});

test("a step goes to the next place, and never pulls a value back from beyond the end", () => {
  const scale = scaleOf(UNIT);
  assert.equal(stepped(UNIT, scale, 0.7, 1), 0.71);
  assert.equal(stepped(UNIT, scale, 0.7, -10), 0.6);
  assert.equal(stepped(UNIT, scale, 1.99, 10), 2);
  assert.equal(stepped(UNIT, scale, 7.5, 1), 7.5);
  assert.equal(stepped(UNIT, scale, 7.5, -1), 1.99);
  assert.equal(stepped(COUNT, scaleOf(COUNT), 0, 1), 1);
  assert.equal(stepped(COUNT, scaleOf(COUNT), 1, -1), 0);
});
