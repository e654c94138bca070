// The runs whose candidates stand on cards, and which of them is shown. Knows no element: others ask here whether a run is
// one of the cards'.

/** @typedef {import("./runs").Run} Run */

/** Oldest first; or the worked example alone. @type {Run[]} */
export const runs = [];
/**
 * What is shown of them.
 * @type {{at: number, growing: string | null, looked: import("./runs").Look | null, coming: boolean}}
 */
export const shown = {
  at: 0,
  growing: null, // the run that the server is sending
  looked: null, // whose tokens are shown below
  coming: false, // an example is on its way, and none is shown
};
/** The run that is shown. @returns {Run | undefined} */
export const current = () => runs[shown.at];
/**
 * The run that is shown, where there must be one: somebody pressed something on it.
 * @returns {Run}
 */
export const shownRun = () => {
  const run = current();
  if (!run) throw new Error("No run is shown.");
  return run;
};
/** @param {number} number of a card of the run that is shown */
export const shownCard = (number) => shownRun().cards[number];
/**
 * Whether a card has a version that this run wrote.
 * @param {string | null | undefined} run
 */
export const holds = (run) =>
  runs.some(({ cards }) => cards.some(({ versions }) => versions.some((one) => one.run === run || one.id === run)));
/**
 * Which candidate a text of a run is called, from 1: by its card, also where it is a later version of it.
 * @param {string | undefined} run
 * @param {number} row
 */
export const candidateOf = (run, row) => {
  for (const { cards } of runs) {
    const at = cards.findIndex(({ versions }) => versions.some((one) => one.run === run && one.row === row));
    if (at >= 0) return at + 1;
  }
  return row + 1;
};
/** Whether there is a run that is no worked example. */
export const hasOwn = () => runs.some((run) => !run.example);
