// The training that is open: how far it is, its buttons, curves, samples and note. The server is asked again as long as a
// process works at it; nothing here has to stay open for that.
import { here } from "../page/address.js";
import { latest } from "../page/board.js";
import { isolate } from "../page/direction.js";
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { keep, kept } from "../page/kept.js";
import { bytes, isNumber, number } from "../page/numbers.js";
import { roundTime } from "../page/round_time.js";
import { saveFile } from "../page/save_file.js";
import { sentence, t } from "../page/words.js";
import { csvOf } from "./metric_lines.js";
import { shown } from "./plot_scale.js";
import { TrainingPlots } from "./plots.js";
import { beginSamples, drawSamples, showSamples } from "./samples_view.js";

/** @typedef {import("../training").Followed} Followed */
/** @typedef {import("../training").Sample} Sample */
/** @typedef {import("../types").Said} Said */
/** @typedef {import("../training").TrainState} TrainState */

const { element, trigger } = hostOf("train");
const KEPT = "playground-training"; // which is open, over a reload
const EVERY = 1000; // milliseconds between two looks at one that runs
const LONGER = 15_000; // after which a look that was not answered is asked again
const PERCENT = 100;
const place = find(element, ".train-run");
const note = find(place, "[name=note]", HTMLTextAreaElement);
/** @type {TrainingPlots | null} */
let plots = null;
/** @type {string | null} */
let id = null;
/** @type {Followed | null} */
let told = null;
/** @type {Followed["plan"]} */
let plan = null;
/** @type {Record<string, number | null>[]} */
let metrics = [];
/** @type {Sample[]} */
let samples = [];
let asked = 0; // when, of the look that is not answered yet
let timer = 0;
/** What was asked of its process and is not done yet. @type {"pausing" | "halting" | null} */
let wished = null;
let isUsing = false;

export const openId = () => id;
export const openView = () => told?.view ?? null;
export const openPlan = () => plan;
const draws = () => document.visibilityState === "visible" && here().tab === "train";
const look = () => {
  clearTimeout(timer);
  if (!id || (latest("connection")?.state ?? "there") !== "there") return;
  asked = Date.now();
  const starts = told ? told.view.state.starts : -1;
  trigger("follow", { at: asked, id, starts, metrics: metrics.length, samples: samples.length });
  timer = setTimeout(look, LONGER);
};
const lookAgain = () => {
  clearTimeout(timer);
  if (!told?.view.state.alive && !wished) return;
  timer = setTimeout(() => (draws() ? look() : lookAgain()), EVERY);
};
/** The page is seen again, or something has changed. */
export const refresh = () => {
  if (id && draws()) look();
};
/** @param {string | null} wanted */
export const openTraining = (wanted) => {
  if (wanted !== id) {
    [id, told, plan, metrics, samples, wished, isUsing] = [wanted, null, null, [], [], null, false];
    beginSamples();
  }
  keep(KEPT, id);
  place.hidden = !id;
  if (!id) {
    clearTimeout(timer);
    return;
  }
  plots ??= new TrainingPlots(find(place, ".train-plots"));
  plots.show(metrics);
  look();
};
export const openBefore = () => {
  const before = kept(KEPT);
  if (typeof before === "string") openTraining(before);
};
/** @param {number} seconds */
const timeWords = (seconds) => {
  const { unit, count } = roundTime(seconds);
  return t(`train_time_${unit}`, { count: number(count) });
};
/** @param {TrainState} state */
export const phaseName = ({ phase, step }) =>
  t(phase === "stopped" && !step ? "train_phase_stopped_early" : `train_phase_${phase}`);
