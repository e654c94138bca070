// By what tokens are coloured, and how strongly: 16 levels, classes `tk-0` to `tk-15` of tokens_scale.css. Knows no node.
import { isNumber } from "../page/numbers.js";
import { count, fixed, modelChance, percent, surprise } from "./token_numbers.js";

/** @typedef {import("./token_rows.js").Token} Token */
/** @typedef {"probability" | "rank" | "entropy" | "surprise"} Mode */
/**
 * What is measured of a token; how strong that is, from 0 to 1; and the legend: figures, of which the last goes on where it
 * is `open`, in bits where `bits`.
 * @typedef {{value: (token: Token) => number | null, strength: (value: number) => number, show: (value: number) => string,
 *   ticks: number[], open: boolean, bits: boolean}} Scale
 */

const LEVELS = 16;
/** @param {number} n */
const whole = (n) => fixed(n, 0);
/** @type {Record<Mode, Scale>} */
export const SCALES = {
  probability: {
    value: modelChance,
    strength: (p) => 1 - p,
    show: percent,
    ticks: [1, 0.75, 0.5, 0.25, 0],
    open: false,
    bits: false,
  },
  rank: {
    value: (token) => token.rank,
    strength: (rank) => Math.log10(rank) / 3,
    show: count,
    ticks: [1, 10, 100, 1000],
    open: true,
    bits: false,
  },
  entropy: {
    value: (token) => token.entropy,
    strength: (entropy) => entropy / 8,
    show: whole,
    ticks: [0, 2, 4, 6, 8],
    open: true,
    bits: true,
  },
  surprise: { value: surprise, strength: (n) => n / 12, show: whole, ticks: [0, 3, 6, 9, 12], open: true, bits: true },
};
export const MODES = /** @type {Mode[]} */ (Object.keys(SCALES));

/** @param {number} strength */
const classAt = (strength) => `tk-${Math.min(Math.floor(Math.min(Math.max(strength, 0), 1) * LEVELS), LEVELS - 1)}`;
/**
 * The class of a token's colour.
 * @param {Mode} mode
 * @param {Token} token
 * @returns {string}
 */
export const colourOf = (mode, token) => {
  const value = SCALES[mode].value(token);
  return isNumber(value) ? classAt(SCALES[mode].strength(value)) : "tk-none";
};
/**
 * The figures of the legend with the classes of their colours.
 * @param {Mode} mode
 * @returns {{name: string, figure: string}[]}
 */
export const legendOf = (mode) => {
  const { ticks, strength, show, open } = SCALES[mode];
  return ticks.map((value, at) => ({
    name: classAt(strength(value)),
    figure: show(value) + (open && at === ticks.length - 1 ? "+" : ""),
  }));
};
