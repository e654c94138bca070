// Where the curve of a text's tokens stands in its picture, in pixels, and what its numbers are. Knows no node and no word.
import { isNumber } from "../page/numbers.js";
import { surprise } from "./token_numbers.js";

/** @typedef {import("./token_rows.js").Token} Token */
/** `step` is the way from one token to the next, `most` the bits at the top. @typedef {object} Scale
 * @property {number} width
 * @property {number} step
 * @property {number} most
 * @property {(place: number) => number} x
 * @property {(bits: number) => number} y
 */

export const HEIGHT = 96; // of the plot
export const LEFT = 28; // room for the ticks' numbers on its left,
export const BELOW = 16; // below it,
export const RIGHT = 8; // and on its right
const ABOVE = 6;
const NARROWEST = 120;
const EVERY = 4; // the top is a multiple of so many bits
const MOST_TICKS = 10;
const JUMPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/**
 * @param {Token[]} tokens
 * @param {number} room in pixels
 * @returns {Scale}
 */
export const scaleOf = (tokens, room) => {
  const width = Math.max(room, NARROWEST);
  let highest = EVERY;
  for (const token of tokens) highest = Math.max(highest, token.entropy ?? 0, surprise(token) ?? 0);
  const most = Math.ceil(highest / EVERY) * EVERY;
  const step = (width - LEFT - RIGHT) / Math.max(tokens.length - 1, 1);
  return {
    width,
    step,
    most,
    x: (place) => LEFT + place * step,
    y: (bits) => HEIGHT - (Math.max(bits, 0) / most) * (HEIGHT - ABOVE),
  };
};
/**
 * The token that stands there, counted from 0; perhaps before the first or behind the last.
 * @param {Scale} scale
 * @param {number} left pixels from the picture's left edge
 */
export const placeAt = ({ step }, left) => Math.round((left - LEFT) / step);
/** The bits that have a line of the grid. @param {Scale} scale */
export const levels = ({ most }) => [0, most / 2, most];
/**
 * The tokens that have a number below the curve, counted from 1.
 * @param {number} length
 * @returns {number[]}
 */
export const ticks = (length) => {
  const jump = JUMPS.find((one) => length / one <= MOST_TICKS) ?? 10_000;
  return Array.from({ length: Math.floor(length / jump) }, (_, at) => (at + 1) * jump);
};
/**
 * Surprise as stems, for a path.
 * @param {Token[]} tokens
 * @param {Scale} scale
 */
export const stems = (tokens, { x, y }) => {
  let path = "";
  tokens.forEach((token, place) => {
    const bits = surprise(token);
    if (bits !== null) path += `M${x(place).toFixed(1)} ${HEIGHT}V${y(bits).toFixed(1)}`;
  });
  return path;
};
/** How wide a stem is. @param {Scale} scale */
export const stemWidth = ({ step }) => Math.min(Math.max(step * 0.5, 0.6), 4).toFixed(1);
/**
 * Entropy as a line, for a path; broken where it is not known.
 * @param {Token[]} tokens
 * @param {Scale} scale
 */
export const line = (tokens, { x, y }) => {
  let path = "";
  let joins = false;
  tokens.forEach(({ entropy }, place) => {
    if (isNumber(entropy)) path += `${joins ? "L" : "M"}${x(place).toFixed(1)} ${y(entropy).toFixed(1)}`;
    joins = isNumber(entropy);
  });
  return path;
};
/**
 * The mean of the entropies, and at which token the highest is; null where none is known.
 * @param {Token[]} tokens
 * @returns {{mean: number, highest: number} | null}
 */
export const entropies = (tokens) => {
  let [sum, known, highest] = [0, 0, -1];
  tokens.forEach(({ entropy }, place) => {
    if (!isNumber(entropy)) return;
    sum += entropy;
    known += 1;
    if (highest < 0 || entropy > (tokens[highest].entropy ?? 0)) highest = place;
  });
  return known ? { mean: sum / known, highest } : null;
};
