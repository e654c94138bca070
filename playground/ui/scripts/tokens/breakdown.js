// One token's way through the samplers, as waterfall.py gives it: what each part of it says, and which of them say nothing.
// Knows no node and no word.

/** @typedef {import("../types").Said} Said */
/** @typedef {import("./token_rows.js").Named} Named */
/**
 * A token's share of the probability before a stage and after it; `before` is null where there was no stage.
 * @typedef {Named & {before: number | null, after: number}} Chance
 */
/**
 * What one stage did. `alive` are the candidates before and after it, `mass` is the share of probability that it cut,
 * `entropy` in bits before and after; `filled` is the formula with this token's numbers.
 * @typedef {{stage: string, label: Said, formula: Said, filled?: Said, settings?: Record<string, unknown>,
 *   alive: [number, number], mass: number, entropy: [number, number], top: Chance[]}} Stage
 */
/**
 * What became of one candidate: `reason` says by what a stage removed it, `begins` whether an answer can begin with it.
 * @typedef {Named & {rank: number, p_model: number, p_after: number, reason?: Said, begins?: boolean}} Outcome
 */
/** @typedef {{token: Named, probability: number, lead: number}} RunnerUp */
/** `race` is null where nothing is drawn. @typedef {{token: Named, race: number | null, sentence: Said, runner_up: RunnerUp | null}} Draw */
/** A candidate of a token of which no more is known. @typedef {Named & {before: number, after: number | null}} Known */
/** @typedef {{run: string, row: number, position: number, token: Named | null, error: Said, known?: Known[]}} Place */
/**
 * @typedef {Place & {length?: number | null, live?: boolean, turned?: boolean, alive: number, entropy: number, model: (Named & {p: number})[],
 *   stages: Stage[], outcomes: Outcome[], forbidden?: Named[], kept_best: boolean, draw: Draw | null, note?: Said,
 *   asked: number | null, search?: string | null, branch: boolean, branch_reason: Said}} Breakdown
 */
/** A part of the way; a number is that of a stage. @typedef {"model" | "draw" | "alternatives" | number} Step */

const NOTHING = 1e-6; // less than any figure shows
const LONGEST = 60; // characters of a setting
const EMPTY = ['""', "[]", "{}", "null"];

/**
 * A panel that says why there is nothing to see has no stages.
 * @param {Place | Breakdown | null} value
 * @returns {value is Breakdown}
 */
export const isBreakdown = (value) => value !== null && "stages" in value;
/**
 * Whether it is what the knobs as they are now would have done, not those of the run.
 * @param {Place | Breakdown | null} value
 */
export const isTurned = (value) => isBreakdown(value) && Boolean(value.turned);
/**
 * The first stage whose settings are others than before; -1 where there is none.
 * @param {Place | Breakdown | null} before
 * @param {Breakdown} now
 */
export const turnedStage = (before, now) => {
  if (!isBreakdown(before)) return -1;
  const known = new Map(before.stages.map(({ stage, settings }) => [stage, JSON.stringify(settings)]));
  return now.stages.findIndex(({ stage, settings }) => known.get(stage) !== JSON.stringify(settings));
};
/**
 * The settings of a stage as they are shown: none that is empty, and of a long one, as a form may be, the beginning.
 * @param {Stage["settings"]} settings
 */
export const shownSettings = (settings = {}) =>
  Object.entries(settings).flatMap(([name, value]) => {
    const whole = JSON.stringify(value);
    if (EMPTY.includes(whole)) return [];
    return `${name} = ${whole.length > LONGEST ? `${[...whole].slice(0, LONGEST).join("")}…` : whole}`;
  });
/**
 * Whether a stage changed nothing; it takes one line then.
 * @param {Stage} stage
 */
export const isIdle = ({ alive, mass, top }) =>
  alive[0] === alive[1] && !mass && top.every((one) => Math.abs((one.before ?? 0) - one.after) < NOTHING);
/**
 * The tokens that it names.
 * @param {Pick<Breakdown, "token" | "model" | "outcomes">} value
 * @returns {Named[]}
 */
export const namedIn = ({ token, model, outcomes }) => [...(token ? [token] : []), ...model, ...outcomes];
/** @param {Stage} stage @returns {Said} */
export const labelOf = ({ label, stage }) => label || stage;
/**
 * Model, stages, draw and alternatives, in the order in which they stand.
 * @param {Pick<Breakdown, "stages" | "draw" | "note">} value
 * @returns {Step[]}
 */
export const stepsOf = (value) => [
  "model",
  ...value.stages.keys(),
  .../** @type {Step[]} */ (value.draw || value.note ? ["draw"] : []),
  "alternatives",
];
/**
 * Before and after, or once where both are written alike.
 * @param {string} before
 * @param {string} after
 */
export const change = (before, after) => (before === after ? after : `${before} → ${after}`);
/** @param {Chance} chance */
export const isRemoved = ({ before, after }) => before !== null && before > 0 && after === 0;
/**
 * The largest share of a chart, for which its widest bar stands.
 * @param {Chance[]} chances
 */
export const largest = (chances) => Math.max(0, ...chances.flatMap(({ before, after }) => [before ?? 0, after]));
/**
 * The one that was asked about first; the others as they came.
 * @param {Outcome[]} outcomes
 * @param {number | null} asked
 */
export const askedFirst = (outcomes, asked) => [
  ...outcomes.filter((one) => one.id === asked),
  ...outcomes.filter((one) => one.id !== asked),
];
/**
 * Whether it is the token that stands there.
 * @param {Named} one
 * @param {Pick<Place, "token">} place
 */
export const isChosen = (one, { token }) => Boolean(token && token.id !== null && token.id === one.id);
/**
 * Whether the knobs as they are now choose it.
 * @param {Named} one
 * @param {Breakdown} value
 */
const isDrawn = (one, { draw }) => Boolean(draw && draw.token.id !== null && draw.token.id === one.id);
/**
 * How the token that stands there is called: the knobs as they are now may choose another one.
 * @param {Named} one
 * @param {Place | Breakdown} value
 * @returns {"chosen" | "stands"}
 */
export const standing = (one, value) =>
  isBreakdown(value) && value.turned && value.draw && !isDrawn(one, value) ? "stands" : "chosen";
/**
 * The text that was asked about, where this is only its first token; "" otherwise.
 * @param {Outcome} outcome
 * @param {Pick<Breakdown, "asked" | "search">} value
 */
export const searchBegun = ({ id, text }, { asked, search }) =>
  search && id === asked && text !== search ? search : "";
/**
 * What may be said of how a candidate ended, where no stage says it: that it stands there, that it might have been drawn,
 * that the turned knobs choose it, or that it was not the best, since without a draw only the best can come. Null where
 * there is nothing to say.
 * @param {Outcome} outcome
 * @param {Breakdown} value
 * @returns {"chosen" | "instead" | "survived" | "not_best" | null}
 */
export const ending = (outcome, value) => {
  if (isChosen(outcome, value)) return outcome.begins ? "chosen" : null;
  if (isTurned(value) && isDrawn(outcome, value)) return "instead";
  if (!Number.isFinite(outcome.p_after)) return null;
  return value.draw && value.draw.race === null ? "not_best" : "survived";
};
/**
 * Whether one may go on from here with this candidate in place of the token; ahead of a run also with the likeliest.
 * @param {Outcome} outcome
 * @param {Breakdown} value
 */
export const isOffered = (outcome, value) => {
  if (isChosen(outcome, value) && !outcome.begins) return false;
  return value.branch !== false && outcome.begins !== false;
};
