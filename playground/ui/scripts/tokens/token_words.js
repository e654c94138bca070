// The words of one token view (tokens.py, waterfall.py) in the language of the page, with those that this one view has in
// place of its kind's: the prop `words`.
import words from "playground/data/token_words.js";
import { findAll } from "../page/dom.js";
import { say } from "../page/language.js";
import { filled } from "../page/text.js";

/** @typedef {import("../types").Text} Text */
/** @typedef {{t: import("./token_text.js").Translate, apply: (...roots: ParentNode[]) => void}} TokenWords */

/**
 * @param {keyof typeof words} kind
 * @param {Record<string, Text>} [replaced]
 * @returns {TokenWords} `t` says a key, with values for its places; `apply` fills in every node that carries a key
 */
export const wordsOf = (kind, replaced = {}) => {
  /** @type {Record<string, Text>} */
  const own = { ...words[kind], ...replaced };
  /** @type {import("./token_text.js").Translate} */
  const t = (key, values = {}) => filled(say(own[key] ?? key), values);
  return {
    t,
    apply: (...roots) => {
      for (const root of roots) {
        for (const node of findAll(root, "[data-w]")) node.textContent = t(node.dataset.w ?? "");
        for (const node of findAll(root, "[data-w-label]"))
          node.setAttribute("aria-label", t(node.dataset.wLabel ?? ""));
      }
    },
  };
};
