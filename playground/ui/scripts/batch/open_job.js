// Which job is open, under which name its file is known here, and from which row on it is shown. Knows no element.

/** @typedef {import("../tasks").Task} Task */
/** @typedef {import("../types").Said} Said */
/**
 * @typedef {{task?: string, own?: string, mapping?: Record<string, string>, fixed?: Record<string, string>,
 *   values?: {n?: number}}} Plan what a job was run with; empty before
 * @typedef {{key: string, columns: string[], first: Record<string, string>, refused: {number: number, reason: Said}[],
 *   plan: Plan, own: Task | null}} Job as the server tells it: the cells of its first row, the first rows that are
 *   refused, and the visitor's own task that it was run with
 */

/** @type {Job | null} */
let job = null;
let fileName = "";
let first = 1;

export const openJob = () => job;
/** @param {Job} now */
export const setJob = (now) => {
  job = now;
};
export const nameOfFile = () => fileName;
/** @param {string} name */
export const setNameOfFile = (name) => {
  fileName = name;
};
/** The number of the first row that is shown. */
export const firstRow = () => first;
/** @param {number} row */
export const showFrom = (row) => {
  first = Math.max(1, row);
};
