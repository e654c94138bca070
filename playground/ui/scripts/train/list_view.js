// All trainings: each with its state, what differs from the defaults and its note; curves of chosen ones over one another.
import { find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { isNumber } from "../page/numbers.js";
import { sentence, t } from "../page/words.js";
import { shown } from "./plot_scale.js";
import { ComparedPlots } from "./plots.js";
import { openId, phaseName } from "./run_view.js";
import { differences } from "./setting_values.js";

/** @typedef {import("../training").TrainingView} TrainingView */

const { element, trigger } = hostOf("train");
const MOST = 8; // that are compared: as many lines can be told apart
const place = find(element, ".train-list");
/** @type {TrainingView[]} */
let views = [];
/** Those that are compared, by id. @type {string[]} */
let chosen = [];
let asked = 0;
/** @type {Record<string, Record<string, [number, number][]>>} */
let curves = {};
/** @type {ComparedPlots | null} */
let plots = null;
/** The one that may be deleted. @type {TrainingView | null} */
let doubted = null;

export const viewsNow = () => views;
/** @param {TrainingView} view */
const changedWords = ({ changed }) =>
  changed.map(({ label, value }) => `${say(label)} ${sentence(value)}`).join(" · ") || t("train_defaults");
/** @param {TrainingView} view */
const when = ({ created }) =>
  new Date(created).toLocaleString(language() === "zh" ? "zh-CN" : "en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
  });
/** @param {TrainingView} view */
const drawView = (view) => {
  const { id, name, note, state } = view;
  const box = make("input", {
    type: "checkbox",
    name: "compare",
    value: id,
    "aria-label": t("train_compare_named", { name }),
  });
  box.checked = chosen.includes(id);
  box.disabled = !box.checked && chosen.length >= MOST;
  const open = make(
    "button",
    { type: "button", class: "quiet strong", name: "open", "data-id": id, dir: "auto" },
    name,
  );
  open.setAttribute("aria-label", t("train_open_named", { name }));
  const remove = make("button", { type: "button", class: "quiet", name: "remove", "data-id": id }, t("train_remove"));
  remove.setAttribute("aria-label", t("train_remove_named", { name }));
  remove.disabled = state.alive;
  return make(
    "tr",
    { class: id === openId() ? "open" : null },
    make("td", { class: "train-box" }, make("label", {}, box)),
    make(
      "td",
      {},
      open,
      make("small", {}, `${when(view)} · ${view.base}`),
      note ? make("small", { class: "train-noted", dir: "auto" }, note) : null,
    ),
    make("td", { class: state.phase === "failed" ? "train-failed" : null }, phaseName(state)),
    make(
      "td",
      { class: "count", "data-label": t("train_best") },
      isNumber(state.best_loss) ? shown(state.best_loss) : "—",
    ),
    make("td", {}, changedWords(view)),
    make("td", { class: "count" }, remove),
  );
};
const drawDoubt = () => {
  const box = find(place, ".batch-sure");
  box.hidden = !doubted;
  if (doubted) find(box, "p").textContent = t("train_doubt", { name: doubted.name });
};
const compared = () => chosen.map((id) => views.find((one) => one.id === id)).filter((one) => one !== undefined);
const drawDifferences = () => {
  const all = compared();
  const rows = differences(all);
  const part = find(place, ".train-differences");
  if (!rows.length) {
    part.replaceChildren(make("p", { class: "train-help" }, t("train_no_differences")));
    return;
  }
  const usual = t("train_defaults");
  const head = make(
    "tr",
    {},
    make("td", {}),
    ...all.map(({ name }) => make("th", { scope: "col", dir: "auto" }, name)),
  );
  const lines = rows.map(({ label, values }) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, say(label)),
      ...values.map((one) => make("td", { class: one ? null : "train-usual" }, one ? sentence(one) : usual)),
    ),
  );
  part.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)));
};
const drawCompared = () => {
  const all = compared();
  const part = find(place, ".train-compared");
  part.hidden = all.length < 2;
  if (part.hidden) return;
  plots ??= new ComparedPlots(find(part, ".train-plots"));
  plots.show(all.map(({ id, name }) => ({ name, curves: curves[id] ?? {} })));
  drawDifferences();
};
export const drawList = () => {
  find(place, ".train-none").hidden = views.length > 0;
  find(place, ".train-table").hidden = views.length === 0;
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  const marked =
    focused && place.contains(focused)
      ? [focused.getAttribute("name"), focused.dataset.id ?? focused.getAttribute("value")]
      : null;
  find(place, ".train-table tbody").replaceChildren(...views.map(drawView));
  if (marked) {
    const same = findAll(place, `.train-table [name="${marked[0]}"]`);
    same.find((one) => (one.dataset.id ?? one.getAttribute("value")) === marked[1])?.focus({ preventScroll: true });
  }
  drawDoubt();
  drawCompared();
};
const askCurves = () => {
  if (chosen.length < 2) return;
  asked = Date.now();
  trigger("curves", { at: asked, ids: chosen });
};
/** @param {TrainingView[]} all */
export const showList = (all) => {
  views = all;
  chosen = chosen.filter((id) => views.some((one) => one.id === id));
  if (doubted && !views.some(({ id }) => id === doubted?.id)) doubted = null;
  drawList();
  askCurves();
};
/** One of them has changed; null where it is not in the list. @param {TrainingView | null} view */
export const showView = (view) => {
  if (!view || views.some((one) => JSON.stringify(one) === JSON.stringify(view))) return;
  views = views.map((one) => (one.id === view.id ? view : one));
  drawList();
};
/** @param {{ at: number, of: typeof curves } | null} told */
export const hearCurves = (told) => {
  if (told?.at !== asked) return;
  curves = told.of;
  drawCompared();
};
/** @param {HTMLInputElement} box */
export const compare = ({ value, checked }) => {
  chosen = checked ? [...chosen, value] : chosen.filter((one) => one !== value);
  drawList();
  askCurves();
};
/** Asks whether it is to be deleted; `null` settles it. @param {string | null} id */
export const doubt = (id) => {
  doubted = views.find((one) => one.id === id) ?? null;
  drawDoubt();
  if (doubted) find(place, "[name=unsure]").focus();
};
export const doubtedId = () => doubted?.id ?? null;
