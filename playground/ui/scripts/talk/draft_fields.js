// The fields of the next message: what is typed there, and what is said of one that is wrong. Knows no turn.
import { find, findAll } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { sentence } from "../page/words.js";
import { showWrong } from "../page/wrong_field.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {import("./conversation.js").Draft} Draft */

const HIGHEST = 420; // pixels; what is longer scrolls
const { element } = hostOf("talk");
/** The field that something was said of, and what. @type {{name: string, text: Said} | null} */
let wrong = null;

/** @param {string} name */
const area = (name) => find(element, `textarea[name=${name}]`, HTMLTextAreaElement);
/**
 * As high as its text.
 * @param {HTMLElement} field
 */
export const grow = (field) => {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, HIGHEST)}px`;
};
/** @param {Draft} draft */
export const drawDraft = (draft) => {
  for (const [name, text] of Object.entries(draft)) {
    const field = area(name);
    if (field.value !== text) field.value = text;
    grow(field);
  }
};
export const focusMessage = () => area("message").focus();
/**
 * Says of a field what is wrong with it, or with null that nothing is any more.
 * @param {string} name
 * @param {Said} text
 * @returns {boolean} whether there is such a field
 */
export const complain = (name, text) => {
  if (text) wrong = { name, text };
  else if (wrong?.name === name) wrong = null;
  const field = element.querySelector(`[data-field="${CSS.escape(name)}"]`);
  if (!field) return false;
  field.classList.toggle("wrong", Boolean(text));
  const place = find(field, ".field-error");
  place.hidden = !text;
  place.textContent = sentence(text);
  find(field, "textarea").setAttribute("aria-invalid", String(Boolean(text)));
  return true;
};
/** The field of which something was said comes into sight. */
export const showComplaint = () => {
  const field = element.querySelector(".field.wrong");
  if (field) showWrong(field);
};
/** Nothing is said of any field. */
export const forgive = () => {
  for (const field of findAll(element, ".field.wrong")) complain(field.dataset.field ?? "", null);
};
/** In another language. */
export const complainAgain = () => {
  if (wrong) complain(wrong.name, wrong.text);
};
