// What the owner asks to be loaded, and what was wrong with it: one sentence beside the field, and nothing typed is lost.
import { copy, find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { keep, kept } from "../page/kept.js";
import { sentence, t } from "../page/words.js";
import { hubPage } from "./memory.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {import("../server").KnownAdapter} KnownAdapter */
/** @typedef {import("../events").Events["model"]["estimate"]} Choice */

const { element, props } = hostOf("model");
const SAID = 1200; // milliseconds
const FORMATS = ["auto", "fp32", "bf16", "int8", "int4"];
const RUNNING = ["wait", "stop"];
const KEPT = "playground-model";
const SHOWN = ["name", "adapter", "adapter_share"]; // fields that are never folded away
const form = find(element, ".model-form", HTMLFormElement);
const name = find(form, "[name=model]", HTMLInputElement);
const weights = find(form, "[name=weights]", HTMLSelectElement);
const context = find(form, "[name=context]", HTMLInputElement);
const limits = find(form, "[name=max_memory]", HTMLInputElement);
const template = find(form, "[name=chat_template]", HTMLTextAreaElement);
const trust = find(form, "[name=trust]", HTMLInputElement);
const adapter = find(form, "[name=adapter]", HTMLInputElement);
const share = find(form, "[name=share]", HTMLInputElement);
const running = find(form, "[name=running]", HTMLSelectElement);
let formatBefore = ""; // the number format that was chosen before a reload
/** What is wrong, and with which field. @type {{ field: string, text: Said } | null} */
let wrong = null;

/**
 * What the fields hold; `at` is when it was asked, by which its answer is known.
 * @returns {Choice}
 */
export const choice = () => ({
  at: Date.now(),
  name: name.value,
  weights: weights.value || "auto",
  max_memory: limits.value,
  context: context.value,
  chat_template: template.value || null,
  trust_remote_code: trust.checked,
  adapter: adapter.value,
  adapter_share: Number(share.value),
});
export const runningTexts = () => running.value || "wait";
/** @param {HTMLSelectElement} list @param {[value: string, words: string][]} options @param {string} [before] */
const setOptions = (list, options, before = "") => {
  const value = list.value || before;
  list.replaceChildren(...options.map(([one, words]) => make("option", { value: one }, words)));
  list.value = value || options[0][0];
};
const drawWrong = () => {
  for (const field of findAll(form, "[data-field]")) {
    const text = wrong?.field === field.dataset.field ? sentence(wrong?.text) : "";
    field.classList.toggle("wrong", Boolean(text));
    const place = find(field, ".field-error");
    place.hidden = !text;
    place.textContent = text;
    find(field, "input, select, textarea").setAttribute("aria-invalid", String(Boolean(text)));
  }
};
/** @param {{ field: string, text: Said } | null} error */
export const complain = (error) => {
  wrong = error;
  if (wrong && !SHOWN.includes(wrong.field)) find(form, ".model-how", HTMLDetailsElement).open = true;
  drawWrong();
};
const drawSource = () => {
  const { hub } = props;
  const page = hub ? hubPage(name.value.trim(), hub.address) : "";
  const part = find(form, ".model-source");
  part.hidden = !page;
  if (!page) return;
  const link = find(part, "a", HTMLAnchorElement);
  link.href = page;
  link.textContent = page.replace(/^https?:\/\//, "");
  find(part, ".model-token").textContent = t(hub.token ? "model_token" : "model_no_token");
};
const drawShare = () => {
  const part = find(form, ".model-share");
  part.hidden = !adapter.value.trim();
  find(part, "output").textContent = Number(share.value).toFixed(2);
};
/** What trainings on this machine have learned, to choose from. */
export const drawAdapters = () => {
  const options = /** @type {KnownAdapter[]} */ (props.adapters).map(({ folder, title }) =>
    make("option", { value: folder }, title),
  );
  find(form, "#model-adapters").replaceChildren(...options);
};
/** @param {boolean} owner @param {boolean} busy a switch is under way */
export const drawForm = (owner, busy) => {
  form.hidden = !owner;
  setOptions(
    weights,
    FORMATS.map((one) => [one, t(`model_weights_${one}`)]),
    formatBefore,
  );
  setOptions(
    running,
    RUNNING.map((one) => [one, t(`model_${one}`)]),
  );
  const load = find(form, "[name=load]", HTMLButtonElement);
  load.disabled = busy;
  load.title = busy ? t("model_is_busy") : "";
  drawWrong();
  drawSource();
  drawShare();
};
/** @param {string} chosen */
export const choose = (chosen) => {
  name.value = chosen;
  keepForm();
  complain(null);
  drawSource();
  form.scrollIntoView({ block: "nearest" });
  name.focus({ preventScroll: true });
};
/** @param {string} text */
export const setTemplate = (text) => {
  template.value = text;
  keepForm();
  template.rows = text ? 12 : 3;
  template.focus({ preventScroll: true });
};
/** As a shell reads it. @param {string} text */
const quoted = (text) => (/^[\w./:@%+=,~-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);
/** The command that starts a server with this model. */
const command = () => {
  const flags = [];
  if (weights.value !== "auto") flags.push(`--weights ${weights.value}`);
  if (limits.value.trim()) flags.push(`--max-memory ${quoted(limits.value.trim())}`);
  if (trust.checked) flags.push("--trust-remote-code");
  if (adapter.value.trim()) flags.push(`--adapter ${quoted(adapter.value.trim())}`);
  if (adapter.value.trim() && Number(share.value) !== 1) flags.push(`--adapter-share ${share.value}`);
  return `make run MODEL=${quoted(name.value.trim())}${flags.length ? ` ARGS="${flags.join(" ")}"` : ""}`;
};
/** @param {HTMLElement} button */
export const copyCommand = async (button) => {
  if (!name.value.trim()) {
    name.focus();
    return;
  }
  await copy(command());
  button.textContent = t("copied");
  setTimeout(() => {
    button.textContent = t("copy_command");
  }, SAID);
};

/** What is kept over a reload; never that code may run. @type {Record<string, HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>} */
const KEPT_FIELDS = { name, weights, context, limits, template, adapter, share };
const keepForm = () => {
  keep(KEPT, Object.fromEntries(Object.entries(KEPT_FIELDS).map(([field, { value }]) => [field, value])));
};
const takeKept = () => {
  const before = kept(KEPT) ?? {};
  for (const [field, input] of Object.entries(KEPT_FIELDS)) {
    if (field !== "weights" && typeof before[field] === "string") input.value = before[field];
  }
  if (FORMATS.includes(before.weights)) formatBefore = before.weights;
};
form.addEventListener("input", (event) => {
  keepForm();
  const field = event.target instanceof Element ? event.target.closest("[data-field]") : null;
  if (field instanceof HTMLElement && field.dataset.field === wrong?.field) complain(null);
  if (event.target === name) drawSource();
  if (event.target === adapter || event.target === share) drawShare();
});
trust.addEventListener("change", () => {
  find(form, ".model-warning").hidden = !trust.checked;
});
takeKept();
