// The knobs as Python tells of them (knobs.py): their records, groups, orders, stages and words.
import data from "playground/data/knobs.js";
import { say } from "../page/language.js";
import { filled } from "../page/text.js";

/** @typedef {import("./knob").Knob} Knob */

export const KNOBS = data.knobs;
export const GROUPS = data.groups;
export const LIMITS = data.limits;
export const STAGES = data.stages;
export const CHAIN = { stages: data.stages.map(({ name }) => name), orders: data.orders };

/** @type {Map<string, Knob>} */
const byName = new Map(KNOBS.map((knob) => [knob.name, knob]));
/** @param {string} name */
export const knobOf = (name) => byName.get(name);

/**
 * What the panel says under this key, in the language of the page.
 * @param {string} key
 * @param {Record<string, unknown>} [values] for the places in it
 * @returns {string}
 */
export const word = (key, values = {}) => filled(say(data.words[key]), values);
/**
 * What a key says in both languages.
 * @param {string} key
 */
export const inBoth = (key) => Object.values(data.words[key]);
