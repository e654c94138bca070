// The candidates for the next section of the open draft: written by the model or by hand, edited, accepted.
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { drawLock, drawnSeed } from "../page/seed_lock.js";
import { sentence, t } from "../page/words.js";
import { drawCandidate, HIGHEST, makeCandidate } from "./candidate_view.js";
import { nextHeading } from "./head.js";
import { CARDS, keepOf, keptOf } from "./kept_drafts.js";
import { complain, notice } from "./notices.js";
import { place } from "./open_draft.js";
import { send, settle } from "./sending.js";
import { lockSeed, seed } from "./settings.js";
import { grow } from "./text_box.js";

/** @typedef {import("./candidate_view.js").Candidate} Candidate */
/** @typedef {import("../types").Said} Said */
/**
 * @typedef {{run: string, phase: string, rows: Candidate[], target?: number | null, status?: Said, notice?: Said,
 *   error?: {text: Said} | null, request?: {model?: string, revision?: string} | null}} News of what is being written (card_updates.py)
 */

const { element, props, trigger } = hostOf("write");
const UNHEARD = 15_000; // milliseconds after which a server that was to stop is taken for gone
/** @type {Candidate[]} */
let cards = [];
/** Something is written: into which card, or into all of them where that is null. @type {{target: number | null} | null} */
let busy = null;
/** Which run that is, once it is known. @type {string | null} */
let run = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;

export const drawCards = () => {
  const list = find(element, ".write-cards");
  while (list.children.length > cards.length) list.lastElementChild?.remove();
  const locked = seed() !== -1;
  cards.forEach((card, at) => {
    if (!list.children[at]) list.append(makeCandidate(at, props.most.section));
    drawCandidate(/** @type {HTMLElement} */ (list.children[at]), card, Boolean(busy), locked);
  });
  list.dataset.count = String(cards.length);
  drawLock(find(element, "[name=seed-lock]"), locked);
  find(element, "[name=go]", HTMLButtonElement).disabled = Boolean(busy);
  find(element, "[name=own]", HTMLButtonElement).disabled = Boolean(busy);
  find(element, "[name=halt]", HTMLButtonElement).disabled = !busy;
};
/** In another language. */
export const drawCardsAnew = () => {
  find(element, ".write-cards").replaceChildren();
  drawCards();
};
export const isWriting = () => busy !== null;
export const isAnyCard = () => cards.length > 0;
export const keepCards = () => keepOf(CARDS, place(), cards.length ? cards : null);
/**
 * What the page before had of a draft, by its key or what stands for it.
 * @param {string} key
 */
export const takeUpCards = (key) => {
  const found = keptOf(CARDS, key);
  cards = Array.isArray(found) ? found : [];
};
export const clearCards = () => {
  cards = [];
};
/** Another draft is shown: what is being written belongs nowhere. */
export const leaveCards = () => {
  if (busy) trigger("halt");
  [cards, busy, run] = [[], null, null];
};

/**
 * @param {"all" | "continue" | "regenerate"} action
 * @param {number | null} [at] which card
 */
export const write = (action, at = null) => {
  complain(null);
  notice(t("starting"));
  const text = at === null ? "" : cards[at].text;
  busy = { target: at };
  run = null;
  /** @param {Candidate} card @param {number} number */
  const begun = (card, number) => (number === at ? { ...card, finish: null, edited: false, own: false } : card);
  cards = at === null ? [] : cards.map(begun);
  send("go", { action, target: at, text });
  drawCards();
};
const ended = (finish = "stopped") => {
  clearTimeout(silence);
  cards = cards.map((card) => ({ ...card, finish: card.finish ?? finish }));
  busy = null;
  keepCards();
};
export const halt = () => {
  trigger("halt");
  // A server that is gone cannot say that it stopped.
  clearTimeout(silence);
  silence = setTimeout(() => {
    if (!busy) return;
    ended();
    notice(t("lost"));
    drawCards();
  }, UNHEARD);
};
/** The server is gone, with whatever it wrote. */
export const cutOff = () => {
  if (!busy) return;
  ended("gone");
  notice("");
};
/**
 * Nothing was taken, so nothing will be said of what was asked for.
 * @param {string} why
 */
export const refuse = (why) => {
  if (!busy || run) return;
  ended();
  settle();
  complain(why);
  drawCards();
};
/**
 * News of a run that was given up for another draft come late and belong nowhere.
 * @param {News | null} told
 */
export const hear = (told) => {
  if (!told || !busy || (run && told.run !== run)) return;
  run = told.run;
  told.rows.forEach((row, number) => {
    const at = told.target ?? number;
    const { model = "", revision = "" } = told.request ?? {};
    if (!cards[at]?.edited) cards[at] = { ...row, text: row.text.trimStart(), model, revision };
  });
  notice(told.status ? sentence(told.status) : "");
  if (told.notice) notice(sentence(told.notice));
  if (told.error) complain(told.error.text);
  if (told.phase === "done" || told.phase === "refused") {
    ended();
    if (told.phase === "refused") settle();
  }
  drawCards();
};

/** @param {HTMLElement} node of a card */
export const cardOf = (node) => Number(node.closest("[data-card]")?.getAttribute("data-card"));
export const addOwn = () => {
  cards = [...cards, { text: "", own: true, edited: true, finish: "end" }];
  drawCards();
  find(element, ".write-card:last-child textarea").focus();
};
/** @param {number} at */
export const accept = (at) => {
  const { text, model = "", revision = "" } = cards[at];
  send("accept", { card: at, heading: nextHeading(), text, model, revision });
};
/** @param {HTMLTextAreaElement} area of the card that was edited */
export const edited = (area) => {
  const card = cards[cardOf(area)];
  card.text = area.value;
  card.edited = true;
  keepCards();
  grow(area, HIGHEST);
  const node = area.closest("[data-card]");
  if (!node) return;
  find(node, "[name=accept]", HTMLButtonElement).disabled = !area.value.trim();
  find(node, ".remark").hidden = true;
};
/** @param {number} at */
export const lockSeedOf = (at) => {
  lockSeed(cards[at].seed ?? "");
  drawCards();
};
/** Locks the first card's seed, or opens the lock. */
export const turnLock = () => {
  lockSeed(seed() === -1 ? (cards[0]?.seed ?? drawnSeed()) : "");
  drawCards();
};
