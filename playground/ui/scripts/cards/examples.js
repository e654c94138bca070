// Before the first run: the worked example of the task that is open, in the language of the page. Loaded when it is to be
// shown; until it has come, what stands there stays.
import { language } from "../page/language.js";
import { now } from "./form_now.js";
import { drawRun } from "./grid.js";
import { hasOwn, runs, shown } from "./shown_runs.js";
import { asVersion, cardOf } from "./versions.js";

/** @typedef {import("playground/data/examples/*.js").Example} Example */
/** @typedef {Record<import("../types").Language, Example | null>} Examples */

/** By task; nothing for one whose example could not be loaded. @type {Map<string, Examples | null>} */
const known = new Map();
/** Those that are on their way. @type {Set<string>} */
const loading = new Set();
/** The task whose example is to be shown. @type {string | null} */
let wanted = null;

/** The task that is open, where it comes with the page: nobody wrote an example of a visitor's own. */
const taskNow = () => {
  const { kind, own, task } = now.form;
  return kind === "task" && !own && task ? task.id : null;
};
/** @param {Examples | null | undefined} examples */
const show = (examples) => {
  const example = examples?.[language()] ?? examples?.en;
  runs.length = 0;
  if (example) {
    const { rows, ...run } = example;
    const cards = rows.map((row, number) => cardOf(asVersion(row, { id: `example:${number}`, at: number })));
    runs.push({ ...run, cards });
  }
  shown.at = 0;
  shown.coming = false;
  drawRun();
};
/** @param {string} task */
const load = async (task) => {
  if (loading.has(task)) return;
  loading.add(task);
  try {
    known.set(task, (await import(`playground/data/examples/${task}.js`)).default);
  } catch {
    // the server is gone: without an example the page is whole
  }
  loading.delete(task);
  if (task === wanted && !hasOwn()) show(known.get(task));
};
export const showExample = () => {
  if (hasOwn()) return;
  wanted = taskNow();
  if (wanted === null || known.has(wanted)) {
    show(wanted === null ? null : known.get(wanted));
    return;
  }
  shown.coming = true;
  load(wanted);
};
