// What a visitor does to the versions of a card, and its being taken back: done, drawn, kept, and looked at.
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { t } from "../page/words.js";
import { drawCard, drawRun } from "./grid.js";
import { bringBack, doAgain, grew, prune, takeBack, walkTo } from "./history.js";
import { keepRuns } from "./kept_runs.js";
import { look } from "./looks.js";
import { drawPast } from "./results_bar.js";
import { isUnfolded, keepUnfolded } from "./run_head.js";
import { runs, shown, shownRun } from "./shown_runs.js";

/** @typedef {import("./runs").Version} Version */

const { element } = hostOf("cards");

export const save = () => keepRuns(runs, shown.at, isUnfolded());
/** @param {number} number */
const changed = (number) => {
  drawCard(number);
  drawPast();
  look(number);
  save();
};
/** @param {number} number @param {Version} one */
export const walk = (number, one) => {
  walkTo(shownRun(), number, one.id);
  changed(number);
};
/** @param {number} number @param {Version} one */
export const cut = (number, one) => {
  prune(shownRun(), number, one);
  changed(number);
};
/** @param {number} number @param {Version} one */
export const restore = (number, one) => {
  bringBack(shownRun(), number, one);
  changed(number);
};
/**
 * A version that a hand wrote. From here on the run is the visitor's own, also where it was an example.
 * @param {number} number
 * @param {Version} one
 */
export const add = (number, one) => {
  const run = shownRun();
  run.example = null;
  grew(run, number, one);
  changed(number);
};
/** @param {boolean} again done again, not taken back */
export const undo = (again) => {
  if (shown.growing || !runs.length) return;
  const step = again ? doAgain(shownRun()) : takeBack(shownRun());
  if (!step) return;
  keepUnfolded(step.run);
  drawRun();
  look(step.card);
  save();
  const what = t(`did_${step.what}`);
  find(element, ".results-voice").textContent = t(again ? "redo_what" : "undo_what", { what });
};
/**
 * Another run is shown.
 * @param {number} by how many it is newer
 */
export const turn = (by) => {
  shown.at += by;
  keepUnfolded(shownRun().id); // somebody wants to see it
  drawRun();
  look(0);
  save();
};
