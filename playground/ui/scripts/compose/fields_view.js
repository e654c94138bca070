// The fields of a task and those of the variables in a prompt, drawn.
import { find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { t } from "../page/words.js";
import { form, MOST_VARIABLES, placeNames, task, variables } from "./form.js";
import { labelOf } from "./variables.js";

/** @typedef {import("../tasks").TaskField} TaskField */

const { element } = hostOf("compose");
const [fields, place] = [find(element, ".fields"), find(element, ".variables")];
const MOST_HEIGHT = 420; // pixels; what is longer scrolls
/** The names whose fields stand there. @type {string | null} */
let drawn = null;

/** As high as its text. @param {HTMLTextAreaElement} area */
export const grow = (area) => {
  if (!area.offsetParent) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, MOST_HEIGHT)}px`;
};
/** @param {ParentNode} root @param {string} [selector] */
export const growAll = (root, selector = "textarea") => {
  for (const area of findAll(root, selector, HTMLTextAreaElement)) grow(area);
};
const errorPlace = () => make("span", { class: "field-error", role: "alert", hidden: true });

/** @param {TaskField} field */
const controlOf = (field) => {
  const shared = { name: field.name, "data-task-field": "", dir: "auto", maxlength: field.max_length };
  if (field.choices) {
    const choices = field.choices[language()] || field.choices.en;
    return make("select", shared, ...choices.map((choice) => make("option", { value: choice, dir: "auto" }, choice)));
  }
  const hint = field.placeholder ? say(field.placeholder) : null;
  if (field.type === "long_text") return make("textarea", { ...shared, rows: 4, placeholder: hint });
  const inputmode = field.type === "number" ? "decimal" : null;
  const attributes = { type: "text", inputmode, placeholder: hint, title: hint, autocomplete: "off" };
  return make("input", { ...shared, ...attributes }); // the hint as a title too: in a narrow field it does not fit
};
/** @param {TaskField} field */
const fieldOf = (field) => {
  const control = controlOf(field);
  control.value = form().fields[field.name] ?? "";
  const wide = field.type === "long_text" || field.type === "list";
  const optional = field.required ? null : make("i", {}, t("optional"));
  const label = task().yaml ? labelOf(say(field.label)) : say(field.label);
  return make(
    "label",
    { class: `field${wide ? " wide" : ""}`, "data-field": field.name, title: label },
    make("span", { class: "field-label" }, make("bdi", {}, label), optional),
    control,
    errorPlace(),
  );
};
export const drawFields = () => {
  const one = task();
  find(element, ".task-about").textContent = say(one.description);
  fields.replaceChildren(...one.fields.map(fieldOf));
  growAll(fields);
  drawMeasured();
};
/** What `measure` found and what a reader kept, of the model that is loaded in the language that is shown. */
export const drawMeasured = () => {
  const report = task().measured.find((one) => one.model === form().ready && one.language === language());
  const line = find(element, ".task-measured");
  line.hidden = !report;
  line.title = report?.rule ?? "";
  const told = report
    ? [t("measured", { ...report }), t(report.read ? "measured_kept" : "measured_unread", { ...report })]
    : [];
  line.textContent = told.join(language() === "zh" ? "" : " ");
};

/** @param {string} name */
const variableOf = (name) => {
  const area = make("textarea", { name, rows: 1, dir: "auto", "data-variable": "" });
  area.value = Object.hasOwn(form().variables, name) ? form().variables[name] : "";
  const label = make("span", { class: "field-label" }, make("bdi", {}, labelOf(name)));
  const attributes = { class: "field", "data-field": `{{${name}}}`, title: labelOf(name) };
  return make("label", attributes, label, area, errorPlace());
};
/** @param {number} found @param {number} filled */
const fillNote = (found, filled) => {
  if (!form().fill) return t("fill_off");
  return found > filled ? t("fill_many", { count: found, most: MOST_VARIABLES }) : "";
};
/** A field for each variable of the free prompt or the chat; what was typed for a name stays when the name comes back. */
export const drawVariables = () => {
  const names = variables();
  const found = placeNames().length;
  find(element, ".variables-hint").hidden = found > 0 || !form().fill;
  find(element, ".variables-bar").hidden = !found && form().fill;
  find(element, "[name=fill]", HTMLInputElement).checked = form().fill;
  find(element, ".fill-note").textContent = fillNote(found, names.length);
  place.hidden = !names.length;
  if (drawn === names.join()) return;
  drawn = names.join();
  place.replaceChildren(...names.map(variableOf));
  growAll(place);
};
/** Something else has been put in the form: what stands in the fields of variables is old. */
export const forgetVariables = () => {
  drawn = null;
};
