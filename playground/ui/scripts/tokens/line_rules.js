// What decides how tokens stand on a line: which way each is written, which are joined, and where a line ends. Knows no node.
import { direction } from "../page/direction.js";

const NUMBER = /\p{N}/u; // goes from left to right, as letters of most scripts do; other signs go with what is around them
const MARKS = "\\p{M}*";
const JOINS = new RegExp(`^${MARKS}[\\u0620-\\u06ff]`, "u");
const JOINED = new RegExp(`[\\u0620-\\u064a\\u066e-\\u06ff]${MARKS}$`, "u");
// Letters of Arabic script that are not joined to the next one.
const ALONE = "\\u0621-\\u0625\\u0627\\u0629\\u062f-\\u0632\\u0648\\u0671-\\u0677\\u0688-\\u0699";
const ALONE_TOO = "\\u06c0\\u06c3-\\u06cb\\u06cd\\u06cf\\u06d2-\\u06d5";
const ENDS = new RegExp(`[${ALONE}${ALONE_TOO}]${MARKS}$`, "u");

/**
 * Which way it must be held in a line of both directions; "" for signs that go with what is around them.
 * @param {string} text
 * @returns {string}
 */
export const wayOf = (text) => direction(text) || (NUMBER.test(text) ? "ltr" : "");
/**
 * Whether two texts are parts of one Arabic word whose letters are joined there.
 * @param {string} before
 * @param {string} text
 */
export const areJoined = (before, text) => JOINS.test(text) && JOINED.test(before) && !ENDS.test(before);
/** @param {{text: string}} token */
export const breaksLine = (token) => token.text.endsWith("\n");
