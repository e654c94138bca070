// What this browser keeps of the tab Batch: the key of its job, and its form as it was left. A tab keeps its own over a
// reload; a new tab finds what was kept last. Knows no element.
import { store, stored } from "../page/kept.js";

/**
 * @typedef {{name: string, task: string, own?: string, wanted: Record<string, string>, fixed: Record<string, string>,
 *   n?: number | string, seed?: string, knobs?: boolean}} Form `name` is that of the file, `own` the task's YAML where it
 *   is a visitor's own
 */

const KEY = "playground-batch";
const FORM = "playground-batch-form"; // a Form, and the `key` of its job

/**
 * @param {string} name
 * @param {string} text
 */
const keepOfTab = (name, text) => {
  try {
    sessionStorage.setItem(name, text);
  } catch {
    // private window: not kept
  }
};
/**
 * @param {string} name
 * @param {string} text
 */
const keep = (name, text) => {
  store(name, text);
  keepOfTab(name, text);
};
/** @param {string} name */
const kept = (name) => {
  try {
    return sessionStorage.getItem(name) ?? stored(name);
  } catch {
    return stored(name);
  }
};
/** The key of the job, or nothing. */
export const keptKey = () => kept(KEY);
/** @param {string} key */
export const keepKey = (key) => keep(KEY, key);
/** The server does not know this job any more; what another tab keeps stays. */
export const forgetKey = () => {
  if (stored(KEY) === kept(KEY)) store(KEY, "");
  keepOfTab(KEY, "");
};
/**
 * @param {string} key of its job
 * @param {Form} form
 */
export const keepForm = (key, form) => keep(FORM, JSON.stringify({ key, ...form }));
/**
 * The form of this job as it was left.
 * @param {string} key
 * @returns {Form | null}
 */
export const keptForm = (key) => {
  try {
    const form = JSON.parse(kept(FORM) ?? "null");
    return form?.key === key ? form : null;
  } catch {
    return null; // nothing that can be read
  }
};
