// What goes to the server of a draft: the events, each with all that was typed until then, and what is typed a moment after
// the last key. Until the server has answered, this browser keeps it over a reload.
import { hostOf } from "../page/element.js";
import { Sent, unsentOf } from "./draft.js";
import { changes, isBlank } from "./head.js";
import { keepOf, TYPED } from "./kept_drafts.js";
import { openDraft, place } from "./open_draft.js";
import { given } from "./section_view.js";
import { numberOf, seed, withKnobs } from "./settings.js";

/** @typedef {import("../events").Events["write"]} Events */
/** @typedef {"accept" | "go" | "keep" | "mend" | "remove" | "restore"} AboutDraft events that bring the draft along */
/** @typedef {{[E in AboutDraft]: Omit<Events[E], keyof Events["keep"]>}} More what each of them says besides */

const { element, trigger } = hostOf("write");
const PAUSE = 400; // milliseconds without a key before what was typed is sent
/** Events go by their names here, and `send` says what belongs to each. */
const tell = /** @type {(event: string, data: Events["keep"]) => void} */ (/** @type {unknown} */ (trigger));
export const sent = new Sent();
/** A new draft, or one from the list, is on its way. */
let asked = false;
/** Events that need it. @type {(() => void)[]} */
let waits = [];
/** Of what was typed and not sent yet. @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** Something of the head was typed that no answer has come to yet. */
let unheard = false;

export const isAsked = () => asked;
export const isTyped = () => timer !== undefined;
const stopTimer = () => {
  clearTimeout(timer);
  timer = undefined;
};
/** What was typed and is not kept on the server yet. */
export const keepTyped = () => {
  /** @type {HTMLElement | null} */
  const form = element.querySelector(".write-editor");
  const edit = form && { number: Number(form.dataset.number), ...given(form) };
  keepOf(TYPED, place(), unsentOf(unheard ? changes() : null, edit));
};
/**
 * @template {AboutDraft} E
 * @param {E} event
 * @param {More[E]} more
 */
export const send = (event, more) => {
  const draft = openDraft();
  if (!draft && asked) {
    waits.push(() => send(event, more));
    return;
  }
  asked = !draft;
  stopTimer();
  tell(event, {
    key: draft?.key ?? null,
    head: changes(),
    at: sent.next(draft?.key ?? null, Date.now()),
    length: numberOf("length"),
    room: numberOf("room"),
    n: numberOf("n"),
    seed: seed(),
    knobs: withKnobs(),
    ...more,
  });
};
/** Something was typed. */
export const soon = () => {
  stopTimer();
  unheard = Boolean(openDraft()) || asked || !isBlank(); // empty fields are no draft
  keepTyped();
  if (unheard) timer = setTimeout(() => send("keep", {}), PAUSE);
};
export const flush = () => {
  if (isTyped()) send("keep", {});
};
/** A draft of the list was asked for. */
export const expect = () => {
  asked = true;
};
/** Nothing more is on its way. */
export const settle = () => {
  asked = false;
};
/** @param {number} at when it was asked what was answered now */
export const heardAll = (at) => {
  if (at === sent.last && !isTyped()) unheard = false;
};
/** What has waited for a draft goes now. */
export const sendWaiting = () => {
  for (const goes of waits.splice(0)) goes();
};
export const clearSending = () => {
  [asked, waits, unheard] = [false, [], false];
  stopTimer();
};
