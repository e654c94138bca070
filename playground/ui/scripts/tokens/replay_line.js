// What a replay found, in a sentence, with the button that writes from where it differs. Knows no text and no server.
import { find } from "../page/dom.js";
import { sentence } from "../page/words.js";
import { count } from "./token_numbers.js";
import { alone } from "./token_text.js";

/** @typedef {import("./token_look.js").Replay} Replay */
/** @typedef {import("./token_rows.js").Token} Token */

export class ReplayLine {
  #t;

  /**
   * @param {HTMLElement} section
   * @param {import("./token_text.js").Translate} t
   * @param {() => void} diverge
   */
  constructor(section, t, diverge) {
    this.#t = t;
    this.node = find(section, ".tk-replay");
    find(this.node, "[name=diverge]").addEventListener("click", diverge);
  }
  /**
   * @param {Replay | null} replay
   * @param {Token[]} tokens
   */
  draw(replay, tokens) {
    this.node.hidden = !replay;
    if (!replay) return;
    find(this.node, "p").textContent = sentence(replay.sentence) || this.#told(replay, tokens);
    find(this.node, "[name=diverge]").hidden = replay.first === null;
  }
  /** @param {Replay} replay @param {Token[]} tokens */
  #told({ first, would }, tokens) {
    const t = this.#t;
    if (first === null) return t("replay_same");
    const was = alone(tokens[first] ?? { id: null, text: "" }, t);
    return t("replay_first", { count: count(first), n: count(first + 1), was, would: alone(would[first], t) });
  }
}
