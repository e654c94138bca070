// The tab Write: a long text, section by section. The server keeps the draft, this browser the key to it; every answer
// brings the whole draft in the prop `draft`, candidates are heard as they grow. What is typed is sent a moment later.
import { on } from "../page/board.js";
import { around } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { listen } from "../page/feed.js";
import { saveFile } from "../page/save_file.js";
import { t } from "../page/words.js";
import * as candidates from "./candidates.js";
import * as drafts from "./drafts.js";
import * as head from "./head.js";
import { DRAFTS } from "./kept_drafts.js";
import { complain } from "./notices.js";
import { openDraft } from "./open_draft.js";
import * as sections from "./sections.js";
import { isTyped, keepTyped, send, soon } from "./sending.js";
import { fillSettings, keepSettings, NUMBERS, settleSeed } from "./settings.js";
import { grow } from "./text_box.js";

/** @typedef {(button: HTMLButtonElement) => void} Press */

const { element, props, trigger, watch } = hostOf("write");
const SETTINGS = [...NUMBERS, "seed"];

/** @param {string} kind */
const save = (kind) => {
  const draft = openDraft();
  if (draft) trigger("save", { key: draft.key, kind, at: Date.now() });
};
/** @type {Record<string, Press>} */
const PRESSED = {
  new: drafts.beginNew,
  go: () => candidates.write("all"),
  halt: candidates.halt,
  own: candidates.addOwn,
  accept: (button) => candidates.accept(candidates.cardOf(button)),
  continue: (button) => candidates.write("continue", candidates.cardOf(button)),
  regenerate: (button) => candidates.write("regenerate", candidates.cardOf(button)),
  "seed-lock": candidates.turnLock,
  "keep-seed": (button) => candidates.lockSeedOf(candidates.cardOf(button)),
  edit: sections.edit,
  discard: sections.discard,
  remove: sections.remove,
  back: sections.bringBack,
  reset: () => {
    head.setOwn(false);
    send("keep", {});
  },
  forget: drafts.reallyForget,
  md: () => save("md"),
  docx: () => save("docx"),
  txt: () => save("txt"),
};

element.addEventListener("click", (event) => {
  const button = around(event, "button", HTMLButtonElement);
  if (!button || button.type === "submit") return;
  complain(null);
  PRESSED[button.name]?.(button);
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target instanceof HTMLElement) sections.mend(event.target);
});
element.addEventListener("input", (event) => {
  const field = /** @type {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} */ (event.target);
  const ofHead = "head" in field.dataset;
  if (field.name === "carried") head.setOwn(field.value.trim() !== "");
  if (ofHead || SETTINGS.includes(field.name)) complain(null);
  if (ofHead) soon();
  if (field.name === "plan" && field instanceof HTMLTextAreaElement) grow(field);
  if (field.closest(".write-editor")) keepTyped();
  if (field.classList.contains("write-text") && field instanceof HTMLTextAreaElement) candidates.edited(field);
  if (SETTINGS.includes(field.name)) {
    candidates.drawCards();
    keepSettings();
  }
  if (NUMBERS.includes(field.name) && openDraft()) soon();
});
element.addEventListener("change", (event) => {
  const picker = around(event, "[name=draft]", HTMLSelectElement);
  if (picker?.value) drafts.open(picker.value);
  if (around(event, "[name=seed]")) settleSeed();
});
element.addEventListener("keydown", (event) => {
  const enter = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (enter && !candidates.isWriting()) candidates.write("all");
  if (event.key === "Escape" && candidates.isWriting()) candidates.halt();
  if (enter) event.preventDefault();
});
element.addEventListener("focusout", (event) => {
  const left = /** @type {HTMLElement & {name?: string}} */ (event.target);
  if (left.name === "carried" && !isTyped()) head.drawCarried();
  if (left.name === "forget") {
    left.dataset.sure = "";
    left.textContent = t("write_forget");
  }
});
watch("draft", () => drafts.drawDraft(props.draft));
watch("complaint", () => drafts.hearComplaint(props.complaint));
watch("file", () => {
  const told = props.file;
  if (!told) return;
  const data = told.base64 ? Uint8Array.from(atob(told.base64), (one) => one.charCodeAt(0)) : told.text;
  saveFile(told.name, data);
});
listen("write", (news) => drafts.drawDraft(news.draft));
listen("write-news", candidates.hear);
on(
  "connection",
  ({ state }) => {
    if (state !== "there") candidates.cutOff();
    candidates.drawCards();
  },
  "write",
);
on("refused", candidates.refuse, "write");
on(
  "language",
  () => {
    head.followLanguage();
    drafts.draw();
  },
  "write",
);
on(
  "server",
  (status) => {
    if (status.model && openDraft()?.carried.tokens === null) send("keep", {}); // figures need the model's tokenizer
  },
  "write",
);
window.addEventListener("storage", (event) => {
  if (event.key === DRAFTS) drafts.drawDrafts();
});
window.addEventListener("pagehide", () => {
  if (openDraft()) return;
  candidates.keepCards();
  keepTyped();
});

head.limitHead();
fillSettings();
head.fillHead();
drafts.draw();
drafts.begin();
