// Places of the page and how an address names them: the tab, and on Play the kind and the task. Knows no browser.

/** @typedef {import("../topics").Kind} Kind */
/** @typedef {import("../topics").Place} Place */

const TABS = ["play", "write", "read", "batch", "train", "model"];
/** @type {Record<Kind, string>} */
const KINDS = { task: "task", complete: "prompt", chat: "question", talk: "conversation" };
const LONGEST = 100; // characters of a task's id

/** @param {string} [word] */
const kindNamed = (word) =>
  /** @type {Kind[]} */ (Object.keys(KINDS)).find((kind) => word === kind || word === KINDS[kind]);
/** @param {string} part */
const decoded = (part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
};
/**
 * What such words name, without what they do not name; null where there is no such tab.
 * @param {string} tab
 * @param {string} [word]
 * @param {string | null} [task]
 * @returns {Place | null}
 */
export const placeOf = (tab, word, task) => {
  const kind = kindNamed(word);
  if (!TABS.includes(tab)) return null;
  if (tab !== "play" || !kind) return { tab };
  return kind === "task" && task && task.length <= LONGEST ? { tab, kind, task } : { tab, kind };
};
/**
 * @param {string} fragment with the "#" before it
 * @returns {Place | null}
 */
export const read = (fragment) => {
  const [tab, word, task] = fragment.slice(1).split("/").map(decoded);
  return placeOf(tab, word, task);
};
/**
 * @param {Place} place
 * @returns {string}
 */
export const fragmentOf = ({ tab, kind, task }) => {
  if (tab !== "play" || !kind) return `#${tab}`;
  return `#play/${KINDS[kind]}${kind === "task" && task ? `/${encodeURIComponent(task)}` : ""}`;
};
/**
 * What a link asks for with `?task=` and the like; null where it does not.
 * @param {URLSearchParams} query
 * @returns {Place | null}
 */
export const asked = (query) =>
  placeOf(
    query.get("tab") ?? (query.has("task") || query.has("kind") ? "play" : ""),
    query.get("kind") ?? (query.has("task") ? "task" : ""),
    query.get("task"),
  );
