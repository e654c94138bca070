// The figures of a token, and how the token views write them: what is not known is a dash, never a zero. Knows no node.
import { isNumber, number } from "../page/numbers.js";

/** @typedef {import("./token_rows.js").Token} Token */
/** @typedef {import("./token_text.js").Translate} Translate */
/** @typedef {number | null | undefined} Figure */

const NONE = "–";

/** @param {Figure} value @returns {string} */
export const count = (value) => (isNumber(value) ? number(value) : NONE);
/** @param {Figure} value @param {number} digits @returns {string} */
export const fixed = (value, digits) => (isNumber(value) ? value.toFixed(digits) : NONE);
/**
 * With fewer digits the larger it is; what is not quite 0 or 100 is not written as it.
 * @param {Figure} share
 * @returns {string}
 */
export const percent = (share) => {
  if (!isNumber(share)) return NONE;
  const value = share * 100;
  if (value === 0) return "0\u00a0%";
  if (value < 0.01) return "<0.01\u00a0%";
  if (value > 99.9 && share < 1) return ">99.9\u00a0%";
  return `${value.toFixed(value >= 10 ? 0 : value >= 1 ? 1 : 2)}\u00a0%`;
};
/** @param {Figure} value @param {Translate} t @param {number} [digits] @returns {string} */
export const bits = (value, t, digits = 2) => (isNumber(value) ? t("bits", { n: fixed(value, digits) }) : NONE);

/**
 * The probability that the model gave it.
 * @param {Pick<Token, "logprob">} token
 * @returns {number | null}
 */
export const modelChance = ({ logprob }) => (isNumber(logprob) ? Math.exp(logprob) : null);
/**
 * In bits.
 * @param {Pick<Token, "logprob">} token
 * @returns {number | null}
 */
export const surprise = ({ logprob }) => (isNumber(logprob) ? Math.max(0, -logprob / Math.LN2) : null);
