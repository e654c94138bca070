// What this browser keeps of drafts: which there are, and of each what the server does not have. Several tabs share it, so
// it is read again before each change. Knows no element.
import { store, stored } from "../page/kept.js";
import { withDraft } from "./draft.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./draft.js").Listed} Listed */

export const DRAFTS = "playground-drafts"; // [{key, title}], the newest first
const SETTINGS = "playground-write";
export const CARDS = "playground-write-cards"; // by draft: candidates that wait to be accepted
export const TYPED = "playground-write-typed"; // by draft: what was typed and not sent yet, {head, edit}
export const REMOVED = "playground-write-removed"; // by draft: removed sections that can be brought back, the last one last
export const OPEN = "playground-write-open"; // of this tab: the draft that it shows
const TAB = "playground-write-tab"; // of this tab: its name, which stands for a draft that has no key yet
const NAMELESS = "new:";
const MOST_KEPT = 40; // drafts of which something is kept

/**
 * @param {string} name
 * @returns {string | null}
 */
export const ofTab = (name) => {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
};
/**
 * @param {string} name
 * @param {string} text
 */
export const keepOfTab = (name, text) => {
  try {
    sessionStorage.setItem(name, text);
  } catch {
    // private window: not kept
  }
};
/**
 * @param {string} name
 * @param {any} otherwise
 * @returns {any}
 */
const read = (name, otherwise) => {
  try {
    return JSON.parse(stored(name) ?? "null") ?? otherwise;
  } catch {
    return otherwise;
  }
};
/**
 * @param {string} name
 * @returns {Record<string, any>} by draft
 */
const readAll = (name) => {
  const all = read(name, {});
  return typeof all === "object" && !Array.isArray(all) ? all : {};
};
/**
 * @param {string} name
 * @param {[string, unknown][]} entries
 */
const storeAll = (name, entries) => {
  store(name, entries.length ? JSON.stringify(Object.fromEntries(entries.slice(-MOST_KEPT))) : "");
};
/**
 * What is kept of a draft; anybody may have written it.
 * @param {string} name CARDS, TYPED or REMOVED
 * @param {string} key
 * @returns {any}
 */
export const keptOf = (name, key) => {
  const found = readAll(name)[key];
  return typeof found === "object" ? found : null;
};
/**
 * Nothing is kept where `what` is null.
 * @param {string} name
 * @param {string} key
 * @param {unknown} what
 */
export const keepOf = (name, key, what) => {
  const others = Object.entries(readAll(name)).filter(([one]) => one !== key);
  storeAll(name, what === null ? others : [...others, [key, what]]);
};
/** What stands for the key of a draft that has none yet. */
export const tabName = () => {
  if (!ofTab(TAB)) keepOfTab(TAB, NAMELESS + Math.random().toString(36).slice(2));
  return ofTab(TAB) ?? NAMELESS;
};
/** A new tab takes up what a closed one left of a draft without a key; one that is still open keeps its own again. */
export const adopt = () => {
  if (ofTab(TAB)) return;
  const known = [...Object.keys(readAll(CARDS)), ...Object.keys(readAll(TYPED))];
  const left = known.filter((key) => key.startsWith(NAMELESS)).pop();
  if (!left) return;
  for (const name of [CARDS, TYPED]) {
    const found = keptOf(name, left);
    keepOf(name, left, null);
    if (found) keepOf(name, tabName(), found);
  }
};
/** @returns {Listed[]} */
export const listed = () => {
  const found = read(DRAFTS, []);
  return Array.isArray(found) ? found.filter((one) => typeof one?.key === "string") : [];
};
/**
 * @param {Draft} draft
 * @param {boolean} [newest]
 */
export const remember = ({ key, head }, newest = true) => {
  store(DRAFTS, JSON.stringify(withDraft(listed(), { key, title: head.title }, newest)));
};
/** @param {string} key */
export const forgotten = (key) => {
  store(DRAFTS, JSON.stringify(listed().filter((one) => one.key !== key)));
  for (const name of [CARDS, TYPED, REMOVED]) keepOf(name, key, null);
};
/** @returns {Record<string, any>} the numbers of the form, by name */
export const keptSettings = () => ({ ...read(SETTINGS, {}) });
/** @param {Record<string, unknown>} settings */
export const keepSettings = (settings) => {
  store(SETTINGS, JSON.stringify(settings));
};
