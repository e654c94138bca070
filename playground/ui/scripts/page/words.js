// The page's own words by their keys (page_texts.py and its like), in the language of the page.
import words from "playground/data/words.js";
import { latest } from "./board.js";
import * as bidi from "./direction.js";
import { say } from "./language.js";
import { filled } from "./text.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {import("../types").Text} Text */

/**
 * What a key stands for in both languages, for what is said later.
 * @param {string} key
 * @returns {Text}
 */
export const both = (key) => words[key];
/**
 * @param {string} key
 * @param {Record<string, unknown>} [values] for the places in it
 * @returns {string}
 */
export const t = (key, values) => {
  const said = say(words[key] ?? key);
  return values ? filled(said, values) : said;
};
/**
 * What the server says, which may hold somebody's text.
 * @param {Said} text
 * @returns {string}
 */
export const sentence = (text) => bidi.sentence(say(text));
/**
 * A sentence of the server, where it is that of one of these keys, in the language of the page.
 * @param {string} told
 * @param {string[]} keys
 * @returns {string}
 */
export const translate = (told, keys) => {
  const key = keys.find((one) => Object.values(words[one]).includes(told));
  return key === undefined ? told : say(words[key]);
};
/**
 * How a text ended; one that was cut off as the server went says that only while the server is gone.
 * @param {string} finish
 * @returns {string}
 */
export const ending = (finish) => {
  const there = (latest("connection")?.state ?? "there") === "there";
  return t(finish === "gone" ? (there ? "finish_cut_off" : "finish_gone") : `finish_${finish}`);
};
/**
 * Fills in every node below that carries a key of the word list.
 * @param {ParentNode} root
 */
export const apply = (root) => {
  /** @param {string} attribute @param {(node: HTMLElement, key: string) => void} put */
  const each = (attribute, put) => {
    for (const node of root.querySelectorAll(`[${attribute}]`)) {
      put(/** @type {HTMLElement} */ (node), node.getAttribute(attribute) ?? "");
    }
  };
  each("data-t", (node, key) => {
    node.textContent = t(key);
  });
  each("data-t-placeholder", (node, key) => node.setAttribute("placeholder", t(key)));
  each("data-t-label", (node, key) => node.setAttribute("aria-label", t(key)));
  each("data-t-title", (node, key) => {
    node.title = t(key);
  });
};
