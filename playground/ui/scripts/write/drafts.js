// The drafts of this browser: one is open, another can be opened, begun or deleted. Draws what the server tells of the
// open one; what it tells of others is kept.
import { COMMAND, find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { apply, t } from "../page/words.js";
import * as candidates from "./candidates.js";
import { draftToOpen, isOpen, withoutHead } from "./draft.js";
import * as locks from "./draft_locks.js";
import * as head from "./head.js";
import * as kept from "./kept_drafts.js";
import { complain, notice } from "./notices.js";
import { openDraft, setDraft } from "./open_draft.js";
import * as sections from "./sections.js";
import * as sending from "./sending.js";
import { numberOf } from "./settings.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./draft.js").Typed} Typed */

const { element, props, trigger } = hostOf("write");
/** The key of the draft that was chosen and has not come. @type {string | null} */
let opening = null;
let openedAt = 0;

export const drawDrafts = () => {
  const known = kept.listed();
  const draft = openDraft();
  const picker = find(element, "[name=draft]");
  const options = known.map((one) =>
    make("option", { value: one.key, dir: "auto", selected: one.key === draft?.key }, one.title || t("write_untitled")),
  );
  picker.replaceChildren(...options);
  if (!draft) picker.prepend(make("option", { value: "", selected: true }, t("write_new")));
  find(element, ".write-drafts").hidden = known.length + (draft ? 0 : 1) < 2;
  find(element, "[name=forget]").hidden = !draft;
};
export const draw = () => {
  apply(element);
  find(element, ".go kbd").textContent = `${COMMAND}↵`;
  find(element, ".write-fleeting").hidden = !props.fleeting;
  drawDrafts();
  sections.drawSections();
  head.drawCarried();
  candidates.drawCardsAnew();
};
/**
 * What the page before could not send any more stands where it was typed, and is sent now.
 * @param {Typed} typed
 */
const takeUp = ({ head: words, edit }) => {
  if (words) head.takeUpHead(words);
  if (edit) sections.takeUpEdit(edit);
  if (words) sending.soon();
};
/**
 * The draft was left for another one: what was typed of it has arrived by now.
 * @param {Draft} told
 * @param {boolean} begins
 */
const hearOfOther = (told, begins) => {
  if (begins) kept.remember(told, false); // it was left before it had its key
  const typed = kept.keptOf(kept.TYPED, told.key);
  if (typed && sending.sent.isNewest(told)) kept.keepOf(kept.TYPED, told.key, withoutHead(typed));
  drawDrafts();
};
/** A section was taken into the text. */
const accepted = () => {
  head.clearHeading();
  candidates.clearCards();
  candidates.keepCards();
  notice(t("write_accepted"));
};
/** @param {Draft | null} told */
export const drawDraft = (told) => {
  if (!told) return;
  const draft = openDraft();
  const begins = sending.sent.begins(told);
  const now = { open: draft?.key ?? null, opening, asked: sending.isAsked(), sent: sending.sent.last };
  if (!isOpen(told, now)) {
    hearOfOther(told, begins);
    return;
  }
  const first = draft?.key !== told.key;
  if (draft && !first) head.followHead(draft.head, told.head);
  setDraft(told);
  sending.settle();
  opening = null;
  kept.remember(told);
  kept.keepOfTab(kept.OPEN, told.key);
  if (first) locks.hold(told.key);
  for (const name of [kept.CARDS, kept.TYPED]) kept.keepOf(name, kept.tabName(), null);
  if (told.opened) {
    candidates.takeUpCards(told.key);
    sections.takeUpRemoved();
    head.fillHead();
  } else if (first) candidates.keepCards();
  sections.sectionsTold();
  if ("accepted" in told) accepted();
  if (told.opened || "accepted" in told) head.setOwn(told.carried.own);
  if (first && !told.opened) sections.stopEditing();
  sending.heardAll(told.at);
  drawDrafts();
  sections.drawSections();
  head.drawCarried();
  candidates.drawCards();
  const left = told.opened && kept.keptOf(kept.TYPED, told.key);
  if (left) takeUp(left);
  else sending.keepTyped();
  sending.sendWaiting();
};
/** A draft of which nothing is left is no draft. @param {Draft} draft */
const isEmpty = (draft) =>
  head.isBlank() && !draft.sections.length && !candidates.isAnyCard() && !sections.isAnyRemoved();
/** Before another draft is shown: what was typed goes to the server; an empty draft goes away. */
const leave = () => {
  const draft = openDraft();
  if (!draft || !isEmpty(draft)) {
    sending.flush();
    return;
  }
  trigger("forget", { key: draft.key });
  kept.forgotten(draft.key);
};
const clear = () => {
  candidates.leaveCards();
  setDraft(null);
  sections.clearSections();
  sending.clearSending();
  kept.keepOfTab(kept.OPEN, "");
  locks.hold(null);
  complain(null);
  notice("");
  head.clearCarried();
  head.fillHead();
  draw();
};
/** @param {string} key */
export const open = (key) => {
  leave();
  clear();
  opening = key;
  openedAt = Date.now();
  sending.expect();
  trigger("opened", { key, length: numberOf("length"), room: numberOf("room"), at: openedAt });
};
export const beginNew = () => {
  leave();
  if (!openDraft()) kept.keepOf(kept.CARDS, kept.tabName(), null);
  clear();
  head.focusTitle();
};
/** @param {HTMLButtonElement} button which is pressed twice */
export const reallyForget = (button) => {
  const draft = openDraft();
  if (button.dataset.sure && draft) {
    trigger("forget", { key: draft.key });
    kept.forgotten(draft.key);
    clear();
  }
  button.textContent = t(button.dataset.sure ? "write_forget" : "write_forget_sure");
  button.dataset.sure = button.dataset.sure ? "" : "yes";
};
/** @param {{text: import("../types").Said, parameter: string | null, at: number} | null} told what could not be done */
export const hearComplaint = (told) => {
  if (!told) return;
  const ofOther = told.parameter === "draft" && told.at !== sending.sent.last && told.at !== openedAt;
  if (ofOther) return;
  sending.settle();
  sections.notBroughtBack();
  if (told.parameter === "draft" && opening) {
    const left = kept.keptOf(kept.TYPED, opening);
    kept.forgotten(opening);
    drawDrafts();
    if (left) takeUp(left);
  } else complain(told.text);
  sections.drawSections();
  opening = null;
  sending.sendWaiting();
};
/**
 * The draft that this tab showed before, or the newest that no other tab has open, or what was typed of one that had no key
 * yet.
 */
export const begin = async () => {
  kept.adopt();
  const nameless = kept.keptOf(kept.TYPED, kept.tabName());
  candidates.takeUpCards(kept.tabName());
  if (nameless || candidates.isAnyCard()) {
    candidates.drawCards();
    if (nameless) takeUp(nameless);
    return;
  }
  const key = draftToOpen(kept.listed(), kept.ofTab(kept.OPEN), await locks.openKeys());
  const untouched = !openDraft() && !opening && head.isBlank(); // nobody was faster
  if (key !== undefined && untouched) open(key);
};
