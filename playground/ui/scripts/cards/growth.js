// What the server tells of a run: how it begins, as cards of its own or as a version of one, grows and ends. The server only
// sends the run that grows; what stands here is all that there is of the others.
import { tell } from "../page/board.js";
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { isOneColumn } from "../page/screen.js";
import { save } from "./changes.js";
import { aboutNow, now } from "./form_now.js";
import { decideHidden, drawCard, drawCards, drawRun, freeHeights, heights, keepHeights, lockHeight } from "./grid.js";
import { grew } from "./history.js";
import { forgetLook } from "./looks.js";
import { turnedSince } from "./other_knobs.js";
import { drawPast } from "./results_bar.js";
import { drawHead } from "./run_head.js";
import { current, runs, shown } from "./shown_runs.js";
import { asVersion, cardOf, writerOf } from "./versions.js";

/** @typedef {import("./runs").News} News */
/** @typedef {import("./runs").Run} Run */
/** @typedef {import("./runs").Version} Version */
/** @typedef {{run: Run, number: number, one: Version}} Place the version that a row of a run writes, and its card */

const { element } = hostOf("cards");
/** By run. @type {Map<string, Place[]>} */
const begun = new Map();
let heard = 0; // the number of the newest news

/** @param {News} news @param {NonNullable<News["target"]>} target @returns {Place[] | null} */
const beginVersion = (news, target) => {
  const run = runs.find((one) => one.id === target.run);
  if (!run?.cards[target.card]) return null;
  run.example = null; // from here on it is the visitor's own
  if (current() !== run) {
    shown.at = runs.indexOf(run);
    drawRun();
  }
  lockHeight(target.card);
  const one = asVersion(news.rows[0], { id: `${news.run}:0`, run: news.run, parted: news.parted });
  one.turned = turnedSince(run.about?.knobs, now.knobs);
  const first = run.cards[target.card].versions.find(({ model }) => model);
  if (first && (first.model !== one.model || first.revision !== one.revision)) one.otherModel = true;
  grew(run, target.card, one);
  return [{ run, number: target.card, one }];
};
/** @param {News} news @returns {Place[]} */
const beginRun = (news) => {
  if (runs.length === 1 && runs[0].example) runs.pop();
  const before = heights();
  const versions = news.rows.map((row, at) => asVersion(row, { id: `${news.run}:${at}`, run: news.run, at }));
  const about = { ...aboutNow(), model: writerOf(versions[0]) || now.model };
  const run = { id: news.run, request: news.request, cards: versions.map(cardOf), about };
  runs.push(run);
  shown.at = runs.length - 1;
  drawRun();
  keepHeights(before);
  return versions.map((one, number) => ({ run, number, one }));
};
/** The form takes one line a part while there is something to read. */
const foldForm = () => document.querySelector("#compose")?.classList.add("folded");
/** @param {News} news */
const begin = (news) => {
  forgetLook();
  const places = news.target ? beginVersion(news, news.target) : beginRun(news);
  if (!places) return false;
  begun.set(news.run, places);
  shown.growing = news.run;
  foldForm();
  drawHead();
  drawCards();
  drawPast();
  // The form is above, out of sight.
  if (isOneColumn() && !news.target) find(element, ".results").scrollIntoView({ block: "start" });
  return true;
};
/**
 * A run that was stopped for another one may still send its last words: they go to the version that they belong to.
 * @param {News} news
 */
const grow = (news) => {
  const fresh = !begun.has(news.run);
  if (fresh && !begin(news)) return;
  const places = begun.get(news.run) ?? [];
  for (const [at, row] of news.rows.entries()) {
    const { run, number, one } = places[at];
    Object.assign(one, row);
    if (!fresh && run === current()) drawCard(number, one);
  }
};
/**
 * Nothing grows any more; what was not told to have ended ended like this.
 * @param {string} [finish]
 */
export const settle = (finish = "stopped") => {
  shown.growing = null;
  drawHead();
  freeHeights();
  for (const { one } of [...begun.values()].flat()) one.finish ??= finish;
  drawCards();
  decideHidden();
  drawPast();
  save();
};
/** @param {News} news */
export const receive = (news) => {
  if (news.number <= heard) return;
  heard = news.number;
  if (news.rows.length) grow(news);
  const over = news.phase === "done" || news.phase === "refused";
  if (over) settle();
  if (news.error) tell("complaint", { ...news.error });
  const seed = news.rows[0]?.seed ?? undefined;
  tell("run", { running: !over, status: news.status, notice: news.notice, seed });
};
