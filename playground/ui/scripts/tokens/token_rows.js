// The rows of a run as a token view holds them: told piece by piece, where `from` says at which token a piece goes, and what
// stood there and behind it goes away. Knows no node.
import { isNumber } from "../page/numbers.js";

/** @typedef {import("../types").Said} Said */
/** What is needed to name a token. @typedef {{id: number | null, text: string, special?: boolean}} Named */
/** @typedef {Named & {p: number | null}} Alternative */
/**
 * `logprob` is the model's, `p` what the samplers made of its probability; entropy in bits; `context` was there to be read.
 * @typedef {Named & {logprob: number | null, p: number | null, rank: number | null, entropy: number | null,
 *   top: Alternative[], context?: boolean}} Token
 */
/** A token as it is sent while something runs: `_packed` in tokens.py. @typedef {any[]} Packed */
/** A figure of a whole text. @typedef {{label: Said, value: Said, hint: Said}} Numbers */
/** @typedef {{row: number, tokens: Token[], done: boolean, numbers: Numbers[] | null}} Row */
/** @typedef {{row: number, from: number, tokens: (Token | Packed)[], done: boolean, numbers?: Numbers[] | null}} Part */
/**
 * What a view is told. `number` grows with each, `show` is the row to be looked at, `reason` why nothing can be asked.
 * @typedef {{run: string, rows: Part[], number?: number, show?: number | null, reason?: Said}} Piece
 */
/** Of a row: the first tokens that stayed, and whether it ended now. @typedef {{row: number, keep: number, finished: boolean}} Change */

/**
 * @param {Token | Packed} one
 * @returns {Token}
 */
export const unpacked = (one) => {
  if (!Array.isArray(one)) return one;
  const [id, text, logprob, p, rank, entropy, top, marks] = one;
  const others = top.map((/** @type {any[]} */ [other, written, chance, special]) => ({
    id: other,
    text: written,
    p: chance,
    special: Boolean(special),
  }));
  return {
    id,
    text,
    logprob,
    p,
    rank,
    entropy,
    top: others,
    special: Boolean(marks & 1),
    context: Boolean(marks & 2),
  };
};
/** @param {Token} one @param {Token} two */
const same = (one, two) => one.id === two.id && one.text === two.text;

export class TokenRows {
  /** @type {string | undefined} */
  run = undefined;
  /** @type {Map<number, Row>} */
  rows = new Map();
  /** A piece is missing between two that came. */
  gap = false;
  #newest = 0;

  /**
   * The last value of a run is told again when it ends, perhaps behind that of another one that was turned to meanwhile.
   * @param {Piece} piece
   */
  isOld(piece) {
    const old = isNumber(piece.number) && piece.number < this.#newest;
    this.#newest = Math.max(this.#newest, piece.number ?? 0);
    return old;
  }
  /**
   * @param {Piece} piece
   * @returns {{fresh: boolean, changes: Change[]}} whether it is of another run than what was here
   */
  merge(piece) {
    const fresh = piece.run !== this.run;
    if (fresh) {
      this.run = piece.run;
      this.rows = new Map(); // those of the run before stay as they were, for whoever shows them
    }
    this.gap = false;
    const parts = piece.rows.filter((part) => part.tokens);
    const changes = parts.map((part) => this.#put(part)).filter((change) => change !== null);
    return { fresh, changes };
  }
  /**
   * @param {Part} part
   * @returns {Change | null} null where what stands before it is missing
   */
  #put(part) {
    const row = this.rows.get(part.row) ?? { row: part.row, tokens: [], done: false, numbers: null };
    this.rows.set(part.row, row);
    if (part.numbers) row.numbers = part.numbers;
    if (part.from > row.tokens.length) {
      this.gap = true;
      return null;
    }
    const tokens = part.tokens.map(unpacked);
    let keep = part.from;
    for (const token of tokens) {
      if (keep >= row.tokens.length || !same(row.tokens[keep], token)) break;
      keep += 1;
    }
    row.tokens.length = keep;
    for (let at = keep - part.from; at < tokens.length; at += 1) row.tokens.push(tokens[at]);
    const finished = Boolean(part.done) && !row.done;
    row.done = Boolean(part.done);
    return { row: part.row, keep, finished };
  }
}
