// The line above the cards: what is going on or where an example is from, what can be taken back, and the way through the
// runs. Knows no card.
import { find, icon } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { sentence, t } from "../page/words.js";
import { lastOf, past } from "./history.js";
import { current, runs, shown } from "./shown_runs.js";
import { REDO, UNDO } from "./tools.js";

/** @typedef {import("../types").Said} Said */

const { element } = hostOf("cards");
/** Of what runs. @type {Said} */
let status = null;

export const drawTitle = () => {
  const run = current();
  const title = status ? sentence(status) : run?.example ? t("example", run.example) : "";
  const place = find(element, ".results-title");
  if (place.textContent === title) return;
  place.textContent = title;
  // A place in the line may come under a phone's bar of keys; what is wholly below is left to whoever scrolls.
  const inSight = place.getBoundingClientRect().top < window.innerHeight;
  if (status && typeof status !== "string" && inSight) place.scrollIntoView({ block: "nearest" });
};
/** @param {Said} said */
export const showStatus = (said) => {
  status = said;
  drawTitle();
};
/**
 * @param {"undo" | "redo"} name
 * @param {import("./history.js").Step | undefined} step
 */
const drawStep = (name, step) => {
  const button = find(element, `[name=${name}]`, HTMLButtonElement);
  const what = step ? t(`${name}_what`, { what: t(`did_${step.what}`) }) : t(name);
  button.disabled = !step || Boolean(shown.growing);
  button.title = what;
  button.setAttribute("aria-label", what);
  if (!button.firstChild) button.append(icon(name === "undo" ? UNDO : REDO));
};
export const drawPast = () => {
  const done = lastOf(past.done, current());
  const undone = lastOf(past.undone, current());
  drawStep("undo", done);
  drawStep("redo", undone);
  find(element, ".undo").hidden = !done && !undone;
};
export const drawWalk = () => {
  find(element, ".runs").hidden = runs.length < 2;
  find(element, ".runs output").textContent = t("run_of", { at: shown.at + 1, all: runs.length });
  find(element, "[name=run-back]", HTMLButtonElement).disabled = shown.at === 0;
  find(element, "[name=run-on]", HTMLButtonElement).disabled = shown.at === runs.length - 1;
};
