// A conversation as a tree of turns, and one way through it that is shown. Nothing is ever deleted: an edited turn or
// another answer stands beside the old one. No drawing here, and nothing of where it is kept.
import { answerOf } from "../cards/answer.js";

/** @typedef {import("../cards/answer.js").Row} Row */
/**
 * `parent` is the turn before it, `prefill` how its visitor had an answer begin. A message has at least one answer, always:
 * both begin together.
 * @typedef {Row & {id: string, parent: string, role: "user" | "assistant", prefill?: string}} Turn
 */
/** @typedef {{system: string, message: string, prefill: string}} Draft what stands in the fields */
/**
 * `shown`: by a turn's id the one behind it, or null where the way ends.
 * @typedef {{turns: Turn[], shown: Record<string, string | null>, draft: Draft}} Kept
 */
/** @typedef {["user" | "assistant", string]} Heard what the model hears of a turn */

export const ROOT = "";

export const newId = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
/**
 * What the model hears of a turn: never what it thought.
 * @param {Turn} turn
 */
export const heardOf = (turn) => answerOf(turn);
/**
 * The turn that is shown last, or the root.
 * @param {Turn[]} turns
 */
export const lastOf = (turns) => turns.at(-1)?.id ?? ROOT;

export class Conversation {
  /** @type {Turn[]} */
  turns = [];
  /** @type {Kept["shown"]} */
  shown = {};
  /** @type {Draft} */
  draft = { system: "", message: "", prefill: "" };

  /** @param {string | undefined} id */
  turn(id) {
    return this.turns.find((turn) => turn.id === id);
  }
  /** @param {string} id */
  behind(id) {
    return this.turns.filter((turn) => turn.parent === id);
  }
  /** The turns that could stand in the place of this one, and itself. @param {Turn} turn */
  beside(turn) {
    return this.behind(turn.parent);
  }
  /** The turns that are shown: behind each the one that was chosen, else the newest. */
  way() {
    const found = [];
    for (let turn = this.#next(ROOT); turn; turn = this.#next(turn.id)) found.push(turn);
    return found;
  }
  /** @param {string} id @returns {Turn | undefined} */
  #next(id) {
    const chosen = this.shown[id];
    const others = this.behind(id);
    return chosen === null ? undefined : (others.find((turn) => turn.id === chosen) ?? others.at(-1));
  }
  /**
   * @param {string} parent
   * @param {Turn["role"]} role
   * @param {Row & {prefill?: string}} more
   * @returns {Turn}
   */
  add(parent, role, more) {
    const turn = { id: newId(), parent, role, ...more };
    this.turns.push(turn);
    this.shown[parent] = turn.id;
    return turn;
  }
  /** Another one of those beside a turn is shown. @param {Turn} turn @param {number} steps */
  walk(turn, steps) {
    const others = this.beside(turn);
    const other = others[others.indexOf(turn) + steps];
    if (other) this.shown[turn.parent] = other.id;
  }
  /** What follows is no longer shown. @param {string} id */
  endAt(id) {
    this.shown[id] = null;
  }
  /** What follows is shown again. @param {string} id */
  goOnBehind(id) {
    delete this.shown[id];
  }
  /**
   * What the model has heard once it has heard this turn.
   * @param {string} id
   * @returns {Heard[]}
   */
  heardBefore(id) {
    /** @type {Heard[]} */
    const heard = [];
    for (let turn = this.turn(id); turn; turn = this.turn(turn.parent)) heard.unshift([turn.role, heardOf(turn)]);
    return heard;
  }

  /** @returns {Kept} */
  kept() {
    return { turns: this.turns, shown: this.shown, draft: this.draft };
  }
  /**
   * What was kept, if it is whole. A text that was being written when the page went was stopped by that.
   * @param {any} found
   */
  restore(found) {
    if (!isWhole(found)) return;
    this.turns = found.turns;
    this.shown = found.shown;
    for (const name of /** @type {(keyof Draft)[]} */ (Object.keys(this.draft))) {
      if (isText(found.draft[name])) this.draft[name] = found.draft[name];
    }
    for (const turn of this.turns) if (turn.role === "assistant") turn.finish ??= "stopped";
  }
}

/** @param {unknown} value */
const isText = (value) => typeof value === "string";
/** @param {any} turn */
const isTurn = (turn) =>
  Boolean(turn) &&
  isText(turn.id) &&
  isText(turn.parent) &&
  isText(turn.text) &&
  ["user", "assistant"].includes(turn.role);
/**
 * @param {any} found
 * @returns {found is Kept}
 */
const isWhole = (found) => {
  if (!found || !Array.isArray(found.turns) || !found.turns.every(isTurn) || !found.shown || !found.draft) return false;
  const known = new Map([[ROOT, "assistant"]]);
  for (const turn of found.turns) {
    // each behind a turn of the other role, that is there already: so no way runs in a circle
    if (known.has(turn.id) || known.get(turn.parent) !== (turn.role === "user" ? "assistant" : "user")) return false;
    known.set(turn.id, turn.role);
  }
  return true;
};
