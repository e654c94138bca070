// Settings of a training as they are typed, and as the server takes them. Pure: knows no page.
import { plainNumber } from "../page/typed_numbers.js";

/** @typedef {import("../training").TrainSetting} TrainSetting */
/** @typedef {import("../training").TrainPreset} TrainPreset */
/** @typedef {Record<string, any>} Values by the name of the setting */

/**
 * What a field says, as the setting takes it; what is no number goes on as it is, to be refused by name.
 * @param {TrainSetting} setting
 * @param {string | boolean} typed
 */
export const typedValue = (setting, typed) => {
  if (setting.kind === "bool") return typed === true;
  const text = String(typed).trim();
  if (setting.kind !== "int" && setting.kind !== "float") return text;
  const plain = plainNumber(text);
  return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : text;
};
/**
 * All values of a preset: what it does not name has its default.
 * @param {TrainSetting[]} settings
 * @param {Values} values
 * @returns {Values}
 */
export const completed = (settings, values) =>
  Object.fromEntries(settings.map(({ name, default: usual }) => [name, values[name] ?? usual]));
/**
 * The preset that these values are; null where they are none.
 * @param {TrainSetting[]} settings
 * @param {TrainPreset[]} presets
 * @param {Values} values
 * @returns {TrainPreset | null}
 */
export const presetOf = (settings, presets, values) =>
  presets.find((one) => {
    const all = completed(settings, one.values);
    return settings.every(({ name }) => values[name] === all[name]);
  }) ?? null;
/**
 * Whether a setting acts beside these values of the others.
 * @param {TrainSetting} setting
 * @param {Values} values
 */
export const acts = ({ needs }, values) => !needs || values[needs.name] === needs.value;
/**
 * The settings in which trainings differ: of each its name, and what each of them has, "" for the default.
 * @template {{ changed: { name: string, label: any, value: any }[] }} View
 * @param {View[]} views
 * @returns {{ name: string, label: any, values: (any | null)[] }[]}
 */
export const differences = (views) => {
  /** @type {Map<string, { name: string, label: any, values: (any | null)[] }>} */
  const found = new Map();
  views.forEach(({ changed }, at) => {
    for (const { name, label, value } of changed) {
      const row = found.get(name) ?? { name, label, values: views.map(() => null) };
      row.values[at] = value;
      found.set(name, row);
    }
  });
  return [...found.values()].filter(({ values }) => new Set(values.map((one) => one?.en ?? "")).size > 1);
};
