// The value of a knob in words, on one line.
import { say } from "../page/language.js";
import { word } from "./registry.js";
import { same } from "./values.js";
import { showText } from "./written.js";

/** @typedef {import("./knob").Knob} Knob */

/** @param {any} item */
const itemText = (item) => (typeof item === "string" ? showText(item) : JSON.stringify(item));
/**
 * @param {Knob} knob
 * @param {any} value
 * @returns {string}
 */
export const valueText = (knob, value) => {
  if (typeof value === "boolean") return word(value ? "on" : "off");
  if (value === "" || same(value, []) || same(value, {})) return word("empty");
  if (Array.isArray(value)) return value.map(itemText).join("  ");
  if (typeof value === "object") return JSON.stringify(value);
  return knob.choice_labels[value] ? say(knob.choice_labels[value]) : itemText(value);
};
