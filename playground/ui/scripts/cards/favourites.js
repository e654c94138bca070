// The texts that a visitor keeps, as plain data: newest first, each text of a seed once. Knows no storage and no drawing.

/** @typedef {import("../types").Said} Said */
/** @typedef {import("../topics").Kind} Kind */
/**
 * `task` is the title of the task it was written for; `day` as in 2026-01-31.
 * @typedef {{text: string, task: Said, kind: Kind | null, model: string, seed: number | null, day: string}} Favourite
 */
/** By what it is known again: two candidates may say the same. @typedef {Pick<Favourite, "text" | "seed">} Known */

export const MOST = 100;
const KINDS = ["task", "complete", "chat", "talk"];
const DAY = /^\d{4}-\d\d-\d\d$/;

/** @param {any} value @returns {value is string} */
const isText = (value) => typeof value === "string";
/** @param {any} value @returns {Said} */
const saidOf = (value) => {
  if (isText(value)) return value;
  return isText(value?.en) && isText(value?.zh) ? { en: value.en, zh: value.zh } : null;
};
/** @param {any} one @returns {Favourite} */
const sound = ({ text, task, kind, model, seed, day }) => ({
  text,
  task: saidOf(task),
  kind: KINDS.includes(kind) ? kind : null,
  model: isText(model) ? model : "",
  seed: Number.isSafeInteger(seed) ? seed : null,
  day: isText(day) && DAY.test(day) && !Number.isNaN(Date.parse(day)) ? day : "",
});
/** @param {Known} one @param {Known} other */
const isSame = (one, other) => one.text === other.text && one.seed === other.seed;
/**
 * @param {Favourite[]} list
 * @param {Known} one
 */
export const has = (list, one) => list.some((other) => isSame(one, other));
/**
 * What was kept, as far as it is sound: anybody may have written it.
 * @param {string | null} kept
 * @returns {Favourite[]}
 */
export const readFavourites = (kept) => {
  try {
    const found = JSON.parse(kept ?? "[]");
    if (!Array.isArray(found)) return [];
    const texts = found.filter((one) => isText(one?.text) && one.text.trim()).map(sound);
    return texts.filter((one, at) => texts.findIndex((other) => isSame(one, other)) === at).slice(0, MOST);
  } catch {
    return [];
  }
};
/**
 * With one more; the oldest falls out where there are too many.
 * @param {Favourite[]} list
 * @param {Favourite} one
 */
export const withOne = (list, one) => [one, ...without(list, one)].slice(0, MOST);
/**
 * @param {Favourite[]} list
 * @param {Known} one
 */
export const without = (list, one) => list.filter((other) => !isSame(one, other));
