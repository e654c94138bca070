// Values of knobs: when two are the same, and what all of them are at neutral and in a preset. Knows no page.

/** @typedef {import("./knob").Knob} Knob */
/** @typedef {import("./knob").Values} Values */

/**
 * A value as text, the same for all that mean the same.
 * @param {any} value plain data
 * @returns {string}
 */
export const canonical = (value) => {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const parts = Object.keys(value).sort();
  return `{${parts.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
};
/**
 * @param {any} a
 * @param {any} b
 */
export const same = (a, b) => a === b || canonical(a) === canonical(b);
/**
 * @param {Knob} knob
 * @param {Values} values
 */
export const isNeutral = (knob, values) => same(values[knob.name], knob.neutral);
/**
 * At this temperature nothing is drawn.
 * @param {Knob} knob
 * @param {any} value
 */
export const isGreedy = (knob, value) => knob.name === "temperature" && value === 0;
/**
 * Every knob where it does nothing; what is a setting of the run stays.
 * @param {Knob[]} knobs
 * @param {Values} values
 * @returns {Values}
 */
export const neutralValues = (knobs, values) =>
  Object.fromEntries(knobs.map((knob) => [knob.name, knob.setting ? values[knob.name] : knob.neutral]));
/**
 * What "Restore preset" gives: all that the preset says, and neutral what it leaves out; the seed is no preset's.
 * @param {Knob[]} knobs
 * @param {Values} values
 * @param {Values | null | undefined} preset
 * @returns {Values}
 */
export const presetValues = (knobs, values, preset) => {
  const seeds = knobs.filter(({ kind }) => kind === "seed").map(({ name }) => [name, values[name]]);
  return { ...neutralValues(knobs, values), ...preset, ...Object.fromEntries(seeds) };
};
