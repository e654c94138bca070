// The language of the page, and texts in both. Knows no key of the word list.
import { tell } from "./board.js";
import { store, stored } from "./kept.js";

/** @typedef {import("../types").Language} Language */
/** @typedef {import("../types").Said} Said */

const KEY = "playground-language";
/** @type {Record<Language, string>} */
const TAGS = { en: "en", zh: "zh-CN" };

/** @returns {Language} */
const chosen = () => {
  const before = stored(KEY);
  if (before === "en" || before === "zh") return before;
  const browser = (navigator.languages?.[0] || navigator.language || "en").toLowerCase();
  return browser.startsWith("zh") ? "zh" : "en";
};
let now = chosen();

const mark = () => {
  document.documentElement.lang = TAGS[now];
};
mark();
// Gradio's page writes the language of the browser there as it starts.
new MutationObserver(() => {
  if (document.documentElement.lang !== TAGS[now]) mark();
}).observe(document.documentElement, { attributeFilter: ["lang"] });

/** @returns {Language} */
export const language = () => now;
/** @param {Language} wanted */
export const setLanguage = (wanted) => {
  now = wanted;
  store(KEY, wanted);
  mark();
  tell("language", wanted);
};
/**
 * A text in the language of the page; "" for nothing.
 * @param {Said} text
 * @returns {string}
 */
export const say = (text) => {
  if (text === null || text === undefined) return "";
  return typeof text === "string" ? text : (text[now] ?? text.en ?? "");
};
