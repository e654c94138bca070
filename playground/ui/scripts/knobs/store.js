// The values of all knobs on this page, and what Python said of them. A change is told to the server, to the elements of
// the page and to the panel's view. Knows no row.
import { tell } from "../page/board.js";
import { hostOf } from "../page/element.js";
import { KNOBS, knobOf } from "./registry.js";
import { isGreedy, isNeutral as neutralIn, neutralValues, presetValues, same } from "./values.js";

/** @typedef {import("./knob").Knob} Knob */
/** @typedef {import("./knob").Values} Values */
/** @typedef {import("../types").Said} Said */

const { props, trigger } = hostOf("knobs");
const LET_GO = 600; // milliseconds after which a knob is in nobody's hand any more
/** @type {Values} */
let values = { ...props.value };
/** By name: the last value that was not neutral. @type {Values} */
const lasts = {};
/** The knob that a person moves at this moment. @type {string | null} */
let held = null;
/** @type {number | undefined} */
let release;
let turns = 0; // how often knobs were turned here
/** By name: the turn that was its last. @type {Record<string, number>} */
const turnedAt = {};
let since = 0; // the last turn before Python was asked for other values
/** @type {(names: string[], byHand: boolean) => void} */
let show = () => {};

/** @param {string} name */
export const valueNow = (name) => values[name];
export const valuesNow = () => values;
/** @param {Knob} knob */
export const isNeutral = (knob) => neutralIn(knob, values);
/**
 * Why a knob does nothing, where it does nothing.
 * @param {string} name
 * @returns {Said}
 */
export const inertReason = (name) => props.inert?.[name];
/** @param {Knob} knob */
const hasEffect = (knob) => {
  const master = knob.needs ? knobOf(knob.needs) : undefined;
  return !inertReason(knob.name) && !(master && isNeutral(master));
};
/** @param {Knob} knob */
export const isActive = (knob) => !knob.setting && !isNeutral(knob) && hasEffect(knob);
/**
 * Whether a stage of the chain acts now. At temperature 0 there is nothing left to divide by.
 * @param {string} stage
 */
export const actsNow = (stage) =>
  knobsOfStage(stage).some((knob) => isActive(knob) && !isGreedy(knob, values[knob.name]));
/** @param {string} stage */
export const knobsOfStage = (stage) => KNOBS.filter((knob) => knob.stage === stage && !knob.needs);

const remember = () => {
  for (const knob of KNOBS) if (!isNeutral(knob)) lasts[knob.name] = values[knob.name];
};
/**
 * The last value that was not neutral; undefined where there was none.
 * @param {string} name
 */
export const lastTurned = (name) => lasts[name];
/**
 * What "On" gives: the last value, else the preset's or the default, where it is not neutral.
 * @param {Knob} knob
 * @returns {any} undefined where there is none
 */
export const lastOf = (knob) =>
  lasts[knob.name] ??
  [props.preset_values?.[knob.name], knob.default].find((value) => value !== undefined && value !== knob.neutral);
/**
 * @param {string} name
 * @param {any} value
 */
export const setLast = (name, value) => {
  lasts[name] = value;
};

/**
 * While a person drags or types, what Python sends does not reach that knob.
 * @param {string} name
 * @param {boolean} down
 */
export const hold = (name, down) => {
  clearTimeout(release);
  if (down) held = name;
  else
    release = setTimeout(() => {
      held = null;
    }, LET_GO);
};

/** @param {string[]} names */
const note = (names) => {
  turns += 1;
  for (const name of names) turnedAt[name] = turns;
};
/**
 * One knob is turned.
 * @param {string} name
 * @param {any} value
 */
export const turn = (name, value) => {
  const knob = knobOf(name);
  if (!knob) return;
  values = { ...values, [name]: value };
  note([name]);
  props.value = values;
  if (!same(value, knob.neutral)) lasts[name] = value;
  if (held !== name) {
    hold(name, true);
    hold(name, false);
  }
  show([name], true);
  tell("knobs", values);
  trigger("input", { name });
};
/** @param {Values} next */
const turnAll = (next) => {
  if (same(next, values)) return;
  const names = differing(next);
  values = next;
  note(Object.keys(values));
  props.value = values;
  remember();
  show(names, false);
  tell("knobs", values);
  trigger("input", {});
};
/** @param {Values} next */
const differing = (next) => Object.keys(next).filter((name) => !same(next[name], values[name]));
const ofPreset = () => presetValues(KNOBS, values, props.preset_values);
/** Whether something differs from the preset. */
export const isChanged = () => Boolean(props.preset_values) && !same(values, ofPreset());
export const restorePreset = () => turnAll(ofPreset());
export const neutralize = () => turnAll(neutralValues(KNOBS, values));

/** Python is asked for other values: what is turned from now on is not replaced by its answer. */
export const awaitValues = () => {
  since = turns;
};
/** @param {string} name */
const isMine = (name) => name === held || (turnedAt[name] ?? 0) > since;
/** Values from Python, except for knobs that a person is moving at this moment or has turned since it was asked. */
const receive = () => {
  const sent = { ...values, ...props.value };
  const mine = differing(sent).filter(isMine);
  const next = { ...sent, ...Object.fromEntries(mine.map((name) => [name, values[name]])) };
  const names = differing(next);
  values = next;
  if (mine.length) props.value = values;
  if (!names.length) return;
  remember();
  show(names, false);
  tell("knobs", values);
};
/**
 * @param {(names: string[], byHand: boolean) => void} listener is told which knobs have another value, and whether one was
 *   turned
 */
export const begin = (listener) => {
  const { watch } = hostOf("knobs");
  show = listener;
  remember();
  watch("value", receive);
  tell("knobs", values);
};
