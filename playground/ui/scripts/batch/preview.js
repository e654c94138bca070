// The first row's prompt and texts, to be looked at before all rows are run.
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { sentence, t } from "../page/words.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {{waits?: Said, error?: Said, prompt?: string, texts?: Said[], older?: boolean}} Preview */

const { element } = hostOf("batch");
/** @type {Preview | null} */
let preview = null;

/** @param {Preview} told */
const partsOf = (told) => [
  told.waits ? make("p", {}, sentence(told.waits)) : null,
  told.error ? make("p", { class: "batch-error" }, sentence(told.error)) : null,
  told.prompt ? make("details", {}, make("summary", {}, t("seen")), make("pre", { dir: "auto" }, told.prompt)) : null,
  ...(told.texts ?? []).map((one) => make("p", { class: "batch-text", dir: "auto" }, say(one) || t("writing"))),
];
export const drawPreview = () => {
  const place = find(element, ".batch-preview");
  place.hidden = !preview;
  if (!preview) return;
  place.classList.toggle("older", Boolean(preview.older));
  place.replaceChildren(...partsOf(preview).filter((one) => one !== null));
};
/** @param {Preview | null} told */
export const showPreview = (told) => {
  preview = told;
  drawPreview();
};
/** The form is another one by now: an error goes, texts turn pale. */
export const agePreview = () => showPreview(preview?.error ? null : preview && { ...preview, older: true });
export const dropError = () => showPreview(preview?.error ? null : preview);
