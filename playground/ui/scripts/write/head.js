// What is typed of a draft: its title, its plan and so on, the next heading, and what is carried in front of the next
// section, which is the server's until somebody changes it.
import { find, findAll } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { number } from "../page/numbers.js";
import { drawModelRemark } from "../page/remark.js";
import { t } from "../page/words.js";
import { changedTexts } from "./draft.js";
import { openDraft } from "./open_draft.js";
import { grow } from "./text_box.js";

/** @typedef {import("./draft.js").Head} Head */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */

const { element, props } = hostOf("write");
let own = false; // what is carried was changed by hand

/**
 * @param {string} name
 * @returns {Field}
 */
const field = (name) => find(element, `[data-head][name=${name}]`);
/** @returns {Field[]} */
const fields = () => findAll(element, "[data-head]");
/** @param {Field} one */
const wordsIn = (one) => (one.name !== "carried" || own ? one.value : "");

/** What was typed here and is not the server's. */
export const changes = () => {
  const texts = Object.fromEntries(fields().map((one) => [one.name, wordsIn(one)]));
  return changedTexts(texts, openDraft()?.head);
};
export const isBlank = () => fields().every((one) => one.name === "language" || !wordsIn(one).trim());
export const nextHeading = () => field("heading").value;
export const clearHeading = () => {
  field("heading").value = "";
};
export const focusTitle = () => field("title").focus();

const growPlan = () => grow(find(element, "[name=plan]", HTMLTextAreaElement));
/** As the server has it. */
export const fillHead = () => {
  for (const one of fields()) {
    if (one.name === "carried") continue;
    one.value = openDraft()?.head[one.name] ?? (one.name === "language" ? language() : "");
  }
  growPlan();
};
/**
 * As it was typed and not sent.
 * @param {Head} words
 */
export const takeUpHead = (words) => {
  for (const one of fields()) if (typeof words[one.name] === "string") one.value = words[one.name];
  own = Boolean(words.carried);
  growPlan();
};
/**
 * What another tab has changed stands here too, but not where something was typed since.
 * @param {Head} before
 * @param {Head} now
 */
export const followHead = (before, now) => {
  for (const one of fields()) {
    const followed = one.name !== "carried" && one !== document.activeElement && one.value === before[one.name];
    if (followed) one.value = now[one.name];
  }
};
/** A draft that has not begun is written in the language of the page. */
export const followLanguage = () => {
  if (!openDraft()) field("language").value = language();
};
/** @param {boolean} now */
export const setOwn = (now) => {
  own = now;
};
export const clearCarried = () => {
  own = false;
  field("carried").value = "";
};
export const drawCarried = () => {
  const draft = openDraft();
  const told = draft?.carried;
  const area = field("carried");
  if (told && document.activeElement !== area) area.value = told.text;
  find(element, ".write-own").hidden = !own;
  find(element, "[name=reset]").hidden = !own;
  find(element, ".write-over").hidden = !told?.over;
  const count = find(element, ".write-count");
  const figures = () => t("count", { used: number(told?.tokens), context: number(told?.context) });
  count.textContent = told && told.tokens !== null ? figures() : say(told?.uncounted);
  count.classList.toggle("over", Boolean(told?.over));
  drawModelRemark(find(element, ".remark"), draft?.remark);
};
/** How much fits into each field. */
export const limitHead = () => {
  for (const [name, most] of Object.entries(props.heads)) field(name).setAttribute("maxlength", String(most));
};
