// What is wrong with a field of Play's form, said beneath it. Knows no task and no rule.
import { find, findAll } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { sentence } from "../page/words.js";
import { showWrong } from "../page/wrong_field.js";

/** @typedef {import("../types").Said} Said */

const { element } = hostOf("compose");
/** The field that something was said of, and what. @type {{name: string, text: Said} | null} */
let wrong = null;

/** @param {string} name */
const fieldNamed = (name) => element.querySelector(`.compose-kind:not([hidden]) [data-field="${CSS.escape(name)}"]`);
/**
 * Says it, or takes it back.
 * @param {string} name of the field
 * @param {Said} text
 * @returns {boolean} whether there is such a field to say it at
 */
export const complain = (name, text) => {
  if (text) wrong = { name, text };
  else if (wrong?.name === name) wrong = null;
  const field = fieldNamed(name);
  if (!field) return false;
  field.classList.toggle("wrong", Boolean(text));
  const place = find(field, ".field-error");
  place.hidden = !text;
  place.textContent = sentence(text);
  field.querySelector("input, textarea, select")?.setAttribute("aria-invalid", String(Boolean(text)));
  return true;
};
/** The field of which something was said comes into sight. */
export const showComplaint = () => {
  const field = wrong && fieldNamed(wrong.name);
  if (field) showWrong(field);
};
/** Once the fields are drawn anew. */
export const complainAgain = () => {
  if (wrong) complain(wrong.name, wrong.text);
};
export const calm = () => {
  for (const field of findAll(element, ".field.wrong")) complain(field.dataset.field ?? "", null);
};
