// A job in words, and its rows as a table, drawn. Knows no element.
import { direction } from "../page/direction.js";
import { make } from "../page/dom.js";
import { say } from "../page/language.js";
import { number } from "../page/numbers.js";
import { sentence, t } from "../page/words.js";
import { ended, stageOf, usable } from "./status.js";

/** @typedef {import("./status.js").Row} Row */
/** @typedef {import("./status.js").Stage} Stage */
/** @typedef {import("./status.js").Status} Status */

const STATES = {
  waiting: "batch_is_waiting",
  done: "batch_is_done",
  failed: "batch_is_failed",
  refused: "batch_is_refused",
};
const COLUMNS = ["batch_row", "batch_input", "batch_state", "batch_text"];
const LONG = 100; // seconds from which on minutes are said

/** @param {number} seconds */
const time = (seconds) =>
  seconds < LONG
    ? t("batch_seconds", { count: Math.ceil(seconds) })
    : t("batch_minutes", { count: Math.round(seconds / 60) });
/** @param {Status} status */
const standing = (status) => {
  const all = usable(status);
  const stage = stageOf(status);
  if (stage === "new") return all ? t("batch_rows", { count: number(all) }) : t("batch_none");
  return t(`batch_${stage}`, { done: number(ended(status)), all: number(all) });
};
/** @param {Status} status */
export const wordsOf = (status) =>
  [
    standing(status),
    status.failed ? t("batch_failed", { count: number(status.failed) }) : "",
    status.refused ? t("batch_refused", { count: number(status.refused), all: number(status.all) }) : "",
    sentence(status.strayed),
    status.running && typeof status.left === "number" ? t("batch_left", { time: time(status.left) }) : "",
    status.running && status.speed ? t("speed", { count: number(status.speed, 1) }) : "",
    status.pausing ? t("batch_pausing") : "",
  ]
    .filter(Boolean)
    .join(" · ");
/**
 * The cells of a row in one line, each for itself.
 * @param {string[]} cells
 */
const inputOf = (cells) =>
  make(
    "div",
    { class: "batch-input", dir: direction(cells.join(" ")) || null },
    ...cells.flatMap((cell, at) => (at ? [" · ", make("bdi", {}, cell)] : [make("bdi", {}, cell)])),
  );
/**
 * @param {Row} row
 * @param {Stage} stage
 */
const drawRow = (row, stage) => {
  const state = t(row.state === "waiting" && stage === "new" ? "batch_is_new" : STATES[row.state]);
  const texts = row.texts.map((one) => make("div", { dir: "auto" }, say(one)));
  const remark = row.remark ? make("p", { class: "remark" }, sentence(row.remark)) : null;
  return make(
    "tr",
    { class: row.state },
    make("td", {}, String(row.number)),
    make("td", {}, inputOf(row.input)),
    make("td", {}, state),
    make("td", {}, row.reason ? sentence(row.reason) : null, ...texts, remark),
  );
};
/**
 * @param {Status} status
 * @returns {HTMLElement[]} a table, where there are rows
 */
export const drawTable = (status) => {
  if (!status.rows.length) return [];
  const names = COLUMNS.map((name) => make("th", { scope: "col" }, t(name)));
  const rows = status.rows.map((row) => drawRow(row, stageOf(status)));
  return [make("table", {}, make("thead", {}, make("tr", {}, ...names)), make("tbody", {}, ...rows))];
};
