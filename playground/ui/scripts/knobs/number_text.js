// Numbers as they are written and typed in the panel. Knows no page and no language: words for "off" are given.
import { plainNumber } from "../page/typed_numbers.js";

/** @typedef {import("./knob").NumberRange} NumberRange */

/**
 * How many digits behind the point a step has.
 * @param {number} step
 */
export const decimalsOf = (step) => {
  const text = String(step);
  if (text.includes("e-")) return Number(text.split("e-")[1]);
  return text.split(".")[1]?.length ?? 0;
};
/**
 * @param {Pick<NumberRange, "kind" | "scale" | "step">} range
 * @param {number} value
 * @returns {string}
 */
export const formatNumber = (range, value) => {
  if (range.kind === "int" || range.scale === "log") return String(value);
  const short = value.toFixed(Math.min(4, decimalsOf(range.step || 0.01)));
  return Number(short) === value ? short : String(Number(value.toPrecision(8)));
};
/**
 * Whether this number is allowed; the rule of parameters/parameter.py, held to it by tests/scripts/knobs.json.
 * @param {NumberRange} range
 * @param {number} number
 */
export const isAllowed = (range, number) => {
  if (!Number.isFinite(number)) return false;
  if (number === range.neutral) return true;
  if (range.kind !== "float" && !Number.isInteger(number)) return false;
  const { hard_low: low, hard_high: high } = range;
  if (low !== null && (number < low || (range.above_low && number === low))) return false;
  return high === null || number <= high;
};
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/**
 * The typed number, or undefined where it is none or is not allowed.
 * @param {NumberRange} range
 * @param {string} typed
 * @param {string[]} [off] what may be typed for the neutral value
 * @returns {number | undefined}
 */
export const parseNumber = (range, typed, off = []) => {
  let text = plainNumber(typed);
  if (off.some((word) => word.toLowerCase() === text.toLowerCase())) return range.neutral;
  if (/^[+-]?\d+,\d+$/.test(text)) text = text.replace(",", ".");
  if (!NUMBER.test(text)) return undefined;
  const number = Number(text);
  return isAllowed(range, number) ? number : undefined;
};
