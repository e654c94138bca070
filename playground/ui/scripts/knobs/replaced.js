// What a press replaced: with another task, another kind of text or another preset come other knobs. Which have another
// value since is said in one sentence, with the way back. Told to the page as `replaced`; it stands until the next run.
import { on, tell } from "../page/board.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { KNOBS, word } from "./registry.js";
import { valuesNow } from "./store.js";
import { valueText } from "./value_text.js";
import { same } from "./values.js";

/** @typedef {import("./knob").Knob} Knob */
/** @typedef {import("../tasks").LeftKnobs} LeftKnobs */

const { props } = hostOf("knobs");
const NAMED = 4; // knobs in the sentence
const LONGEST = 24; // characters of a value in it
/** The knobs as somebody has pressed, until others have come. @type {LeftKnobs | null} */
let awaited = null;
/** What was replaced, which knobs differ, and what took their place. @type {{left: LeftKnobs, changed: Knob[], now: import("./knob").Values} | null} */
let replaced = null;

/** @param {Knob} knob @param {any} value @param {number} most characters */
const shown = (knob, value, most) => {
  const text = knob.off && value === knob.neutral ? word("off") : valueText(knob, value);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
};
/** @param {number} [count] knobs that are named @param {number} [most] characters of a value */
const changes = (count = Number.POSITIVE_INFINITY, most = Number.POSITIVE_INFINITY) => {
  if (!replaced) return [];
  const { left, changed, now } = replaced;
  return changed.slice(0, count).map((knob) => {
    const [was, is] = [left.knobs, now].map((values) => shown(knob, values[knob.name], most));
    return word("replaced_value", { label: say(knob.label), was, is });
  });
};
/** Says it in the language of the page. */
export const tellReplaced = () => {
  if (!replaced) {
    tell("replaced", null);
    return;
  }
  const count = replaced.changed.length;
  const named = changes(NAMED, LONGEST);
  if (count > NAMED) named.push(word("replaced_more", { n: count - NAMED }));
  const text = word("replaced", { count, list: named.join(word("replaced_comma")) });
  tell("replaced", { text, all: changes().join("\n"), undo });
};
const forget = () => {
  awaited = null;
  if (!replaced) return;
  replaced = null;
  tellReplaced();
};
const undo = () => {
  if (!replaced) return;
  const { left, changed } = replaced;
  forget();
  const before = Object.fromEntries(changed.map(({ name }) => [name, left.knobs[name]]));
  tell("bring_back", { knobs: { ...valuesNow(), ...before }, preset: left.preset });
};

/** Somebody presses what brings its own knobs along: those that are here now will have been replaced. */
export const awaitOthers = () => {
  forget();
  awaited = { knobs: valuesNow(), preset: props.active_preset };
};
/**
 * Knobs have other values.
 * @param {boolean} byHand one of them was turned
 */
export const heardValues = (byHand) => {
  const left = awaited;
  awaited = null; // a hand was faster: what it turned is not to be undone
  if (!left || byHand) return;
  const now = valuesNow();
  const changed = KNOBS.filter(({ name }) => !same(left.knobs[name], now[name]));
  if (!changed.length) return;
  replaced = { left, changed, now };
  tellReplaced();
};
/** What was asked for has come, as soon as the panel has taken it; the same values are no news. */
export const awaitNoMore = () => {
  const left = awaited;
  setTimeout(() => {
    if (awaited === left) awaited = null;
  });
};
export const begin = () => {
  on("replacing", awaitOthers, "replaced");
  on("restore", forget, "replaced");
  on("run", ({ asked }) => asked && forget(), "replaced");
  on(
    "wishing",
    (wishing) => {
      if (!wishing) awaitNoMore();
    },
    "replaced",
  );
};
