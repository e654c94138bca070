// What a draft is, and what of it is where: on the server, on its way there, or only here. Pure: knows no page and no
// storage.

/**
 * @typedef {{number: number, heading: string, text: string, gist: string, sentence: string,
 *   model?: string, revision?: string}} Section `sentence` is its first one, which stands for it where there is no gist;
 *   `model` wrote it
 * @typedef {{text: string, tokens: number | null, context: number | null, uncounted?: import("../types").Said,
 *   own: boolean, over: boolean}} Carried what goes in front of the next section; without figures while no model is
 *   loaded, or where its engine tells none
 * @typedef {Record<string, string>} Head what was typed of a draft, by field
 * @typedef {{key: string, head: Head, sections: Section[], carried: Carried, remark: import("../types").Said,
 *   at: number, opened?: boolean, accepted?: unknown}} Draft as the server told it; `at` is when it was asked
 * @typedef {{key: string, title: string}} Listed
 * @typedef {{number: number, heading?: string, text?: string, gist?: string}} Edit a section being edited
 * @typedef {{head: Head | null, edit: Edit | null}} Typed what was typed and the server does not have
 */

/**
 * The drafts of this browser, the newest first, with this one among them.
 * @param {Listed[]} known
 * @param {Listed} draft
 * @param {boolean} newest
 * @returns {Listed[]}
 */
export const withDraft = (known, { key, title }, newest) => {
  const others = known.filter((one) => one.key !== key);
  return newest ? [{ key, title }, ...others] : [...others, { key, title }];
};
/**
 * Which draft a page begins with: the one that it showed before, or the newest that no other tab has open.
 * @param {Listed[]} known
 * @param {string | null} before
 * @param {Set<string>} [elsewhere] the keys of drafts that are open in tabs
 * @returns {string | undefined}
 */
export const draftToOpen = (known, before, elsewhere = new Set()) =>
  (known.find((one) => one.key === before) ?? known.find((one) => !elsewhere.has(one.key)))?.key;
/**
 * What was changed here alone, so that another tab's changes of the same draft stay; of a new draft all.
 * @param {Head} texts
 * @param {Head | undefined} known what the server has
 * @returns {Head}
 */
export const changedTexts = (texts, known) =>
  Object.fromEntries(Object.entries(texts).filter(([name, text]) => text !== known?.[name]));
/**
 * What has to be kept until the server has answered; null for nothing.
 * @param {Head | null} head null where all of it was heard
 * @param {Edit | null} edit
 * @returns {Typed | null}
 */
export const unsentOf = (head, edit) => (head || edit ? { head, edit } : null);
/**
 * What is left to be kept once the server has told that it has the head.
 * @param {Typed} typed
 * @returns {Typed | null}
 */
export const withoutHead = ({ edit }) => unsentOf(null, edit);

/** Which answers belong to which events; each of these has a time of its own, which comes back with its answer. */
export class Sent {
  /** When the last event went. */
  last = 0;
  /** By draft: when its last event went. @type {Map<string, number>} */
  #newest = new Map();
  /** Of drafts that have no key yet: when they were sent. @type {Set<number>} */
  #begun = new Set();

  /**
   * The time of an event that goes now.
   * @param {string | null} key of its draft, if it has one already
   * @param {number} now
   */
  next(key, now) {
    this.last = Math.max(now, this.last + 1);
    if (key === null) this.#begun.add(this.last);
    else this.#newest.set(key, this.last);
    return this.last;
  }
  /**
   * Whether a draft begins with this answer, which is taken down.
   * @param {Draft} told
   */
  begins(told) {
    return this.#begun.delete(told.at);
  }
  /**
   * Whether it answers the last event about its draft.
   * @param {Draft} told
   */
  isNewest(told) {
    return told.at === this.#newest.get(told.key);
  }
}
/**
 * Whether an answer is about the draft that is open: that of the one before may come late.
 * @param {Pick<Draft, "key" | "at">} told
 * @param {{open: string | null, opening: string | null, asked: boolean, sent: number}} now which draft is open or asked
 *   for, by key; or whether a new one was asked for, and when
 */
export const isOpen = ({ key, at }, { open, opening, asked, sent }) => {
  if (open !== null) return key === open;
  return opening ? key === opening : asked && at === sent;
};
/**
 * Words, or Chinese characters.
 * @param {string} text
 */
export const countWords = (text) => (text.match(/[\u3400-\u9fff]|[^\s\u3400-\u9fff]+/gu) ?? []).length;
