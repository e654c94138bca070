// Values that are written as text: texts with escapes, token ids, lists of them, biases. What cannot be read is undefined.
// Knows no page.

/** @type {Record<string, string>} */
const ESCAPES = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\" };
/** @type {Record<string, string>} */
const UNESCAPES = { n: "\n", t: "\t", r: "\r", "\\": "\\" };

/** @param {string} text */
export const showText = (text) => text.replace(/[\n\t\r\\]/g, (sign) => ESCAPES[sign]);
/** @param {string} shown */
export const readText = (shown) => shown.replace(/\\([ntr\\])/g, (_, sign) => UNESCAPES[sign]);
/**
 * One text a line.
 * @param {string} shown
 */
export const readTexts = (shown) =>
  shown
    .split("\n")
    .filter((line) => line !== "")
    .map(readText);
/** @param {string[]} texts */
export const showTexts = (texts) => texts.map(showText).join("\n");

/**
 * @param {string} typed
 * @param {number} largest
 * @returns {string | undefined} written in one way
 */
export const readId = (typed, largest) =>
  /^\s*\d{1,10}\s*$/.test(typed) && Number(typed) <= largest ? String(Number(typed)) : undefined;
/**
 * @param {string} text
 * @param {number} largest
 * @returns {number[] | undefined}
 */
export const readIds = (text, largest) => {
  const parts = text.replace(/^\s*\[|\]\s*$/g, "").split(/[\s,，、]+/);
  const ids = parts.filter((part) => part !== "").map((part) => readId(part, largest));
  return ids.every((id) => id !== undefined) ? ids.map(Number) : undefined;
};
/**
 * "[1, 2], [3]", the same in outer brackets, or one list a line without any.
 * @param {string} text
 * @param {number} largest
 * @returns {number[][] | undefined}
 */
export const readIdLists = (text, largest) => {
  const written = text.trim().replace(/，/g, ",");
  if (written === "") return [];
  if (!written.includes("[")) return filledLists(written.split(/[\n;；]+/).map((line) => readIds(line, largest)));
  try {
    const read = JSON.parse(/^\[\s*(\[|\]$)/.test(written) ? written : `[${written}]`);
    return filledLists(read.map((/** @type {any} */ list) => listOfIds(list, largest)));
  } catch {
    return undefined; // not closed yet, or no list of numbers
  }
};
/** @param {any} list @param {number} largest */
const listOfIds = (list, largest) => (Array.isArray(list) ? readIds(JSON.stringify(list), largest) : undefined);
/**
 * @param {(number[] | undefined)[]} lists
 * @returns {number[][] | undefined} undefined where one of them is, or is empty
 */
const filledLists = (lists) => (lists.every((list) => list?.length) ? /** @type {number[][]} */ (lists) : undefined);
/** @param {number[][]} lists */
export const showIdLists = (lists) => lists.map((list) => `[${list.join(", ")}]`).join(", ");

/**
 * @param {string} typed
 * @param {number} most how far from 0
 * @returns {number | undefined}
 */
export const readBias = (typed, most) => {
  const number = Number(typed);
  return typed.trim() !== "" && Number.isFinite(number) && Math.abs(number) <= most ? number : undefined;
};
