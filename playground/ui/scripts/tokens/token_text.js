// A token's text made visible: inside the running text, by itself, and for a voice. Knows no node; takes its words.
import { onOneLine, unhidden } from "../page/visible.js";

/** @typedef {import("./token_rows.js").Named} Named */
/** @typedef {(key: string, values?: Record<string, unknown>) => string} Translate */

/**
 * Inside the running text: a line break is drawn and still breaks the line; spaces show where there is nothing else.
 * @param {Named} token
 * @returns {string}
 */
export const inText = (token) => {
  if (token.text === "") return token.special ? "⟨∎⟩" : "◦";
  const text = /^[ \u00a0\u3000]+$/.test(token.text) ? "·".repeat(token.text.length) : token.text;
  return unhidden(text.replace(/\r\n?/g, "\n")).replace(/\n/g, "↵\n").replace(/\t/g, "⇥\t");
};
// How bytes that are no whole character are written: by us (rendering/detokenize.py), and by some vocabularies.
const BYTES = /⟨[0-9A-F]{2}(?: [0-9A-F]{2})*⟩|^<0x[0-9A-F]{2}>$/;
/**
 * Whether it is only a part of a character, and so has no text of its own.
 * @param {Named} token
 */
export const isPart = ({ text, special }) => !special && (text === "" || BYTES.test(text));
/**
 * By itself, in a list or on a button.
 * @param {Named} token
 * @param {Translate} t
 * @returns {string}
 */
export const alone = (token, t) => {
  if (token.text === "") return token.special ? t("end") : "◦";
  return onOneLine(token.text);
};
/**
 * For a voice.
 * @param {Named} token
 * @param {Translate} t
 * @returns {string}
 */
export const spoken = (token, t) => {
  if (token.special) return t("special", { text: token.text || t("end") });
  if (token.text === "") return t("no_text");
  if (/\S/.test(token.text)) return unhidden(token.text).trim();
  if (/\n/.test(token.text)) return t("line_break");
  return /\t/.test(token.text) ? t("tab") : t("space");
};
