// What a token says of itself when it is pointed at or focused: a box below it, or above where there is no room. Knows no
// view.
import { find, make } from "../page/dom.js";
import { isNumber } from "../page/numbers.js";
import { differs } from "./token_look.js";
import { bits, count, modelChance, percent, surprise } from "./token_numbers.js";
import { alone, isPart } from "./token_text.js";

/** @typedef {import("./token_rows.js").Token} Token */

const OTHERS = 4;

/** @param {string} name @param {string} value */
const pair = (name, value) => [make("dt", { dir: "auto" }, name), make("dd", {}, value)];

export class TokenTip {
  #section;
  #tip;
  #t;

  /**
   * @param {HTMLElement} section what it stands in
   * @param {import("./token_text.js").Translate} t
   */
  constructor(section, t) {
    this.#section = section;
    this.#tip = find(section, ".tk-tip");
    this.#t = t;
  }
  hide() {
    this.#tip.hidden = true;
  }
  /**
   * @param {import("./row_text.js").RowText} text
   * @param {number} at
   */
  show(text, at) {
    const token = text.tokens[at];
    const span = text.spans[at];
    if (!token || !span) return;
    const t = this.#t;
    const { replay } = text.look;
    this.#tip.replaceChildren(
      ...this.#about(token, at),
      ...(replay && differs(replay, at)
        ? [make("p", { class: "tk-tip-note" }, t("label_would", { text: alone(replay.would[at], t) }))]
        : []),
    );
    const frame = span.closest(".results") ?? this.#section; // a text in its card is away from the section
    if (this.#tip.parentElement !== frame) frame.append(this.#tip);
    this.#tip.hidden = false;
    this.#place(span, frame.getBoundingClientRect());
  }
  /** @param {Token} token @param {number} at @returns {HTMLElement[]} */
  #about(token, at) {
    const t = this.#t;
    const rows = [
      ...(isNumber(token.logprob) ? pair(t("tip_model"), percent(modelChance(token))) : []),
      ...(isNumber(token.p) ? pair(t("tip_chain"), percent(token.p)) : []),
      ...(isNumber(token.rank) ? pair(t("by_rank"), count(token.rank)) : []),
      ...(isNumber(token.logprob) ? pair(t("by_surprise"), bits(surprise(token), t, 1)) : []),
      ...(isNumber(token.entropy) ? pair(t("by_entropy"), bits(token.entropy, t, 1)) : []),
    ];
    const others = (token.top ?? []).filter((other) => other.id !== token.id).slice(0, OTHERS);
    const place = t("token", { n: at + 1 });
    const name = make("b", { dir: "auto" }, alone(token, t));
    const number = make("span", {}, token.id === null ? place : `${place} · id ${token.id}`);
    const nodes = [
      make("p", { class: "tk-tip-name" }, name, number),
      rows.length ? make("dl", {}, ...rows) : make("p", { class: "tk-tip-note" }, t("unknown")),
    ];
    if ([token, ...others].some(isPart)) nodes.push(make("p", { class: "tk-tip-note" }, t("part")));
    const list = others.flatMap((other) => pair(alone(other, t), percent(other.p)));
    return list.length ? [...nodes, make("dl", { class: "tk-tip-others" }, ...list)] : nodes;
  }
  /** @param {HTMLElement} span @param {DOMRect} frame where what it stands in is */
  #place(span, frame) {
    const tip = this.#tip;
    const boxes = [...span.getClientRects()];
    const box = boxes[0] ?? span.getBoundingClientRect();
    const last = boxes.at(-1) ?? box;
    tip.style.left = `${Math.max(0, Math.min(box.left - frame.left, frame.width - tip.offsetWidth))}px`;
    const pane = span.closest("#desk")?.getBoundingClientRect(); // scrolls by itself on a wide screen
    const room = Math.min(window.innerHeight, pane?.bottom ?? Infinity) - last.bottom - 8;
    const above = room < tip.offsetHeight && box.top - Math.max(pane?.top ?? 0, 0) > tip.offsetHeight + 8;
    tip.style.top = `${above ? box.top - frame.top - tip.offsetHeight - 6 : last.bottom - frame.top + 6}px`;
  }
}
