// The open job while it runs and afterwards: its bar, its rows and its buttons. The server is asked for its state with
// `follow` again and again while it runs, and some time after a question that nobody answered.
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { number } from "../page/numbers.js";
import { sentence, t } from "../page/words.js";
import { doubted, settle, wonder } from "./doubt.js";
import { wishOf } from "./form.js";
import { fail } from "./notices.js";
import { firstRow, openJob, showFrom } from "./open_job.js";
import { dropError } from "./preview.js";
import { drawTable, wordsOf } from "./rows_view.js";
import { buttonsOf, ended, NOTHING, PAGE, pageOf, percentOf, stageOf, usable } from "./status.js";

/** @typedef {import("../events").Events["batch"]["go"]} Go */
/** @typedef {import("./status.js").Status} Status */
/** @typedef {import("./status.js").Told} Told */

const { element, trigger } = hostOf("batch");
const [AGAIN, UNHEARD] = [500, 10_000]; // milliseconds
const ANEW = "batch_sure_anew";
/** As the server told it last. @type {Told | null} */
let state = null;
/** The state that was downloaded last. @type {string | null} */
let saved = null;
/** Of the next question about it. @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let question = 0;

export const isRunning = () => Boolean(state?.running);
export const isPlanned = () => Boolean(state?.planned);
/** How many rows have a result. */
export const results = () => (state ? ended(state) : 0);
export const isSaved = () => state !== null && saved === state.seen;
export const markSaved = () => {
  saved = state?.seen ?? null;
};

export const follow = () => {
  const job = openJob();
  clearTimeout(timer);
  timer = setTimeout(follow, UNHEARD);
  question += 1;
  const seen = state?.first === firstRow() ? state.seen : null;
  if (job) trigger("follow", { key: job.key, first: firstRow(), number: question, seen });
};
/** @param {Omit<Go, "number">} wanted */
const go = (wanted) => {
  question += 1;
  dropError();
  trigger("go", { ...wanted, number: question });
};
const runAnew = () => {
  const job = openJob();
  if (job) go({ ...wishOf(job), anew: true });
};
const doubtAnew = () => {
  const values = () => ({ count: number(results()) });
  wonder({ place: ".batch-bar", says: ANEW, does: "batch_do_anew", values, act: runAnew });
};
/** @param {HTMLButtonElement} button */
export const run = (button) => {
  const job = openJob();
  if (!job || !state) return;
  if (stageOf(state) !== "new") {
    doubtAnew();
    return;
  }
  button.disabled = true;
  go(wishOf(job));
};
/** @param {"resume" | "retry"} how with the rows that wait, or with those that failed */
export const goOn = (how) => {
  const job = openJob();
  if (job) go({ key: job.key, first: firstRow(), [how]: true });
};
/** @param {1 | -1} by pages */
export const turn = (by) => {
  showFrom(firstRow() + by * PAGE);
  follow();
};

/** @param {Status} status */
const drawRows = (status) => {
  find(element, ".batch-rows").replaceChildren(...drawTable(status));
  const { from, to, earlier, later, several } = pageOf(firstRow(), status.all);
  find(element, ".batch-pages").hidden = !several;
  find(element, ".batch-pages span").textContent = t("batch_page", { from, to, all: status.all });
  find(element, "[name=earlier]", HTMLButtonElement).disabled = !earlier;
  find(element, "[name=later]", HTMLButtonElement).disabled = !later;
};
/** @param {Status} status */
const drawBar = (status) => {
  const bar = find(element, ".batch-progress");
  bar.hidden = stageOf(status) === "new";
  bar.setAttribute("aria-valuemax", String(usable(status)));
  bar.setAttribute("aria-valuenow", String(ended(status)));
  find(bar, "i").style.width = `${percentOf(status)}%`;
  find(element, ".batch-words").textContent = status.all ? wordsOf(status) : "";
};
/**
 * The green button is what one wants next: run a new job, go on with a paused one. It never replaces results.
 * @param {Status} status
 */
const drawButtons = (status) => {
  for (const [name, shown] of Object.entries(buttonsOf(status))) find(element, `[name=${name}]`).hidden = !shown;
  const isNew = stageOf(status) === "new";
  const button = find(element, "[name=run]", HTMLButtonElement);
  button.className = isNew ? "go" : "halt";
  button.disabled = !usable(status);
  button.textContent = isNew ? t("batch_run", { count: number(usable(status)) }) : t("batch_run_again");
  find(element, "[name=first]", HTMLButtonElement).disabled = !usable(status);
  find(element, "[name=pause]", HTMLButtonElement).disabled = Boolean(status.pausing);
};
export const drawStatus = () => {
  const status = state ?? NOTHING;
  drawButtons(status);
  if (!state) find(element, "[name=run]").hidden = true; // until it is known how many rows there are
  drawBar(status);
  if (status.error) fail(status.error);
  drawRows(status);
};
export const drawRefused = () => {
  const refused = openJob()?.refused ?? [];
  const more = (state?.refused ?? refused.length) - refused.length;
  const lines = refused.map((one) => make("li", {}, `${t("batch_row")} ${one.number}: ${sentence(one.reason)}`));
  if (more > 0) lines.push(make("li", {}, t("batch_refused_more", { count: number(more) })));
  const place = find(element, ".batch-refused");
  place.hidden = !refused.length;
  place.replaceChildren(make("p", {}, t("batch_refused_rows")), make("ul", {}, ...lines));
};

/** @param {Told | null} told */
export const heard = (told) => {
  if (!told) {
    state = null; // another file is open
    drawStatus();
    return;
  }
  if (told.key !== openJob()?.key || told.first !== firstRow()) return; // of another file, or another page of it
  if (!told.same) state = told;
  clearTimeout(timer);
  if (state?.running) timer = setTimeout(follow, AGAIN);
  if (state?.running && doubted() === ANEW) settle();
  drawStatus();
  if (told.asks) doubtAnew();
  drawRefused();
};
