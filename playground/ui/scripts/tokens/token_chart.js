// What charts of tokens are made of: a token by itself, and one bar. Knows no view; takes its words.
import { make } from "../page/dom.js";
import { isNumber } from "../page/numbers.js";
import { alone } from "./token_text.js";

/** @typedef {import("./token_rows.js").Named} Named */
/** @typedef {import("./token_text.js").Translate} Translate */

const THIN = 0.6; // percent of the width, for a share that is not nothing

/**
 * @param {Named} token
 * @param {Translate} t
 */
export const nameOf = (token, t) => {
  const names = token.special ? "wf-token wf-special" : "wf-token";
  return make("span", { class: names, dir: "auto", title: `id ${token.id}` }, alone(token, t));
};
/**
 * The share before as a pale bar, the share after as a full one on top of it.
 * @param {number | null | undefined} before
 * @param {number | null | undefined} after
 * @param {number} most the share of a bar that is as wide as it can be
 */
export const bar = (before, after, most) => {
  /** @param {string} name @param {number | null | undefined} share */
  const part = (name, share) => {
    const node = make("i", { class: name });
    const width = most > 0 && isNumber(share) ? Math.max(share > 0 ? THIN : 0, (share / most) * 100) : 0;
    node.style.width = `${width}%`;
    return node;
  };
  return make("span", { class: "wf-bar", "aria-hidden": "true" }, part("wf-before", before), part("wf-after", after));
};
