// Which tokens stand in the chart of what the model expected. Knows no node.
import { modelChance } from "../tokens/token_numbers.js";

/** @typedef {import("../tokens/token_rows.js").Token} Token */
/** @typedef {import("../tokens/token_rows.js").Alternative} Alternative */

/**
 * The likeliest, and the token itself behind them where it is none of these.
 * @param {Token} token
 * @returns {Alternative[]}
 */
export const expectedOf = (token) => {
  const list = token.top.map((one) => (one.id === token.id ? { ...token, p: one.p } : one));
  return list.some((one) => one.id === token.id) ? list : [...list, { ...token, p: modelChance(token) }];
};
