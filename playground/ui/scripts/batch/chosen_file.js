// The file that was chosen and is no job yet: sent in pieces, asked about where it does not tell how to read it.
import { isolate } from "../page/direction.js";
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { bytes, number } from "../page/numbers.js";
import { PIECE, readPiece } from "../page/pieces.js";
import { t } from "../page/words.js";
import { drawTasks, firstTask } from "./chosen_task.js";
import { wonder } from "./doubt.js";
import { fail } from "./notices.js";
import { nameOfFile, openJob } from "./open_job.js";
import { isRunning, isSaved, results } from "./progress.js";

/** @typedef {{file: File, at: number, reading: Record<string, string>, busy: boolean}} Sending `reading` is what was said
 *   of how to read it, `busy` while it is on its way */

const { element, props, trigger } = hostOf("batch");
/** @type {Sending | null} */
let sending = null;
let aside = false; // the job is not shown while this file is spoken of

export const isSending = () => sending !== null;
export const isAside = () => aside;
const knownName = () => nameOfFile() || t("batch_unnamed");

/** The name of the file that is spoken of: of the one that was sent last, or of the job that stands below. */
export const drawFile = () => {
  const job = openJob();
  const name = sending ? sending.file.name : nameOfFile();
  const columns = !sending && job?.columns.length ? job.columns.map(isolate).join(", ") : "";
  const place = find(element, ".batch-file");
  place.hidden = !sending && !job;
  find(place, "b").textContent = name || t("batch_unnamed");
  find(place, "b").hidden = Boolean(sending?.busy);
  const words = sending?.busy ? t("batch_sending", { name }) : columns && t("batch_columns", { names: columns });
  find(place, "span").textContent = words;
  find(element, ".batch-job").hidden = !job || aside;
  const last = find(element, "[name=last-file]");
  last.hidden = !job || !aside || Boolean(sending?.busy);
  last.textContent = t("batch_back", { name: knownName() });
};
/** What has to be said of a file before it can be read: it is sent again with each answer. */
export const drawChoices = () => {
  const { option, choices } = props.job?.ask ?? {};
  const place = find(element, ".batch-choices");
  place.hidden = !option;
  place.replaceChildren(
    ...(choices ?? []).map((/** @type {{value: string, label: import("../types").Said}} */ one) =>
      make(
        "button",
        { type: "button", class: "halt", name: "choose", "data-option": option, value: one.value },
        say(one.label),
      ),
    ),
  );
};
/** It is on its way no more, since the server has said something of it. */
export const sendingEnds = () => {
  if (sending) sending = { ...sending, busy: false };
};
/** @param {number} from */
const sendPiece = async (from) => {
  if (!sending) return;
  const { file, reading, at } = sending;
  try {
    const data = await readPiece(file, from);
    if (sending?.at === at) trigger("piece", { ...reading, at, name: file.name, size: file.size, from, data });
  } catch {
    sendingEnds();
    fail(t("batch_unreadable"));
    drawFile();
  }
};
/**
 * @param {File} file
 * @param {Record<string, string>} [reading]
 */
const send = (file, reading = {}) => {
  fail(null);
  const large = file.size > props.most.bytes;
  sending = { file, reading, at: Date.now(), busy: !large };
  aside = openJob() !== null;
  if (large) fail(t("batch_too_large", { size: bytes(file.size), most: bytes(props.most.bytes) }));
  else sendPiece(0);
  drawFile();
};
/** The server has taken a piece. @param {{at: number, from: number} | null} told */
export const sendNext = (told) => {
  if (sending && told?.at === sending.at) sendPiece(told.from + PIECE);
};
/** @param {HTMLButtonElement} answer to what was asked of the file */
export const sendAgain = (answer) => {
  if (sending) send(sending.file, { ...sending.reading, [answer.dataset.option ?? ""]: answer.value });
};
/**
 * Takes a file, once it is clear that no results are lost by it.
 * @param {File} file
 */
export const take = (file) => {
  const job = openJob();
  const goes = () => {
    const now = openJob();
    if (now && isRunning()) trigger("halt", { key: now.key });
    send(file);
  };
  if (!job || !(isRunning() || (results() && !isSaved()))) {
    goes();
    return;
  }
  wonder({
    place: ".batch-drop",
    says: isRunning() ? "batch_sure_running" : "batch_sure_file",
    does: "batch_do_file",
    act: goes,
    values: () => ({ name: knownName(), count: number(results()) }),
  });
};
export const takeExample = () => {
  drawTasks(firstTask());
  take(new File([t("batch_example_rows")], t("batch_example_file"), { type: "text/csv" }));
};
/** The job is shown again. */
export const goBack = () => {
  [sending, aside] = [null, false];
  find(element, ".batch-choices").hidden = true;
  fail(null);
  drawFile();
};
/** It has become a job: gives the name that it had, if it was sent from here. */
export const becomesJob = () => {
  const name = sending?.file.name;
  [sending, aside] = [null, false];
  return name;
};
