// Knobs by text: what is typed to find one, best first, and which ones a sentence names. Knows no page.

/** @typedef {import("./knob").Knob} Knob */
/** @typedef {import("../types").Said} Said */

/** @param {string} text */
const plain = (text) =>
  text
    .toLowerCase()
    .replace(/[_\-\s]+/g, " ")
    .trim();
/** @param {Knob} knob */
const namesOf = ({ name, label }) => [name, label.en, label.zh].map(plain);
/** @type {WeakMap<Knob, {names: string[], all: string}>} */
const texts = new WeakMap();
/** @param {Knob} knob */
const textsOf = (knob) => {
  const known = texts.get(knob);
  if (known) return known;
  const names = namesOf(knob);
  const more = [knob.help.en, knob.help.zh, ...Object.entries(knob.elsewhere).flat()];
  const made = { names, all: [...names, plain(more.join(" "))].join(" ") };
  texts.set(knob, made);
  return made;
};
/**
 * How well a knob fits what is typed: 0 is its name, 1 how a name of it begins, 2 within one, 3 all words within one, 4 in
 * what is said of it; Infinity where it does not fit.
 * @param {Knob} knob
 * @param {string} typed
 * @returns {number}
 */
export const rank = (knob, typed) => {
  const wanted = plain(typed);
  const words = wanted.split(" ").filter(Boolean);
  const { names, all } = textsOf(knob);
  if (!words.length) return 0;
  if (names.includes(wanted)) return 0;
  if (names.some((name) => name.startsWith(wanted))) return 1;
  if (names.some((name) => name.includes(wanted))) return 2;
  if (names.some((name) => words.every((word) => name.includes(word)))) return 3;
  return words.every((word) => all.includes(word)) ? 4 : Number.POSITIVE_INFINITY;
};
/**
 * The best first, those that fit alike in the order they had.
 * @template T
 * @param {T[]} list
 * @param {(one: T) => number} rankOf
 * @returns {T[]}
 */
export const ranked = (list, rankOf) => [...list].sort((a, b) => rankOf(a) - rankOf(b) || 0);

/** @param {string} text */
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
/**
 * Which knobs a sentence names, by name or label.
 * @param {Knob[]} knobs
 * @param {Said} told
 * @returns {string[]}
 */
export const namedIn = (knobs, told) => {
  const sentence = typeof told === "string" ? told : (told?.en ?? "");
  const names = (/** @type {string} */ one) => new RegExp(`(?<![\\w-])${escaped(one)}(?![\\w-])`, "iu").test(sentence);
  return knobs.filter(({ name, label }) => names(name) || names(label.en)).map(({ name }) => name);
};
