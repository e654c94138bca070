// Messages between elements of this page; topics.d.ts names each with its fields. Knows no element.

/** @typedef {import("../topics").Topics} Topics */

/** A listener that comes late is told the last of these first, but never an old wish. @type {Set<keyof Topics>} */
const STATES = new Set([
  "server",
  "run",
  "theme",
  "knobs",
  "kind",
  "talk",
  "window",
  "user_tasks",
  "composed",
  "path",
  "wishing",
  "preset",
  "preset_title",
  "connection",
]);
/** @type {Map<string, Map<unknown, (message: any) => void>>} */
const listeners = new Map();
/** @type {Map<string, any>} */
const last = new Map();

/**
 * @template {keyof Topics & string} T
 * @param {T} topic
 * @param {(message: Topics[T]) => void} listener
 * @param {unknown} [owner] whose listener this is: another one of his takes its place
 */
export const on = (topic, listener, owner = listener) => {
  const known = listeners.get(topic) ?? new Map();
  listeners.set(topic, known);
  known.set(owner, listener);
  if (last.has(topic)) listener(last.get(topic));
};
/**
 * @template {keyof Topics & string} T
 * @param {T} topic
 * @param {Topics[T]} message
 */
export const tell = (topic, message) => {
  if (STATES.has(topic)) last.set(topic, message);
  for (const listener of (listeners.get(topic) ?? new Map()).values()) listener(message);
};
/**
 * The last message of a topic that is a state.
 * @template {keyof Topics & string} T
 * @param {T} topic
 * @returns {Topics[T] | undefined}
 */
export const latest = (topic) => last.get(topic);
