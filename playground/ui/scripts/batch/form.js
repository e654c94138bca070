// What fills the fields of the chosen task, row by row, and how often and with which seed texts are written.

import { mappingOf, SAME } from "../compose/column_mapping.js";
import { isolate } from "../page/direction.js";
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { drawModelRemark } from "../page/remark.js";
import { seedOf, wholeNumber } from "../page/typed_numbers.js";
import { t } from "../page/words.js";
import { named, taskNow, written } from "./chosen_task.js";
import * as kept from "./kept_job.js";
import { fail } from "./notices.js";
import { firstRow, nameOfFile, openJob } from "./open_job.js";
import { agePreview } from "./preview.js";

/** @typedef {import("../tasks").TaskField} TaskField */
/** @typedef {import("./kept_job.js").Form} Form */
/** @typedef {import("./open_job.js").Job} Job */
/** @typedef {import("../compose/column_mapping.js").ByField} ByField */

const { element, props, trigger } = hostOf("batch");
const NUMBERS = ["n", "seed"];
/** By field: the column that fills it, or SAME. @type {ByField} */
let wanted = {};
/** @type {ByField} */
let fixed = {};
/** By field: the columns that may be meant, where there are more than one. @type {Record<string, string[]>} */
let several = {};
/** Since when an answer about the chosen task is waited for, and whether columns are wanted of it.
 * @type {{at: number, columns: boolean} | null} */
let asked = null;

/** @param {string} name */
const input = (name) => find(element, `[name=${name}]`, HTMLInputElement);
const chosen = () => ({ task: taskNow().id, own: taskNow().yaml ?? "", language: language() });

/**
 * @param {string} value
 * @param {string} text
 * @param {string} now which is chosen
 */
const option = (value, text, now) => make("option", { value, dir: "auto", selected: value === now }, text);
/**
 * What all rows have in this field.
 * @param {TaskField} field
 */
const drawSame = (field) => {
  const choices = field.choices?.[language()];
  const given = {
    name: "fixed",
    dir: "auto",
    "data-field": field.name,
    "aria-label": say(field.label),
    maxlength: field.max_length,
  };
  const now = fixed[field.name];
  if (choices) return make("select", given, ...choices.map((one) => option(one, one, now ?? say(field.default))));
  const made = make("input", given);
  made.value = now ?? "";
  return made;
};
/**
 * What stands in place of a column.
 * @param {TaskField} field
 */
const unset = (field) => {
  const choice = several[field.name];
  if (choice) return t("batch_several", { columns: choice.map(isolate).join(" / ") });
  if (field.choices) return t("batch_usual", { value: say(field.default) });
  return t(field.required ? "batch_choose_column" : "batch_empty");
};
/**
 * @param {TaskField} field
 * @param {Job} job
 */
const drawField = (field, job) => {
  const column = wanted[field.name] ?? "";
  const label = `${say(field.label)}: ${t("batch_column")}`;
  const cell = column && column !== SAME ? job.first[column] || "—" : null;
  return make(
    "div",
    { class: "field" },
    make(
      "span",
      { class: "field-label" },
      make("bdi", {}, say(field.label)),
      field.required ? null : make("i", {}, t("optional")),
    ),
    make(
      "select",
      { name: "column", "data-field": field.name, "aria-label": label },
      option("", unset(field), column),
      option(SAME, t("batch_same"), column),
      ...job.columns.map((one) => option(one, one, column)),
    ),
    column === SAME ? drawSame(field) : null,
    cell === null ? null : make("span", { class: "batch-cell", dir: "auto" }, cell),
  );
};
export const drawFields = () => {
  const job = openJob();
  if (!job) return;
  find(element, ".batch-fields").replaceChildren(...taskNow().fields.map((field) => drawField(field, job)));
};

/**
 * What there is to say of the chosen task.
 * @param {boolean} columns whether to fill its fields with columns
 */
export const ask = (columns) => {
  const job = openJob();
  if (!job) return;
  asked = { at: Date.now(), columns: columns || Boolean(asked?.columns) };
  trigger("about", { ...chosen(), key: job.key, at: asked.at });
};
export const drawRemark = () => {
  const remark = props.about?.remark;
  drawModelRemark(find(element, ".batch-job > .remark"), remark);
};
/** The server has told. */
export const heardAbout = () => {
  const { at, guess, several: more, error } = props.about ?? {};
  if (!asked || at !== asked.at) return;
  const { columns } = asked;
  asked = null;
  if (error) fail(error);
  drawRemark();
  if (!columns) return;
  wanted = { ...guess, ...wanted };
  several = more ?? {};
  drawFields();
  keepForm();
};

export const keepForm = () => {
  const job = openJob();
  if (!job) return;
  const [n, seed] = NUMBERS.map((name) => input(name).value);
  const { id, yaml } = taskNow();
  const about = { name: nameOfFile(), task: id, own: yaml ?? "" };
  kept.keepForm(job.key, { ...about, wanted, fixed, n, seed, knobs: input("knobs").checked });
};
/**
 * The form of this job as it was left here, or as the job was run; null where it is a new one.
 * @param {Job} job
 * @returns {Form | null}
 */
export const formOf = ({ key, plan }) => {
  const form = kept.keptForm(key);
  if (form && (form.own ? written(form.own) : named(form.task))) return form;
  if (!plan.task) return null;
  const same = Object.fromEntries(Object.keys(plan.fixed ?? {}).map((name) => [name, SAME]));
  return {
    name: form?.name ?? "",
    task: plan.task,
    own: plan.own,
    wanted: { ...same, ...plan.mapping },
    fixed: { ...plan.fixed },
    n: plan.values?.n ?? 1,
  };
};
/** @param {Form} form */
export const fillForm = (form) => {
  ({ wanted, fixed } = form);
  if (form.n !== undefined) input("n").value = String(form.n);
  if (form.seed !== undefined) input("seed").value = form.seed;
  input("knobs").checked = Boolean(form.knobs);
  drawFields();
  ask(false);
};
/** Another file or another task: its fields are filled with columns of the same names. */
export const beginForm = () => {
  fail(null);
  wanted = {};
  fixed = {};
  several = {};
  drawFields();
  ask(true);
};
/** What was said of the form before it was changed goes, or turns pale. */
export const formChanged = () => {
  fail(null);
  agePreview();
  keepForm();
};
/**
 * @param {string} field
 * @param {string} column
 */
export const chooseColumn = (field, column) => {
  wanted = { ...wanted, [field]: column };
};
/**
 * @param {string} field
 * @param {string} text
 */
export const fix = (field, text) => {
  fixed = { ...fixed, [field]: text };
};
/**
 * What the server is asked for.
 * @param {Job} job
 */
export const wishOf = (job) => ({
  ...chosen(),
  key: job.key,
  first: firstRow(),
  n: wholeNumber(input("n").value),
  seed: seedOf(input("seed").value),
  knobs: input("knobs").checked,
  ...mappingOf(taskNow().fields, wanted, fixed, (field) => say(field.default)),
});
