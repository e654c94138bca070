// Where the answers of a conversation go: what was asked for and has not begun, and which turn each run writes. No drawing
// here, and nothing of how the server is asked.
import { lastOf, newId } from "./conversation.js";

/** @typedef {import("../cards/answer.js").Row} Row */
/** @typedef {import("../types").Said} Said */
/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./conversation.js").Turn} Turn */
/**
 * `under` is the turn before what is sent: before the message where there is a `text`, else the message itself. `draft`:
 * it stands in the fields, which are emptied once it begins.
 * @typedef {{under: string, text: string | null, prefill: string, draft?: boolean}} Ask
 */
/**
 * What the server tells while it writes (card_updates.py).
 * @typedef {{
 *   phase: string,
 *   number: number,
 *   run: string,
 *   rows: Row[],
 *   target: {talk?: string | null} | null,
 *   parted: {parent?: string | null} | null,
 *   status: Said,
 *   notice: Said,
 *   error: {parameter: string | null, text: Said} | null,
 * }} News
 */

export class Answers {
  #talk;
  /** By name. @type {Map<string, Ask>} */
  #asks = new Map();
  /** The one of these that has not begun. @type {Ask | null} */
  #asked = null;
  /** By run the turn that it writes. @type {Map<string, Turn>} */
  #begun = new Map();

  /** @param {Conversation} talk */
  constructor(talk) {
    this.#talk = talk;
  }
  /**
   * @param {Ask} ask
   * @returns {string} its name, which the answer comes back with
   */
  ask(ask) {
    const name = newId();
    this.#asks.set(name, ask);
    this.#asked = ask;
    return name;
  }
  /** @returns {boolean} whether an answer has begun and not ended */
  get writing() {
    return [...this.#begun.values()].some((turn) => !turn.finish);
  }
  /**
   * The turn that this run writes, as it is now; `fresh` where it has just begun.
   * @param {News} news
   * @returns {{turn: Turn, fresh: boolean}}
   */
  take(news) {
    const known = this.#begun.get(news.run);
    const turn = known ?? this.#begin(news);
    Object.assign(turn, news.rows[0]);
    return { turn, fresh: !known };
  }
  /**
   * Nothing is written any more. An edit that came to nothing is not lost.
   * @param {string} finish how what has not ended did
   */
  settle(finish) {
    const ask = this.#asked;
    if (ask && ask.text !== null && !ask.draft && !this.#talk.draft.message) {
      this.#talk.draft.message = ask.text;
      this.#talk.endAt(ask.under);
    }
    this.#asked = null;
    for (const turn of this.#begun.values()) turn.finish ??= finish;
  }

  /** @param {News} news @returns {Ask} */
  #placeOf(news) {
    const parent = news.parted?.parent;
    const from = parent ? this.#begun.get(parent.split(":")[0] ?? "") : undefined;
    if (from) return { under: from.parent, text: null, prefill: from.prefill ?? "" }; // from one of its tokens: beside it
    const { message, prefill } = this.#talk.draft;
    const asked = this.#asks.get(news.target?.talk ?? "");
    return asked ?? { under: lastOf(this.#talk.way()), text: message, prefill, draft: true };
  }
  /** @param {News} news */
  #begin(news) {
    const ask = this.#placeOf(news);
    this.#asks.delete(news.target?.talk ?? "");
    this.#asked = null;
    const message = ask.text === null ? ask.under : this.#talk.add(ask.under, "user", { text: ask.text }).id;
    if (ask.draft) Object.assign(this.#talk.draft, { message: "", prefill: "" });
    const turn = this.#talk.add(message, "assistant", { text: "", prefill: ask.prefill });
    this.#begun.set(news.run, turn);
    return turn;
  }
}
