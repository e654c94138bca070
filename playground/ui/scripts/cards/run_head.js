// The head of a run: what it was made of, so that nothing stands unnamed, and the way back to its settings. A run of another
// task than the one that is open folds under it. Knows no card.
import { tell } from "../page/board.js";
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { t } from "../page/words.js";
import { now } from "./form_now.js";
import { isFolded, isOfForm, subjectOf } from "./run_about.js";
import { current, holds, runs, shown, shownRun } from "./shown_runs.js";
import { version } from "./versions.js";

/** @typedef {import("./runs").Run} Run */

const { element } = hostOf("cards");
/** The knobs of a run come back: what they did in it is asked for again once they have. */
let restoring = false;
/** The run that is shown although the form is about something else. @type {string | null} */
let unfolded = null;

/** @param {Run} run */
const isApart = (run) => isFolded(run, { form: now.form, unfolded, growing: shown.growing });
/** @param {Run} run */
const subjectWords = (run) => {
  const { title, asked } = subjectOf(run);
  const parts = [say(title), asked ? t("quoted", { text: asked }) : ""];
  return parts.filter(Boolean).join(language() === "zh" ? "" : " ");
};
/** @param {number | undefined} at */
const timeOf = (at) => {
  if (!at) return "";
  const locale = language() === "zh" ? "zh-CN" : "en-GB";
  return new Date(at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
};
/** @param {Run} run */
const wordsOf = (run) => {
  const { path } = version(run.cards[0]);
  return [
    t("run_number", { n: runs.indexOf(run) + 1 }),
    subjectWords(run),
    run.about?.model,
    path ? t(`path_${path}`) : "",
    say(run.about?.preset_title),
    t("some_texts", { count: run.cards.length }),
    timeOf(run.about?.at),
  ].filter(Boolean);
};
/**
 * What knobs did in a run is not said beside a form that is about something else.
 * @param {boolean} other
 */
const noteApart = (other) => {
  const { looked } = shown;
  const talk = now.form.kind === "talk";
  const apart = Boolean(looked) && (holds(looked?.run) ? other || talk : !talk);
  document.querySelector("#knobs")?.classList.toggle("apart", apart);
};
export const drawHead = () => {
  const run = current();
  const named = Boolean(run && !run.example);
  const other = Boolean(run) && isApart(/** @type {Run} */ (run));
  find(element, ".run-head").hidden = !named;
  find(element, ".results").classList.toggle("other", other);
  find(element, ".results-unchecked").hidden = !named || other;
  noteApart(other);
  if (!run || !named) return;
  find(element, ".run-name").replaceChildren(...wordsOf(run).map((part) => make("bdi", {}, part)));
  find(element, "[name=restore]").hidden = !run.about?.knobs;
  find(element, "[name=copy-all]").hidden = run.cards.length < 2 || other;
  const show = find(element, "[name=unfold]");
  show.hidden = isOfForm(run, now.form) || Boolean(shown.growing);
  show.textContent = t(other ? "show_run" : "fold_run");
  show.setAttribute("aria-expanded", String(!other));
};
/**
 * This run stays unfolded.
 * @param {string} run
 */
export const keepUnfolded = (run) => {
  unfolded = run;
};
/** Whether the run that is shown was unfolded by hand. */
export const isUnfolded = () => Boolean(unfolded) && unfolded === current()?.id;
/** The form is about something else now: what was unfolded beside the one before folds again. */
export const foldAgain = () => {
  unfolded = null;
};
export const unfold = () => {
  const { id } = shownRun();
  unfolded = unfolded === id ? null : id;
  drawHead();
};
export const restoreRun = () => {
  const { request, about } = shownRun();
  if (!about?.knobs) return;
  unfolded = null;
  restoring = true;
  tell("restore", { request, task: about.task, knobs: about.knobs, preset: about.preset });
};
/**
 * Whether the knobs of a run have just come back.
 * @param {boolean} wishing some are still asked for
 */
export const haveComeBack = (wishing) => {
  if (wishing || !restoring) return false;
  restoring = false;
  return true;
};
