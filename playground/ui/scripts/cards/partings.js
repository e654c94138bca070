// Where two texts part: never in the middle of a word or of a character. Knows no drawing.
import { branchedFrom, parentOf } from "./versions.js";

/** @typedef {import("./runs").Version} Version */
/** @typedef {import("./runs").Card} Card */

const WORD = /[\p{L}\p{N}\p{M}]/u;
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const JOINED = /\p{M}|\u200d|\ufe0f/u;

/** @param {string} before @param {string} after */
const inWord = (before, after) =>
  WORD.test(before) && WORD.test(after) && !(SPACELESS.test(before) || SPACELESS.test(after));
/**
 * How long what two texts begin with is, in UTF-16 as a browser counts.
 * @param {string} one
 * @param {string} two
 */
export const partingOf = (one, two) => {
  const signs = [...one];
  const others = [...two];
  let at = 0;
  while (at < signs.length && signs[at] === others[at]) at += 1;
  /** @param {string[]} list */
  const cuts = (list) => at > 0 && at < list.length && (inWord(list[at - 1], list[at]) || JOINED.test(list[at]));
  while (at > 0 && at < Math.max(signs.length, others.length) && (cuts(signs) || cuts(others))) at -= 1;
  return signs.slice(0, at).join("").length;
};
/**
 * Where a version parts from the one it grew from, in its own text.
 * @param {Card} card
 * @param {Version} one
 */
export const partedAt = (card, one) => {
  if (one.kind === "first" || one.kind === "regenerate") return 0;
  const parent = parentOf(card, one);
  return one.offset ?? (parent ? partingOf(parent.text, one.text) : 0);
};
/**
 * Where two versions part: where one says it left the other, else where their texts do.
 * @param {Card} card
 * @param {Version} one
 * @param {Version} two
 */
export const partingAt = (card, one, two) => {
  const [older, newer] = branchedFrom(card, one) === two ? [two, one] : [one, two];
  const told = branchedFrom(card, newer) === older && newer.offset;
  return told && older.text.slice(0, told) === newer.text.slice(0, told) ? told : partingOf(one.text, two.text);
};
