// Where numbers sit on a slider, and what a step from one leads to. Knows no page.
import { decimalsOf } from "./number_text.js";

/**
 * What a slider is made from: a number's range whose ends are known.
 * @typedef {import("./knob").NumberRange & {low: number, high: number}} Slid
 */
/**
 * @typedef {object} Scale
 * @property {number} min the first place
 * @property {number} max the last place
 * @property {number} unit of one step
 * @property {number | "any"} native the step of the input element
 * @property {(value: number) => number} place
 * @property {(place: number) => number} value
 */

const PLACES = 120; // of a slider by orders of magnitude

/** @param {number} number @param {number} step */
const tidy = (number, step) => Number(number.toFixed(Math.min(12, decimalsOf(step) + 2)));
/** @param {number} number @param {number} low @param {number} high */
const within = (number, low, high) => Math.min(high, Math.max(low, number));

/**
 * A neutral value outside the slider's range gets one place of its own at the near end.
 * @param {Slid} range
 * @returns {Scale}
 */
export const scaleOf = (range) => (range.scale === "log" ? logScale(range) : linearScale(range));

/** @param {Slid} range @returns {Scale} */
const linearScale = (range) => {
  const { low, high, neutral } = range;
  const step = range.step || (range.kind === "int" ? 1 : (high - low) / 100);
  const below = neutral < low;
  const above = neutral > high;
  const min = below ? tidy(low - step, step) : low;
  const max = above ? tidy(high + step, step) : high;
  const steps = (max - min) / step;
  return {
    min,
    max,
    unit: step,
    native: Math.abs(steps - Math.round(steps)) < 1e-6 ? step : "any",
    place: (value) => {
      if (value === neutral) return below ? min : above ? max : value;
      return within(value, low, high);
    },
    value: (place) => {
      if (below && place < low - step / 2) return neutral;
      if (above && place > high + step / 2) return neutral;
      if (Math.abs(place - high) < step / 1e6) return high;
      return within(tidy(low + Math.round((place - low) / step) * step, step), low, high);
    },
  };
};

/** @param {Slid} range @returns {Scale} */
const logScale = (range) => {
  const { high, neutral } = range;
  const low = range.low > 0 ? range.low : range.step || high / 10_000;
  const first = neutral < low ? 1 : 0;
  const ratio = Math.log(high / low);
  /** @param {number} value */
  const place = (value) => {
    if (value < low) return 0;
    return Math.round(first + (PLACES - first) * (Math.log(Math.min(value, high) / low) / ratio));
  };
  return {
    min: 0,
    max: PLACES,
    unit: 1,
    native: 1,
    place,
    value: (at) => {
      if (first && at < 1) return neutral;
      if (at === place(neutral) && neutral <= high) return neutral;
      const number = low * Math.exp((ratio * (at - first)) / (PLACES - first));
      return range.kind === "int" ? Math.round(number) : Number(number.toPrecision(2));
    },
  };
};

/**
 * So many steps from a value, and further where that is the same value in the digits it is written with. One beyond the
 * slider's end is never pulled back by a step outwards.
 * @param {Slid} range
 * @param {Scale} scale
 * @param {number} value
 * @param {number} steps
 * @returns {number}
 */
export const stepped = (range, scale, value, steps) => {
  if (steps > 0 && value > range.high) return value;
  if (steps < 0 && value < range.low && value !== range.neutral) return value;
  const { min, max, unit } = scale;
  let place = within(scale.place(value) + steps * unit, min, max);
  while (scale.value(place) === value && place > min && place < max) {
    place = within(place + Math.sign(steps) * unit, min, max);
  }
  return scale.value(place);
};
