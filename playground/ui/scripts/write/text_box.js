// Fields of a form that hold a text, made and kept as high as it. Knows no draft.
import { make } from "../page/dom.js";
import { t } from "../page/words.js";

/**
 * @param {string} key of the word list
 * @param {Node} control
 */
export const labelled = (key, control) =>
  make("label", { class: "field" }, make("span", { class: "field-label" }, t(key)), control);
/**
 * @param {HTMLTextAreaElement} area
 * @param {number} [most] pixels
 */
export const grow = (area, most = 640) => {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, most)}px`;
};
/**
 * @param {string} name
 * @param {string} text
 * @param {number} rows
 * @param {number} most characters
 */
export const box = (name, text, rows, most) => {
  const made = make("textarea", { name, rows, dir: "auto", maxlength: most });
  made.value = text;
  return made;
};
/**
 * @param {string} name
 * @param {string} text
 * @param {number} most characters
 * @param {string} [hint]
 */
export const line = (name, text, most, hint) => {
  const made = make("input", { name, dir: "auto", maxlength: most, placeholder: hint });
  made.value = text;
  return made;
};
/**
 * @param {string} name
 * @param {string} key of the word list
 * @param {import("../page/dom.js").Attributes} [more]
 */
export const press = (name, key, more = {}) =>
  make("button", { type: "button", class: "quiet", name, ...more }, t(key));
