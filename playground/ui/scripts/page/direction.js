// Which way a text is written. The page is written from left to right. A visitor's or a model's text stands in an element
// with dir="auto" and takes its direction from itself; inside a sentence of the page it is isolated, so that it changes the
// place of nothing around it. Knows no words and no element.
const RTL = "\\u0590-\\u08ff\\u200f\\ufb1d-\\ufdff\\ufe70-\\ufefc\\u{10800}-\\u{10fff}\\u{1e800}-\\u{1efff}";
const ISOLATE = "\u2068"; // up to END; its direction is that of its first letter
const END = "\u2069";
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;
const letter = /[\p{L}\u200e\u200f]/u;
const turned = new RegExp(`[${RTL}\\u202a-\\u202e\\u2066-\\u2069]`, "u");
const rtl = new RegExp(`[${RTL}]`, "u");
// A quotation, or from the first to the last of such letters with no other letter between them.
const foreign = new RegExp(
  `“[^“”]*”|「[^「」]*」|(?<![\\p{L}\\p{N}])'[^']*'(?!\\p{L})|"[^"]*"|[${RTL}](?:(?:(?!\\p{L})[^\\n])*[${RTL}])*`,
  "gu",
);
/**
 * "rtl" or "ltr" by the first letter, as dir="auto" goes by it; "" for a text without letters.
 * @param {string} text
 * @returns {string}
 */
export const direction = (text) => {
  const first = letter.exec(text);
  return first ? (rtl.test(first[0]) ? "rtl" : "ltr") : "";
};
/**
 * A text to be put into a sentence.
 * @param {string} text
 * @returns {string}
 */
export const isolate = (text) => (turned.test(text) ? ISOLATE + text.replace(CONTROLS, "") + END : text);
/**
 * A sentence of the page that may hold somebody's text, in quotation marks or without.
 * @param {string} text
 * @returns {string}
 */
export const sentence = (text) => {
  if (!turned.test(text)) return text;
  return text.replace(foreign, (part) =>
    /^[“「'"]/.test(part) ? part[0] + isolate(part.slice(1, -1)) + part.at(-1) : isolate(part),
  );
};
