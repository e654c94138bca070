// What is learned from which column: a task's fields, a prompt with variables, or text that is continued. Conversations and
// plain texts say it themselves.
import shipped from "playground/data/tasks.js";
import { mappingOf, SAME } from "../compose/column_mapping.js";
import { drawTaskList, withOwn } from "../compose/task_list.js";
import { find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { t } from "../page/words.js";
import { fileOf } from "./data_files.js";

/** @typedef {import("../tasks").Task} Task */
/** @typedef {import("../tasks").TaskField} TaskField */
/** @typedef {import("../tasks").OwnTask} OwnTask */
/** @typedef {import("../training").DataMapping} DataMapping */
/** @typedef {"task" | "free" | "text"} Way */
/**
 * What was chosen, as it is kept over a reload.
 * @typedef {object} Chosen
 * @property {Way} way
 * @property {string} task
 * @property {"en" | "zh"} language of the task
 * @property {Record<string, string>} wanted by field: its column, or SAME
 * @property {Record<string, string>} fixed
 * @property {string} answer
 * @property {string} prompt
 * @property {string} system
 * @property {"chat" | "complete"} mode of a prompt
 * @property {string} column
 */

const { element, props, trigger } = hostOf("train");
const WAYS = /** @type {Way[]} */ (["task", "free", "text"]);
const VARIABLE = /^[\p{L}\p{N}_]{1,40}$/u; // a column whose name can stand in {{ }}
let tasks = shipped;
let chats = true; // whether the base knows how to chat
let guessed = 0;
/** @returns {Chosen} */
const nothing = () => ({
  way: "task",
  task: props.first_task,
  language: language(),
  wanted: {},
  fixed: {},
  answer: "",
  prompt: "",
  system: "",
  mode: "chat",
  column: "",
});
let chosen = nothing();

const taskNow = () => tasks.find(({ id }) => id === chosen.task) ?? tasks[0];
const hasColumns = () => ["columns", "pairs"].includes(fileOf("data")?.kind ?? "");
/** What a column is called in {{ }}. @param {string} column @param {number} at */
const alias = (column, at) => (VARIABLE.test(column) ? column : `column_${at + 1}`);

/**
 * The record that the server takes; null where the file says it itself.
 * @returns {DataMapping | null}
 */
export const mappingNow = () => {
  const file = fileOf("data");
  if (!file || !hasColumns()) return null;
  if (chosen.way === "text") return { kind: "text", column: chosen.column };
  if (chosen.way === "free") {
    const columns = Object.fromEntries(file.columns.map((column, at) => [alias(column, at), column]));
    const { prompt, system, answer } = chosen;
    const mode = chats ? chosen.mode : "complete";
    return { kind: "free", prompt, system: mode === "chat" ? system : "", answer, mode, columns };
  }
  const task = taskNow();
  const { mapping, fixed } = mappingOf(
    task.fields,
    chosen.wanted,
    chosen.fixed,
    (field) => field.default[chosen.language] ?? "",
  );
  const mode = chats ? "chat" : "complete"; // as Play asks it
  const own = task.yaml ?? "";
  return {
    kind: "task",
    task: task.id,
    language: chosen.language,
    mode,
    columns: mapping,
    fixed,
    answer: chosen.answer,
    own,
  };
};
/** What of the form is kept over a reload. */
export const chosenNow = () => chosen;
/** @param {any} kept which nobody has checked */
export const setChosen = (kept) => {
  const usual = nothing();
  const same = Object.entries(usual).map(([name, value]) => [
    name,
    typeof kept?.[name] === typeof value && kept[name] !== null ? kept[name] : value,
  ]);
  chosen = Object.fromEntries(same);
  if (!WAYS.includes(chosen.way)) chosen.way = "task";
};
/** @param {OwnTask[]} own */
export const setTasks = (own) => {
  tasks = withOwn(shipped, own);
};
/** @param {boolean} able whether the chosen base knows how to chat */
export const setChats = (able) => {
  chats = able;
};
const guess = () => {
  const file = fileOf("data");
  if (!file || !hasColumns()) return;
  const task = taskNow();
  guessed = Date.now();
  trigger("guess", { at: guessed, key: file.key, task: task.id, own: task.yaml ?? "" });
};
/** The server's columns for the fields of the task. @param {{ at: number, columns: Record<string, string> } | null} told */
export const hearGuess = (told) => {
  if (told?.at !== guessed) return false;
  chosen.wanted = { ...told.columns, ...chosen.wanted };
  const taken = new Set(Object.values(chosen.wanted));
  const left = (fileOf("data")?.columns ?? []).filter((one) => !taken.has(one));
  if (!chosen.answer && left.length) chosen.answer = left[left.length - 1];
  drawMapping();
  return true;
};
/** Another file: what it says itself is taken, and columns that it does not have go. */
export const beginMapping = () => {
  const file = fileOf("data");
  if (!file) return;
  const { columns, suggested } = file;
  const has = (/** @type {string} */ one) => columns.includes(one);
  chosen.wanted = Object.fromEntries(Object.entries(chosen.wanted).filter(([, one]) => one === SAME || has(one)));
  if (!has(chosen.answer)) chosen.answer = "";
  if (!has(chosen.column)) chosen.column = columns[0] ?? "";
  const isKept = chosen.answer || (chosen.way === "text" && has(chosen.column));
  if (suggested && !isKept) {
    chosen.way = WAYS.includes(/** @type {Way} */ (suggested.kind)) ? /** @type {Way} */ (suggested.kind) : chosen.way;
    if (suggested.kind === "text") chosen.column = suggested.column || chosen.column;
    if (suggested.kind === "free") takeSuggested(suggested, columns);
  }
  if (!chosen.prompt && columns.length) chosen.prompt = `{{${alias(columns[0], 0)}}}`;
  drawMapping();
  guess();
};
/** @param {DataMapping} suggested @param {string[]} columns */
const takeSuggested = (suggested, columns) => {
  const named = (/** @type {string} */ text) =>
    text.replace(/\{\{(\w+)\}\}/g, (place, name) => {
      const at = columns.indexOf(suggested.columns?.[name] ?? name);
      return at < 0 ? place : `{{${alias(columns[at], at)}}}`;
    });
  chosen.prompt = named(suggested.prompt ?? "");
  chosen.system = named(suggested.system ?? "");
  chosen.answer = suggested.answer ?? "";
  chosen.mode = suggested.mode === "complete" ? "complete" : "chat";
};

/** @param {string} value @param {string} text @param {string} now */
const option = (value, text, now) => make("option", { value, dir: "auto", selected: value === now }, text);
/** @param {string} field @param {string} label @param {HTMLElement[]} parts @param {boolean} [wide] */
const fieldOf = (field, label, parts, wide) =>
  make(
    "div",
    { class: wide ? "field wide" : "field", "data-field": field },
    make("span", { class: "field-label" }, make("bdi", {}, label)),
    ...parts,
    make("span", { class: "field-error", role: "alert", hidden: true }),
  );
/** @param {string} name @param {string} label @param {string} now */
const columnList = (name, label, now) =>
  make(
    "select",
    { name, "aria-label": label },
    option("", t("batch_choose_column"), now),
    ...(fileOf("data")?.columns ?? []).map((one) => option(one, one, now)),
  );
/** @param {string} column */
const cell = (column) => {
  const text = fileOf("data")?.first[column];
  return text === undefined ? null : make("span", { class: "batch-cell", dir: "auto" }, text || "—");
};
const answerField = () => {
  const label = t("train_answer");
  const parts = [columnList("answer", label, chosen.answer), cell(chosen.answer)];
  return fieldOf(
    "answer",
    label,
    parts.filter((one) => one !== null),
  );
};
/** @param {TaskField} field */
const taskField = (field) => {
  const now = chosen.wanted[field.name] ?? "";
  const label = `${say(field.label)}: ${t("batch_column")}`;
  const unset = field.choices
    ? t("batch_usual", { value: field.default[chosen.language] })
    : t(field.required ? "batch_choose_column" : "batch_empty");
  const list = make(
    "select",
    { name: "wanted", "data-of": field.name, "aria-label": label },
    option("", unset, now),
    option(SAME, t("batch_same"), now),
    ...(fileOf("data")?.columns ?? []).map((one) => option(one, one, now)),
  );
  const choices = field.choices?.[chosen.language];
  const given = { name: "fixed", dir: "auto", "data-of": field.name, "aria-label": say(field.label) };
  const fixed = chosen.fixed[field.name];
  /** @type {HTMLElement | null} */
  let same = null;
  if (now === SAME && choices) {
    same = make("select", given, ...choices.map((one) => option(one, one, fixed ?? field.default[chosen.language])));
  } else if (now === SAME) same = make("input", { ...given, value: fixed ?? "", maxlength: field.max_length });
  const parts = [list, same, now === SAME ? null : cell(now)].filter((one) => one !== null);
  return fieldOf(field.name, say(field.label), parts);
};
const drawTask = () => {
  const picker = make("select", { name: "task" });
  drawTaskList(picker, tasks, taskNow().id);
  const spoken = make(
    "select",
    { name: "language" },
    option("en", "English", chosen.language),
    option("zh", "中文", chosen.language),
  );
  return [
    fieldOf("task", t("kind_task"), [picker]),
    fieldOf("language", t("train_language"), [spoken]),
    ...taskNow().fields.map(taskField),
    answerField(),
  ];
};
const insertBar = () => {
  const buttons = (fileOf("data")?.columns ?? []).map((column, at) =>
    make(
      "button",
      { type: "button", class: "quiet", name: "insert", "data-name": alias(column, at), dir: "auto" },
      `{{${alias(column, at)}}}`,
    ),
  );
  return make("div", { class: "try" }, make("span", {}, t("train_insert")), ...buttons);
};
const drawFree = () => {
  const prompt = make("textarea", { name: "prompt", dir: "auto", rows: 4, "aria-label": t("prompt") });
  prompt.value = chosen.prompt;
  const system = make("textarea", { name: "system", dir: "auto", rows: 2, "aria-label": t("train_system") });
  system.value = chosen.system;
  const as = make(
    "select",
    { name: "mode" },
    option("chat", t("train_as_chat"), chosen.mode),
    option("complete", t("train_as_complete"), chosen.mode),
  );
  const talks = chats && chosen.mode === "chat";
  return [
    fieldOf("prompt", t("prompt"), [prompt, insertBar()], true),
    ...(talks ? [fieldOf("system", t("train_system"), [system], true)] : []),
    ...(chats ? [fieldOf("mode", t("train_asked_as"), [as])] : []),
    answerField(),
  ];
};
const drawText = () => {
  const label = t("train_column");
  const parts = [columnList("column", label, chosen.column), cell(chosen.column)];
  return [
    fieldOf(
      "column",
      label,
      parts.filter((one) => one !== null),
    ),
  ];
};
/** @param {Way} way */
const wayButton = (way) =>
  make(
    "button",
    { type: "button", role: "radio", name: "way", value: way, "aria-checked": String(way === chosen.way) },
    t(`train_way_${way}`),
  );
export const drawMapping = () => {
  const file = fileOf("data");
  const place = find(element, ".train-mapping");
  place.hidden = !file;
  if (!file) return;
  const ways = find(place, ".train-ways");
  ways.hidden = !hasColumns();
  ways.replaceChildren(...WAYS.map(wayButton));
  const help = hasColumns() ? chosen.way : file.kind === "chat" ? "chat" : "pieces";
  find(place, ".train-way-help").textContent = t(`train_way_${help}_help`);
  const fields = { task: drawTask, free: drawFree, text: drawText };
  find(place, ".train-columns").replaceChildren(...(hasColumns() ? fields[chosen.way]() : []));
};
/**
 * What was typed or chosen in one of the fields; whether it was one of these.
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} field
 */
export const takeField = (field) => {
  const { name, value, dataset } = field;
  const of = dataset.of ?? "";
  if (name === "wanted") chosen.wanted = { ...chosen.wanted, [of]: value };
  else if (name === "fixed") chosen.fixed = { ...chosen.fixed, [of]: value };
  else if (name === "task") [chosen.task, chosen.wanted] = [value, {}];
  else if (name === "language") chosen.language = value === "zh" ? "zh" : "en";
  else if (name === "mode") chosen.mode = value === "complete" ? "complete" : "chat";
  else if (name === "answer" || name === "column" || name === "prompt" || name === "system") chosen[name] = value;
  else return false;
  if (name === "task") guess();
  if (name !== "prompt" && name !== "system" && !(name === "fixed" && field instanceof HTMLInputElement)) {
    const [again, whose] = [name, of];
    drawMapping();
    const same = findAll(element, `.train-columns [name="${again}"]`).find((one) => (one.dataset.of ?? "") === whose);
    same?.focus({ preventScroll: true });
  }
  return true;
};
/** @param {string} way */
export const chooseWay = (way) => {
  const found = WAYS.find((one) => one === way);
  if (!found) return;
  chosen.way = found;
  drawMapping();
  find(element, `.train-ways [value=${found}]`).focus({ preventScroll: true });
};
/** Puts a variable where the caret of the prompt is. @param {string} name */
export const insert = (name) => {
  const field = find(element, ".train-columns [name=prompt]", HTMLTextAreaElement);
  field.setRangeText(`{{${name}}}`, field.selectionStart, field.selectionEnd, "end");
  chosen.prompt = field.value;
  field.focus();
};
