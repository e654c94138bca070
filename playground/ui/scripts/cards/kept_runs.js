// The runs over a reload of this tab: kept by the browser for this tab alone, never sent anywhere, gone when it closes.
// Knows no drawing. Not kept as kept.js keeps things: as many runs as fit, and anybody may have written what is found.
import { past } from "./history.js";
import { byId } from "./versions.js";

/** @typedef {import("./runs").Run} Run */
/** @typedef {import("./history.js").Step} Step */

const KEPT = "playground-cards";
const MOST_KEPT = 1_500_000; // characters; browsers give a tab about five million

/** @param {any} value @param {(one: any) => boolean} check */
const isListOf = (value, check) => Array.isArray(value) && value.every(check);
/** @param {unknown} value */
const isText = (value) => typeof value === "string";
/** @param {any} one */
const isVersion = (one) =>
  Boolean(one) && isText(one.id) && isText(one.text) && (one.parent === null || isText(one.parent));
/** @param {any} card */
const isCard = (card) =>
  Boolean(card) &&
  isListOf(card.versions, isVersion) &&
  card.versions.length > 0 &&
  isListOf(card.gone, isText) &&
  card.versions.some((/** @type {any} */ one) => one.id === card.at && !card.gone.includes(one.id));
/** @param {any} run */
const isRun = (run) =>
  Boolean(run) && isText(run.id) && Boolean(run.request) && isListOf(run.cards, isCard) && run.cards.length > 0;
/** @param {any} step */
const isStep = (step) =>
  Boolean(step) &&
  isText(step.run) &&
  Number.isInteger(step.card) &&
  isText(step.what) &&
  isListOf(step.show, isText) &&
  isListOf(step.hide, isText) &&
  isText(step.from) &&
  isText(step.to);

/**
 * Keeps the newest runs that fit; a run is kept whole or not at all.
 * @param {Run[]} runs
 * @param {number} at the run that is shown
 * @param {boolean} unfolded whether it is shown beside a form that is about something else
 */
export const keepRuns = (runs, at, unfolded) => {
  const own = runs.filter((run) => !run.example);
  const told = own.map((run) => JSON.stringify(run));
  let first = own.length;
  for (let room = MOST_KEPT; first > 0 && told[first - 1].length <= room; first -= 1) room -= told[first - 1].length;
  const kept = own.slice(first);
  /** @param {Step[]} list */
  const steps = (list) => list.filter((step) => kept.some((run) => run.id === step.run));
  const rest = {
    at: Math.max(own.indexOf(runs[at]) - first, 0),
    unfolded,
    past: { done: steps(past.done), undone: steps(past.undone) },
  };
  try {
    if (!kept.length) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, `{"runs":[${told.slice(first).join()}],${JSON.stringify(rest).slice(1)}`);
  } catch {
    // no room, or a browser that keeps nothing: the runs end with the page
  }
};
/**
 * Of steps that were kept, those whose card and versions are there.
 * @param {any} list
 * @param {Run[]} runs
 * @returns {Step[]}
 */
const soundSteps = (list, runs) => {
  if (!isListOf(list, isStep)) return [];
  return list.filter((/** @type {Step} */ step) => {
    const card = runs.find((run) => run.id === step.run)?.cards[step.card];
    return card && [...step.show, ...step.hide, step.from, step.to].every((id) => byId(card, id));
  });
};
/**
 * The runs as they were, with what was done to them; null where nothing sound was kept. A text that was being written when
 * the page went was stopped by that.
 * @returns {{runs: Run[], at: number, unfolded: boolean} | null}
 */
export const keptRuns = () => {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (!kept || !isListOf(kept.runs, isRun) || !kept.runs.length) return null;
    /** @type {Run[]} */
    const runs = kept.runs;
    past.done = soundSteps(kept.past?.done, runs);
    past.undone = soundSteps(kept.past?.undone, runs);
    for (const one of runs.flatMap(({ cards }) => cards).flatMap(({ versions }) => versions)) one.finish ??= "stopped";
    const last = runs.length - 1;
    const at = Number.isInteger(kept.at) ? Math.min(Math.max(kept.at, 0), last) : last;
    return { runs, at, unfolded: kept.unfolded === true };
  } catch {
    return null;
  }
};
