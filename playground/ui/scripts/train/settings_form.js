// The settings of a new training, drawn from their records: a few at once, all others behind one fold, and three presets.
import records from "playground/data/train.js";
import { find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { sentence, t } from "../page/words.js";
import { acts, completed, presetOf, typedValue } from "./setting_values.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {import("../training").TrainSetting} TrainSetting */
/** @typedef {import("../training").TrainBase} TrainBase */

const { element } = hostOf("train");
const { settings, groups, presets } = records;
/** @type {import("./setting_values.js").Values} */
let values = completed(settings, presets[0].values);
let preset = presets[0].name;
/** @type {TrainBase[]} */
let bases = [];
/** What is wrong, and with which field. @type {{ field: string, text: Said } | null} */
let wrong = null;

export const settingsNow = () => values;
/** @param {any} kept which nobody has checked */
export const setSettings = (kept) => {
  if (!kept || typeof kept !== "object") return;
  values = completed(settings, kept);
  preset = presetOf(settings, presets, values)?.name ?? preset;
};
const baseList = () => find(element, "[name=base]", HTMLSelectElement);
export const baseNow = () => bases.find(({ key }) => key === baseList().value) ?? bases[0] ?? null;
/** @param {TrainBase[]} known */
export const setBases = (known) => {
  const before = baseList().value;
  bases = known;
  baseList().replaceChildren(...bases.map(({ key, title }) => make("option", { value: key }, title)));
  if (bases.some(({ key }) => key === before)) baseList().value = before;
  drawBase();
};
export const drawBase = () => {
  const field = find(element, ".train-how [data-field=base]");
  const said = wrong?.field === "base" ? sentence(wrong.text) : sentence(baseNow()?.trouble);
  const place = find(field, ".field-error");
  place.hidden = !said;
  place.textContent = said;
};
/** @param {TrainSetting} setting */
const inputOf = (setting) => {
  const { name, kind, choices, default_text: usual } = setting;
  const given = {
    name: "setting",
    "data-setting": name,
    id: `train-${name}`,
    "aria-describedby": `train-${name}-help`,
  };
  if (kind === "bool") {
    const box = make("input", { ...given, type: "checkbox" });
    box.checked = values[name] === true;
    return make("label", { class: "compose-switch" }, box, make("span", {}, t("train_yes")));
  }
  if (kind === "choice") {
    const options = choices.map((one) =>
      make("option", { value: one.value, selected: one.value === values[name] }, say(one)),
    );
    return make("select", given, ...options);
  }
  const box = make("input", {
    ...given,
    inputmode: kind === "int" ? "numeric" : kind === "float" ? "decimal" : null,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder: say(usual),
  });
  box.value = String(values[name]);
  return box;
};
/** What it does, and why it does nothing where another one keeps it from that. @param {TrainSetting} setting */
const hint = (setting) => {
  const { off, help, needs } = setting;
  const other = needs && !acts(setting, values) ? settings.find(({ name }) => name === needs.name) : null;
  const said = [say(help), off === null ? "" : t("train_off", { value: off })];
  if (other) said.push(t("train_idle", { name: say(other.label), value: shownValue(other) }));
  return said.filter(Boolean).join(document.documentElement.lang.startsWith("zh") ? "" : " ");
};
/** @param {TrainSetting} setting */
const shownValue = ({ name, choices }) => {
  const choice = choices.find(({ value }) => value === values[name]);
  return choice ? say(choice) : String(values[name]);
};
/** @param {TrainSetting} setting */
const drawSetting = (setting) => {
  const { name, label, allowed, source } = setting;
  const more = `${t("train_allowed", { range: say(allowed) })} · ${t("train_source", { source })}`;
  return make(
    "div",
    { class: "field train-setting", "data-field": name },
    make("label", { class: "field-label", for: `train-${name}`, title: more }, say(label)),
    inputOf(setting),
    make("span", { class: "train-help", id: `train-${name}-help` }, hint(setting)),
    make("span", { class: "field-error", role: "alert", hidden: true }),
  );
};
const drawPresets = () => {
  const now = presetOf(settings, presets, values);
  find(element, ".train-presets").replaceChildren(
    ...presets.map(({ name, label }) =>
      make(
        "button",
        { type: "button", role: "radio", name: "preset", value: name, "aria-checked": String(name === preset) },
        name === preset && !now ? `${say(label)} · ${t("train_preset_changed")}` : say(label),
      ),
    ),
  );
  find(element, ".train-preset-help").textContent = say(presets.find(({ name }) => name === preset)?.help);
};
/** Settings that do not act beside the others stay, and say so by being pale. */
const drawActing = () => {
  for (const setting of settings) {
    const field = find(element, `.train-setting[data-field=${setting.name}]`);
    const idle = !acts(setting, values);
    field.classList.toggle("idle", idle);
    find(field, ".train-help").textContent = hint(setting);
    /** @type {HTMLInputElement | HTMLSelectElement} */ (find(field, "[name=setting]")).disabled = idle;
  }
};
const drawWrong = () => {
  let placed = false;
  for (const field of findAll(element, ".train-form [data-field]")) {
    if (field.dataset.field === "base") continue;
    const said = wrong && field.dataset.field === wrong.field ? sentence(wrong.text) : "";
    placed ||= Boolean(said);
    field.classList.toggle("wrong", Boolean(said));
    const place = field.querySelector(".field-error");
    if (!(place instanceof HTMLElement)) continue;
    place.hidden = !said;
    place.textContent = said;
    if (said && field.closest(".train-all-settings"))
      find(element, ".train-all-settings", HTMLDetailsElement).open = true;
  }
  const rest = wrong && !placed && wrong.field !== "base" ? sentence(wrong.text) : "";
  const line = find(element, ".train-form-error");
  line.hidden = !rest;
  line.textContent = rest;
  drawBase();
};
/** @param {{ field: string, text: Said } | null} error */
export const complain = (error) => {
  wrong = error;
  drawWrong();
};
export const complaint = () => wrong;
export const drawSettings = () => {
  drawPresets();
  find(element, ".train-basic").replaceChildren(...settings.filter(({ basic }) => basic).map(drawSetting));
  find(element, ".train-groups").replaceChildren(
    ...groups.map(({ name, label }) => {
      const own = settings.filter(({ group, basic }) => group === name && !basic);
      const fields = make("div", { class: "train-basics" }, ...own.map(drawSetting));
      return make("div", { class: "train-group" }, make("h5", {}, say(label)), fields);
    }),
  );
  drawActing();
  drawWrong();
};
/** @param {string} name */
export const choosePreset = (name) => {
  const found = presets.find((one) => one.name === name);
  if (!found) return;
  preset = name;
  values = completed(settings, found.values);
  wrong = null;
  drawSettings();
  find(element, `.train-presets [value=${name}]`).focus({ preventScroll: true });
};
/** @param {HTMLInputElement | HTMLSelectElement} input */
export const takeSetting = (input) => {
  const setting = settings.find(({ name }) => name === input.dataset.setting);
  if (!setting) return;
  const typed = input instanceof HTMLInputElement && input.type === "checkbox" ? input.checked : input.value;
  values = { ...values, [setting.name]: typedValue(setting, typed) };
  if (wrong?.field === setting.name) wrong = null;
  drawPresets();
  drawActing();
  drawWrong();
};
