// What was done to the versions of cards, to be taken back and done again. Knows no drawing; the runs come with each call.
import { branchedFrom, grownFrom, isGone, live, pruned, version } from "./versions.js";

/** @typedef {import("./runs").Version} Version */
/** @typedef {import("./runs").Card} Card */
/** @typedef {import("./runs").Run} Run */
/**
 * Something that was done to a card of a run.
 * @typedef {object} Step
 * @property {string} run
 * @property {number} card
 * @property {string} what
 * @property {string[]} show versions that came
 * @property {string[]} hide versions that went
 * @property {string} from
 * @property {string} to
 */

/** Newest last. @type {{done: Step[], undone: Step[]}} */
export const past = { done: [], undone: [] };
const MOST_DONE = 200;

/** @param {Card} card @param {{show: string[], hide: string[]}} change @param {string} to */
const apply = (card, { show, hide }, to) => {
  card.gone = [...card.gone.filter((id) => !show.includes(id)), ...hide];
  card.at = to;
  if (isGone(card, version(card))) card.at = (live(card)[0] ?? card.versions[0]).id; // never something that is not there
};
/**
 * Steps of the same kind on one card, such as walking through its versions, are one step for Undo.
 * @param {Run} run
 * @param {number} number the card
 * @param {string} what
 * @param {{show?: string[], hide?: string[], to: string}} change
 */
const did = (run, number, what, { show = [], hide = [], to }) => {
  const card = run.cards[number];
  const last = past.done.at(-1);
  const from = card.at;
  past.undone = past.undone.filter((step) => step.run !== run.id);
  if (what === "walk" && last?.what === "walk" && last.run === run.id && last.card === number) last.to = to;
  else past.done.push({ run: run.id, card: number, what, show, hide, from, to });
  past.done.splice(0, past.done.length - MOST_DONE);
  apply(card, { show, hide }, to);
};
/** @param {Run} run @param {number} number @param {string} id */
export const walkTo = (run, number, id) => {
  if (id !== run.cards[number].at) did(run, number, "walk", { to: id });
};
/**
 * A version that was just generated or written becomes the one that is shown.
 * @param {Run} run
 * @param {number} number
 * @param {Version} one
 */
export const grew = (run, number, one) => {
  const card = run.cards[number];
  card.versions.push(one);
  did(run, number, one.kind, { show: [one.id], to: one.id });
};
/**
 * What grew from a version that is taken away goes too.
 * @param {Run} run
 * @param {number} number
 * @param {Version} one
 */
export const prune = (run, number, one) => {
  const card = run.cards[number];
  const hide = pruned(card, one).map((other) => other.id);
  const left = live(card).filter((other) => !hide.includes(other.id));
  const place = card.versions.indexOf(one);
  const near = branchedFrom(card, one) ?? left.findLast((other) => card.versions.indexOf(other) < place) ?? left[0];
  did(run, number, "prune", { hide, to: hide.includes(card.at) ? near.id : card.at });
};
/** @param {Run} run @param {number} number @param {Version} one */
export const bringBack = (run, number, one) => {
  const card = run.cards[number];
  const back = grownFrom(card, one).filter((other) => isGone(card, other));
  did(run, number, "restore", { show: back.map((other) => other.id), to: one.id });
};
/**
 * The newest of these steps that was done to this run.
 * @param {Step[]} steps
 * @param {Run | undefined} run
 */
export const lastOf = (steps, run) => steps.findLast((step) => step.run === run?.id);
/**
 * @param {Step[]} from
 * @param {Step[]} to
 * @param {Run} run
 */
const moveLast = (from, to, run) => {
  const step = lastOf(from, run);
  if (step) to.push(...from.splice(from.lastIndexOf(step), 1));
  return step;
};
/**
 * The last step of a run taken back; tells which it was, undefined where nothing is left. Other runs keep theirs.
 * @param {Run} run
 */
export const takeBack = (run) => {
  const step = moveLast(past.done, past.undone, run);
  if (step) apply(run.cards[step.card], { show: step.hide, hide: step.show }, step.from);
  return step;
};
/**
 * And done again.
 * @param {Run} run
 */
export const doAgain = (run) => {
  const step = moveLast(past.undone, past.done, run);
  if (step) apply(run.cards[step.card], step, step.to);
  return step;
};