/** @param {TrainState} state */
const phaseWords = (state) => {
  if (wished && state.alive) return t(`train_${wished}`);
  const words = phaseName(state);
  const doing = state.alive && state.doing ? sentence(state.doing) : "";
  const { phase, best_loss: best, base_loss: base } = state;
  const worse = phase === "done" && isNumber(best) && isNumber(base) && best >= base;
  return [words, doing, sentence(state.notice), worse ? t("train_no_better") : ""].filter(Boolean).join(" · ");
};
/** @param {TrainState} state @returns {[string, string][]} */
const figures = (state) => {
  /** @type {[string, string | null][]} */
  const all = [
    ["train_step", state.steps ? t("train_step_of", { step: number(state.step), steps: number(state.steps) }) : null],
    ["train_epoch", state.steps ? number(state.epoch, 2) : null],
    [
      "train_left",
      state.alive && isNumber(state.seconds_left) ? t("train_roughly", { time: timeWords(state.seconds_left) }) : null,
    ],
    ["train_memory", isNumber(state.memory) ? bytes(state.memory) : null],
    ["train_speed", isNumber(state.tokens_per_second) ? number(state.tokens_per_second) : null],
    [
      "train_best_at",
      isNumber(state.best_loss) && isNumber(state.best_step)
        ? t("train_best_value", { loss: shown(state.best_loss), step: number(state.best_step) })
        : null,
    ],
    ["train_base_at", isNumber(state.base_loss) ? shown(state.base_loss) : null],
  ];
  return /** @type {[string, string][]} */ (all.filter(([, value]) => value));
};
/** @param {Record<string, any> | null} estimate @param {TrainState} state */
const drawEstimate = (estimate, state) => {
  const part = find(place, ".train-estimate");
  part.hidden = !estimate || state.phase !== "new";
  if (!estimate || part.hidden) return;
  const { seconds, memory, free, fits, steps, notice } = estimate;
  part.classList.toggle("over", !fits);
  const needs = t("train_estimate_time", { time: timeWords(seconds), memory: bytes(memory) });
  const lines = [
    `${needs}${t("train_estimate_for", { steps: number(steps) })}`,
    fits ? t("train_estimate_fits", { free: bytes(free) }) : "",
    sentence(notice),
  ];
  part.replaceChildren(...lines.filter(Boolean).map((one) => make("p", {}, one)));
};
const usingWords = () => {
  const { pool, model } = latest("server") ?? {};
  return pool?.busy || !model ? t("train_using") : t("train_used", { title: model.title });
};
/** @param {TrainState} state @param {boolean} learned */
const drawButtons = (state, learned) => {
  const { phase, alive } = state;
  const works = alive && phase !== "measuring";
  /** @type {Record<string, boolean>} */
  const wanted = {
    "begin-this": phase === "new",
    use: learned,
    resume: ["paused", "stopped", "failed"].includes(phase),
    pause: works,
    halt: works,
    again: phase !== "measuring",
  };
  for (const [name, isShown] of Object.entries(wanted)) find(place, `[name=${name}]`).hidden = !isShown;
  for (const name of ["pause", "halt"]) find(place, `[name=${name}]`, HTMLButtonElement).disabled = wished !== null;
  find(place, ".train-said").textContent = isUsing ? usingWords() : "";
  find(place, ".train-see").hidden = !isUsing;
};
export const drawRun = () => {
  if (!told) return;
  const { view, estimate, learned, folder, log } = told;
  const { state } = view;
  find(place, ".train-name").textContent = view.name;
  const files = view.files.map(isolate).join(", ");
  const base = isolate(view.base);
  const changed = view.changed.map(({ label, value }) => `${sentence(label)} ${sentence(value)}`);
  const what = [t("train_what", { base, files }), ...changed];
  find(place, ".train-what").textContent = what.join(" · ");
  const phase = phaseWords(state);
  const line = find(place, ".train-phase");
  if (line.textContent !== phase) line.textContent = phase;
  const bar = find(place, ".train-progress");
  bar.hidden = !state.steps;
  const done = state.steps ? Math.floor((PERCENT * state.step) / state.steps) : 0;
  bar.setAttribute("aria-valuenow", String(done));
  find(bar, "i").style.width = `${done}%`;
  find(place, ".train-figures").replaceChildren(
    ...figures(state).map(([name, value]) => make("div", {}, make("dt", {}, t(name)), make("dd", {}, value))),
  );
  const trouble = find(place, ".train-trouble");
  trouble.hidden = !state.trouble;
  if (trouble.textContent !== sentence(state.trouble)) trouble.textContent = sentence(state.trouble);
  const lies = find(place, ".train-folder");
  lies.hidden = !folder;
  lies.textContent = folder ? t("train_folder", { folder }) : "";
  const printed = find(place, ".train-log");
  printed.hidden = !log;
  find(printed, "pre").textContent = log;
  drawEstimate(estimate, state);
  drawButtons(state, learned);
  find(place, ".train-plots-head").hidden = metrics.length === 0;
  find(place, ".train-plots").hidden = metrics.length === 0;
  if (document.activeElement !== note) note.value = view.note;
};
export const drawAgain = () => {
  drawRun();
  plots?.show(metrics);
  drawSamples();
};
/** What the server tells of it. @param {Followed | null} now @returns {boolean} whether its line in the list changes */
export const hearRun = (now) => {
  if (!now || now.id !== id || now.at !== asked) return false;
  if (now.gone) {
    openTraining(null);
    return true;
  }
  const before = told?.view.state.phase;
  told = now;
  plan = now.plan ?? plan;
  const anew = now.since.metrics === 0;
  metrics = anew ? now.metrics : [...metrics, ...now.metrics];
  samples = now.since.samples === 0 ? now.samples : [...samples, ...now.samples];
  if (!now.view.state.alive) wished = null;
  if (anew || now.metrics.length) plots?.show(metrics);
  showSamples(samples);
  drawRun();
  if (now.more) look();
  else lookAgain();
  return before !== undefined && before !== now.view.state.phase;
};
/** @param {"pausing" | "halting"} what */
export const expect = (what) => {
  wished = what;
  drawRun();
};
/** What was asked for is refused. */
export const giveUp = () => {
  [wished, isUsing] = [null, false];
  drawRun();
};
export const markUsed = () => {
  isUsing = true;
  drawRun();
};
/** What became of the switch to what it learned: the reason where it failed. @returns {Said} */
export const hearServer = () => {
  const { pool } = latest("server") ?? {};
  if (!isUsing || !told) return null;
  const failed = pool?.phase === "failed";
  if (failed) isUsing = false;
  drawRun();
  return failed ? pool.reason : null;
};
export const saveCurves = () => {
  if (!told) return;
  const name = told.view.name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "training";
  saveFile(`${name}.csv`, csvOf(metrics), "text/csv;charset=utf-8");
};
/** Begins to type another name. @param {boolean} begins */
export const rename = (begins) => {
  const form = find(place, ".train-rename", HTMLFormElement);
  form.hidden = !begins;
  if (!begins) return;
  const field = find(form, "[name=new-name]", HTMLInputElement);
  field.value = told?.view.name ?? "";
  field.focus();
};
document.addEventListener("visibilitychange", refresh);
