// Where a job stands, and what can be done with it there. Pure: knows no page.

/** @typedef {import("../types").Said} Said */
/**
 * @typedef {{number: number, input: string[], state: "waiting" | "done" | "failed" | "refused", texts: Said[],
 *   reason: Said, remark: Said}} Row of the file: the first cells, and what became of it
 * @typedef {{all: number, done: number, failed: number, refused: number, waiting: number, planned: boolean,
 *   running: boolean, rows: Row[], pausing?: boolean, speed?: number | null, left?: number | null, strayed?: Said,
 *   error?: Said}} Status `rows` are those of the page that is shown, `left` seconds; `refused` rows cannot be run
 * @typedef {Status & {key: string, first: number, seen: string, same?: boolean, asks?: boolean}} Told as the server tells
 *   it: `same` says that nothing of it has changed, `asks` whether results may be deleted
 * @typedef {"new" | "running" | "paused" | "ended"} Stage
 */

export const PAGE = 50; // rows

/** Before the server has told of it. @type {Status} */
export const NOTHING = {
  all: 0,
  done: 0,
  failed: 0,
  refused: 0,
  waiting: 0,
  planned: false,
  running: false,
  rows: [],
};
/**
 * Rows that can be run.
 * @param {Pick<Status, "all" | "refused">} status
 */
export const usable = (status) => status.all - status.refused;
/**
 * Rows with a result.
 * @param {Pick<Status, "done" | "failed">} status
 */
export const ended = (status) => status.done + status.failed;
/**
 * Paused is a job of which rows are left, and nothing runs.
 * @param {Pick<Status, "running" | "planned" | "waiting">} status
 * @returns {Stage}
 */
export const stageOf = (status) => {
  if (status.running) return "running";
  if (!status.planned) return "new";
  return status.waiting > 0 ? "paused" : "ended";
};
/**
 * The buttons of the bar by name, and whether each is shown.
 * @param {Status} status
 * @returns {Record<string, boolean>}
 */
export const buttonsOf = (status) => {
  const stage = stageOf(status);
  return {
    pause: stage === "running",
    halt: stage === "running",
    resume: stage === "paused",
    retry: !status.running && status.failed > 0,
    csv: ended(status) > 0,
    jsonl: ended(status) > 0,
    run: stage !== "running",
  };
};
/**
 * How much of a job is over, in percent.
 * @param {Status} status
 */
export const percentOf = (status) => (100 * ended(status)) / Math.max(1, usable(status));
/**
 * Which rows a page shows that begins with this one, and which pages there are beside it.
 * @param {number} first
 * @param {number} all
 */
export const pageOf = (first, all) => ({
  from: first,
  to: Math.min(first + PAGE - 1, all),
  earlier: first > 1,
  later: first + PAGE <= all,
  several: all > PAGE,
});
