// What the watermark's detector found, as it stands under the form. Knows no form and no question.
import { make } from "../page/dom.js";
import { say } from "../page/language.js";
import { sentence, t } from "../page/words.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {{label: Said, value: Said}} Figure */
/**
 * As detection_value of reader.py gives it, or only why there is none.
 * @typedef {object} Verdict
 * @property {number | null} asked which question it answers
 * @property {Said} [error]
 * @property {Said} [sentence]
 * @property {boolean} [found]
 * @property {Figure[]} [numbers]
 * @property {Figure[]} [used] the knobs that it was reached with
 */

/** @param {(string | Node)[]} said */
const note = (...said) => make("p", { class: "verdict-note" }, ...said);
/**
 * Draws it there.
 * @param {HTMLElement} box
 * @param {Verdict} verdict
 * @param {boolean} stale it is of another text than the form's
 */
export const drawVerdict = (box, verdict, stale) => {
  box.classList.toggle("wrong", Boolean(verdict.error));
  box.classList.toggle("found", Boolean(verdict.found));
  box.classList.toggle("stale", stale);
  box.replaceChildren(make("p", {}, sentence(verdict.error ?? verdict.sentence)));
  if (verdict.error) return;
  const { numbers = [], used = [] } = verdict;
  const figures = numbers.map((one) => make("div", {}, make("dt", {}, say(one.label)), make("dd", {}, say(one.value))));
  box.append(
    make("dl", { class: "verdict-numbers" }, ...figures),
    note(t("detect_figures")),
    note(t("detect_used"), " ", used.map((one) => `${say(one.label)} ${say(one.value)}`).join(" · ")),
    note(t("detect_note")),
  );
};
