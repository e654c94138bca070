// The sections of the open draft: shown, edited, removed and brought back.
import { find, findAll } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language } from "../page/language.js";
import { number } from "../page/numbers.js";
import { t } from "../page/words.js";
import { countWords } from "./draft.js";
import { keepOf, keptOf, REMOVED } from "./kept_drafts.js";
import { openDraft } from "./open_draft.js";
import { drawEditor, drawSection, given } from "./section_view.js";
import { keepTyped, send } from "./sending.js";
import { grow } from "./text_box.js";

/** @typedef {import("./draft.js").Section} Section */
/** @typedef {import("./draft.js").Edit} Edit */

const { element, props } = hostOf("write");
/** Number of the section being edited. @type {number | null} */
let editing = null;
/** Sections that can be brought back, the last one last. @type {Section[]} */
let removed = [];
/** One of them that is on its way. @type {Section | null} */
let returning = null;
/** Of the sections drawn. @type {string | null} */
let shape = null;

export const drawSections = () => {
  const sections = openDraft()?.sections ?? [];
  const gone = removed.at(-1);
  const wanted = JSON.stringify([sections, editing, gone, language()]);
  if (wanted === shape) return;
  shape = wanted;
  /** @type {HTMLElement | null} */
  const open = element.querySelector(".write-editor");
  const most = { heading: props.heads.heading, text: props.most.section, gist: props.most.gist };
  /** @param {Section} one */
  const drawn = (one) => {
    if (one.number !== editing) return drawSection(one);
    return open && Number(open.dataset.number) === editing ? open : drawEditor(one, most);
  };
  find(element, ".write-sections").replaceChildren(...sections.map(drawn));
  find(element, ".write-empty").hidden = sections.length > 0;
  find(element, ".write-export").hidden = !sections.length;
  find(element, ".write-removed").hidden = !gone;
  if (gone) {
    find(element, ".write-removed span").textContent = t("write_removed", { what: gone.heading || gone.sentence });
  }
  const count = sections.reduce((sum, one) => sum + countWords(one.text), 0);
  const size = sections.length ? t("write_words", { sections: sections.length, count: number(count) }) : "";
  find(element, ".write-size").textContent = size;
};
const editorText = () => find(element, ".write-editor textarea", HTMLTextAreaElement);
/** @param {HTMLElement} node of a section */
const sectionOf = (node) => {
  const place = node.closest("[data-number]");
  const wanted = Number(place?.getAttribute("data-number"));
  return openDraft()?.sections.find((one) => one.number === wanted);
};
/** @param {HTMLElement} node of the section */
export const edit = (node) => {
  editing = sectionOf(node)?.number ?? null;
  drawSections();
  grow(editorText());
  editorText().focus();
};
export const discard = () => {
  editing = null;
  drawSections();
  keepTyped();
};
/**
 * What the page before could not send any more stands in its editor.
 * @param {Edit} typed
 */
export const takeUpEdit = (typed) => {
  if (!openDraft()?.sections.some((one) => one.number === typed.number)) return;
  editing = typed.number;
  drawSections();
  /** @type {Record<string, string | undefined>} */
  const words = { heading: typed.heading, text: typed.text, gist: typed.gist };
  /** @type {(HTMLInputElement | HTMLTextAreaElement)[]} */
  const fields = findAll(find(element, ".write-editor"), "[name=heading], [name=text], [name=gist]");
  for (const one of fields) one.value = words[one.name] ?? "";
  grow(editorText());
};
/** @param {HTMLElement} form */
export const mend = (form) => {
  const told = given(form);
  if (told.text.trim()) editing = null;
  send("mend", { number: Number(form.dataset.number), ...told });
};

/** Of a draft that is open. */
const keepRemoved = () => {
  const draft = openDraft();
  const kept = [...removed, ...(returning ? [returning] : [])];
  if (draft) keepOf(REMOVED, draft.key, kept.length ? kept : null);
};
/** @param {HTMLElement} node of the section */
export const remove = (node) => {
  const one = sectionOf(node);
  if (!one) return;
  removed.push(one);
  keepRemoved();
  send("remove", { number: one.number });
};
export const bringBack = () => {
  const one = removed.pop();
  if (!one) return;
  returning = one;
  keepRemoved();
  const { number, heading, text, gist, model, revision } = one;
  send("restore", { number, heading, text, gist, model, revision });
};
/** It could not be brought back. */
export const notBroughtBack = () => {
  if (returning) removed.push(returning);
  returning = null;
};
/** The server has told of the open draft: what was on its way has come. */
export const sectionsTold = () => {
  if (openDraft()?.sections.some((one) => one.number === returning?.number)) returning = null;
  keepRemoved();
};
/** What can be brought back of the open draft, of which the page before was told. */
export const takeUpRemoved = () => {
  const draft = openDraft();
  removed = (draft && keptOf(REMOVED, draft.key)) ?? [];
};
export const isAnyRemoved = () => removed.length > 0 || returning !== null;
export const stopEditing = () => {
  editing = null;
};
export const clearSections = () => {
  [editing, removed, returning] = [null, [], null];
};
