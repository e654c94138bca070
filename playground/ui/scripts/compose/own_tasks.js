// A visitor's own tasks, as this browser keeps them for all its tabs: another tab may change them at any time. Told to the
// page as `user_tasks`. Knows no node and no server.
import { tell } from "../page/board.js";
import { store, stored } from "../page/kept.js";

/** @typedef {import("../tasks").OwnTask} OwnTask */

const KEPT = "playground-own-tasks";
/** @type {OwnTask[]} */
let list = [];

/**
 * Those of a kept text that can be read: anybody may have written it.
 * @param {string | null} text
 * @returns {OwnTask[]}
 */
export const readable = (text) => {
  try {
    const found = JSON.parse(text ?? "null");
    return Array.isArray(found) ? found.filter(isOwn) : [];
  } catch {
    return [];
  }
};
/** @param {any} one */
const isOwn = (one) =>
  typeof one?.key === "string" && typeof one.yaml === "string" && Array.isArray(one.record?.fields);
/**
 * With this one in the place of the one with its key, or behind all others.
 * @param {OwnTask[]} before
 * @param {OwnTask} one
 * @returns {OwnTask[]}
 */
export const withOne = (before, one) =>
  before.some((other) => other.key === one.key)
    ? before.map((other) => (other.key === one.key ? one : other))
    : [...before, one];
/** @param {string} yaml as editors may have left its lines */
const plain = (yaml) => yaml.replace(/[^\S\n]*\r?\n/g, "\n").trim();
/**
 * The one among the others that is the same text, or else one that has the same id and another text; null where neither
 * is.
 * @param {OwnTask[]} others
 * @param {Pick<OwnTask, "yaml" | "record">} one
 * @returns {{same: OwnTask} | {alike: OwnTask} | null}
 */
export const twinOf = (others, { yaml, record }) => {
  const same = others.find((other) => plain(other.yaml) === plain(yaml));
  if (same) return { same };
  const alike = others.find((other) => other.record.id === record.id);
  return alike ? { alike } : null;
};

const kept = () => readable(stored(KEPT));
/**
 * @param {OwnTask[]} changed
 * @returns {boolean} false where the browser keeps no more: then all is as it was
 */
const keep = (changed) => {
  if (!store(KEPT, JSON.stringify(changed))) return false;
  list = changed;
  tell("user_tasks", list);
  return true;
};

/**
 * The one of this key, as this tab knows it.
 * @param {string | null | undefined} key
 */
export const ownTask = (key) => list.find((one) => one.key === key);
/**
 * The twin of a new task, or of one that has changed, among all others that this browser keeps.
 * @param {Pick<OwnTask, "yaml" | "record"> & {key: string | null}} one
 */
export const twin = (one) => {
  const found = twinOf(
    kept().filter(({ key }) => key !== one.key),
    one,
  );
  const asked = found && "alike" in found && one.key !== null; // with a changed one it was so before, or is wished
  return asked ? null : found;
};
/** @param {OwnTask} one a new one, or one that is known by its key */
export const put = (one) => keep(withOne(kept(), one));
/**
 * @param {string | undefined} key
 * @returns {{at: number, one: OwnTask} | null} what is gone and from where; null where nothing is
 */
export const remove = (key) => {
  const before = kept();
  const at = before.findIndex((one) => one.key === key);
  return at >= 0 && keep(before.toSpliced(at, 1)) ? { at, one: before[at] } : null;
};
/**
 * @param {number} at
 * @param {OwnTask} one
 */
export const putBack = (at, one) => keep(kept().toSpliced(at, 0, one));
/** Reads and tells what is kept, and again whenever another tab has changed it. */
export const begin = () => {
  window.addEventListener("storage", (event) => {
    if (event.key === KEPT) read();
  });
  read();
};
const read = () => {
  list = kept();
  tell("user_tasks", list);
};
