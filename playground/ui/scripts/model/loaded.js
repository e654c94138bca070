// What is loaded: the model that new runs use with its facts, what its authors recommend, other models that stay loaded, and
// what became of those before. What is drawn already stays, so that a button keeps its focus while the server is asked.
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { bytes, isNumber, number } from "../page/numbers.js";
import { sentence, t } from "../page/words.js";
import { idleTime } from "./memory.js";

/** @typedef {import("../server").Entry} Entry */
/** @typedef {import("../server").LoadedModel} LoadedModel */
/** @typedef {import("../server").Server} Server */

const { element } = hostOf("model");
const UNKNOWN = "unknown"; // what an engine has not told
const DIGITS = 4; // behind the point of a knob's value
/** What was drawn last, by part. @type {Map<string, string>} */
const drawn = new Map();

/**
 * @param {string} part
 * @param {unknown} of what it shows
 */
const isDrawn = (part, of) => {
  const now = JSON.stringify([of, language()]);
  if (drawn.get(part) === now) return true;
  drawn.set(part, now);
  return false;
};
/** @param {Entry | undefined} entry */
const heldWords = (entry) => {
  if (!entry?.measured) return null;
  const measured = bytes(entry.measured);
  const held = entry.estimate && entry.estimate.basis !== "unknown" ? entry.estimate.held : 0;
  return held ? t("model_held_both", { measured, estimate: bytes(held) }) : t("model_held_one", { measured });
};
/**
 * @param {LoadedModel} model
 * @param {Entry} [entry]
 * @param {string | null} [engine]
 * @returns {[string, string | null][]}
 */
const facts = (model, entry, engine) => [
  ["model_id", model.id === model.title ? model.id : `${model.title} (${model.id})`],
  ["model_engine", engine ?? null],
  ["model_revision", model.revision],
  ["model_parameters", model.parameters ? number(model.parameters) : null],
  ["model_dtype", model.dtype],
  ["model_size", model.size ? bytes(model.size) : null],
  ["model_held", heldWords(entry)],
  ["model_context", t(model.limited ? "tokens_unit" : "tokens_endless", { count: number(model.context) })],
  ["model_chat", t(model.has_chat_template ? "yes" : "no")],
  ["model_folder", model.folder],
  ["model_adapter_folder", model.adapter],
];
/** @param {LoadedModel} model @param {Entry} [entry] @param {string | null} [engine] */
const drawFacts = (model, entry, engine) => {
  const said = facts(model, entry, engine).filter(([, value]) => value && value !== UNKNOWN);
  if (isDrawn("facts", said)) return;
  const lines = said.map(([key, value]) => make("div", {}, make("dt", {}, t(key)), make("dd", {}, value)));
  find(element, ".model-facts").replaceChildren(...lines);
};
/** @param {string[]} words */
const listed = (words) => words.join(language() === "zh" ? "、" : ", ");
/** @param {unknown} value */
const shownValue = (value) =>
  isNumber(value) ? String(Number(value.toFixed(DIGITS))) : typeof value === "string" ? value : JSON.stringify(value);
/** @param {Server} status */
const drawOwn = ({ pool }) => {
  const own = pool?.own;
  const part = find(element, ".model-own");
  part.hidden = !own;
  if (!own || isDrawn("own", own)) return;
  const values = Object.entries(own.values).map(([name, value]) => `${say(own.labels[name])} ${shownValue(value)}`);
  const said = values.length ? t("model_own_values", { values: listed(values) }) : t("model_own_none");
  const missing = own.lacks.map((name) => say(own.labels[name]));
  const lacks = values.length && missing.length ? t("model_own_lacks", { names: listed(missing) }) : "";
  find(part, "p").textContent = lacks ? `${said}${language() === "zh" ? "" : " "}${lacks}` : said;
  find(part, "[name=own]").hidden = values.length === 0;
  const lines = own.beyond.map(({ name, reason }) => make("li", {}, make("code", {}, name), " ", sentence(reason)));
  find(part, "ul").replaceChildren(...lines);
};
/** @param {Entry} entry */
const idleWords = ({ busy, idle }) => {
  if (busy) return t("model_busy", { count: busy });
  const { unit, count } = idleTime(idle);
  return t(`model_idle_${unit}`, { count });
};
/** @param {Entry} entry @param {boolean} owner */
const otherRow = (entry, owner) => {
  const about = [entry.revision, entry.dtype, t("tokens_unit", { count: number(entry.context) }), heldWords(entry)];
  const line = about.filter(Boolean).join(" · ");
  /** @param {string} name */
  const button = (name) =>
    make("button", { type: "button", class: "quiet strong", name, "data-key": entry.key }, t(`model_${name}`));
  return make(
    "li",
    { "data-key": entry.key },
    make("span", {}, make("b", {}, entry.title), make("small", {}, line), make("small", { class: "model-idle" })),
    owner ? make("span", { class: "model-acts" }, button("use"), button("unload")) : null,
  );
};
/** @param {Entry[]} others @param {boolean} owner */
const drawOthers = (others, owner) => {
  const part = find(element, ".model-others");
  part.hidden = others.length === 0;
  const lasting = others.map(({ idle: _idle, busy: _busy, ...more }) => more);
  if (!isDrawn("others", [lasting, owner])) {
    find(part, "ul").replaceChildren(...others.map((entry) => otherRow(entry, owner)));
  }
  for (const entry of others) find(part, `[data-key="${entry.key}"] .model-idle`).textContent = idleWords(entry);
};
/** @param {Server} status */
const drawEvents = ({ pool }) => {
  const events = pool?.events ?? [];
  const part = find(element, ".model-events");
  part.hidden = events.length === 0;
  if (isDrawn("events", events)) return;
  const locale = language() === "zh" ? "zh-CN" : "en-GB";
  const lines = events.map(({ at, text }) => {
    const time = new Date(at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
    return make("li", {}, make("time", {}, time), sentence(text));
  });
  find(part, "ul").replaceChildren(...lines);
};
/** @param {Server} status */
export const drawLoaded = (status) => {
  const { model, engine, pool, owner, error } = status;
  find(element, ".model-page").classList.toggle("empty", !model);
  find(element, ".model-none").textContent = error ? sentence(error) : t("model_none");
  const entries = pool?.entries ?? [];
  if (model) {
    drawFacts(
      model,
      entries.find(({ current }) => current),
      engine,
    );
  }
  drawOwn(status);
  drawOthers(
    entries.filter(({ current }) => !current),
    Boolean(owner),
  );
  drawEvents(status);
};
