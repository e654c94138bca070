// One text as its tokens: each row of a run has one, which keeps its place when another is looked at. New tokens are
// appended; what stands is not touched while the text grows. Knows no server and no other text.
import { isolate } from "../page/direction.js";
import { make } from "../page/dom.js";
import { language } from "../page/language.js";
import { breaksLine } from "./line_rules.js";
import { makeLine, putOn, takeOff } from "./token_lines.js";
import { classesOf, labelParts } from "./token_look.js";
import { alone, inText } from "./token_text.js";

/** @typedef {import("./token_rows.js").Token} Token */
/** @typedef {import("./token_look.js").Look} Look */
/**
 * What a text asks of its view: the row's tokens as they are now, how they are looked at, and which candidate it is called.
 * @typedef {{ids: boolean, t: import("./token_text.js").Translate, tokens: (row: number) => Token[],
 *   look: (row: number) => Look, candidate: (row: number) => number}} TextOptions
 */

const NEAR = 8; // pixels above its end at which a text still follows what is written
const RIGHT = 0.6; // of the width, behind which a label hangs to the left

export class RowText {
  #options;
  /** The last token that is drawn. @type {Token | undefined} */
  #seen = undefined;
  /** How all that is drawn looks; null where not all of it looks alike. @type {(Look & {language: string}) | null} */
  #drawn = null;
  /** One for each token that is drawn. @type {HTMLElement[]} */
  spans = [];
  /** The token that is the one tab stop. */
  current = 0;

  /**
   * @param {number} row
   * @param {TextOptions} options
   */
  constructor(row, options) {
    this.row = row;
    this.#options = options;
    const name = options.ids ? "tk-text tk-ids" : "tk-text";
    /** @type {HTMLElement} */
    this.node = make("div", { class: name, role: "toolbar", "aria-orientation": "horizontal", hidden: true });
  }
  /** @returns {Token[]} */
  get tokens() {
    return this.#options.tokens(this.row);
  }
  /** @returns {Look} */
  get look() {
    return this.#options.look(this.row);
  }
  /** The node of the token that is the tab stop. @returns {HTMLElement | undefined} */
  get stop() {
    return this.spans[this.current];
  }
  /** @param {number} at */
  moveStop(at) {
    if (this.stop) this.stop.tabIndex = -1;
    this.current = Math.min(Math.max(at, 0), Math.max(this.spans.length - 1, 0));
    if (this.stop) this.stop.tabIndex = 0;
  }
  /** Like it, with the focus. @param {number} at */
  goTo(at) {
    this.moveStop(at);
    this.stop?.focus({ preventScroll: true });
  }
  /** A text that was drawn nowhere may lack what came meanwhile. */
  catchUp() {
    const list = this.tokens;
    if (this.spans.length !== list.length || this.#seen !== list.at(-1)) this.drawFrom(0);
    else if (!this.#isDrawn()) this.redraw();
    else this.#name();
  }
  /** Whether every token looks as it is to look now: drawing a long text again takes longer than a token takes to come. */
  #isDrawn() {
    const { mode, replay, picked } = this.look;
    const drawn = this.#drawn;
    return drawn?.mode === mode && drawn.replay === replay && drawn.picked === picked && drawn.language === language();
  }
  /**
   * Everything from this token on is new; before it nothing is touched. What a line break ends is a block of its own, so
   * that the browser lays out only the last one when tokens are added.
   * @param {number} keep
   */
  drawFrom(keep) {
    const { node, spans, tokens: list, look } = this;
    const following = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR;
    const alike = keep === 0 || this.#isDrawn();
    for (const span of spans.splice(keep)) takeOff(span);
    const added = document.createDocumentFragment();
    let line =
      keep > 0 && !breaksLine(list[keep - 1]) ? /** @type {HTMLElement | null} */ (node.lastElementChild) : null;
    for (let at = keep; at < list.length; at += 1) {
      if (!line) {
        line = makeLine();
        added.append(line);
      }
      spans.push(this.#make(list[at], at, look));
      putOn(line, spans[at]);
      if (breaksLine(list[at])) line = null;
    }
    node.append(added);
    if (this.current >= spans.length) this.moveStop(spans.length - 1);
    this.#name();
    if (following && keep > 0) node.scrollTop = node.scrollHeight;
    node.hidden = !list.length;
    this.#seen = list.at(-1);
    this.#drawn = alike ? { ...look, language: language() } : null;
  }
  /** The same row is another candidate in another run. */
  #name() {
    const { t, candidate } = this.#options;
    this.node.setAttribute("aria-label", t("toolbar", { n: candidate(this.row) }));
  }
  redraw() {
    const { node, spans, tokens, look } = this;
    const { replay } = look;
    node.classList.toggle("tk-replaying", Boolean(replay));
    this.#name();
    tokens.forEach((token, at) => {
      if (spans[at]) this.#draw(spans[at], token, at, look);
    });
    this.#drawn = { ...look, language: language() };
    // The label of the first token that would differ hangs below it and must not stick out of the text.
    const first = replay && replay.first !== null ? spans[replay.first] : null;
    if (!first) return;
    const box = first.getClientRects()[0];
    const frame = node.getBoundingClientRect();
    first.classList.toggle("tk-left", Boolean(box) && box.left - frame.left > frame.width * RIGHT);
  }
  /**
   * One token that was picked, or is no longer.
   * @param {number} at
   */
  mark(at) {
    const { look } = this;
    if (!this.spans[at]) return;
    this.#draw(this.spans[at], this.tokens[at], at, look);
    this.spans[at].setAttribute("aria-pressed", String(look.picked === at));
    if (this.#drawn) this.#drawn.picked = look.picked; // whoever picks marks both, the one before and this one
  }
  /** @param {HTMLElement} span @param {Token} token @param {number} at @param {Look} look */
  #draw(span, token, at, look) {
    const { t } = this.#options;
    const { replay } = look;
    span.className = classesOf(token, at, look);
    span.setAttribute("aria-label", labelParts(token, at, look, t).join(language() === "zh" ? "，" : ", "));
    if (replay?.first === at) span.dataset.would = `→ ${isolate(alone(replay.would[at], t))}`;
    else delete span.dataset.would;
  }
  /** @param {Token} token @param {number} at @param {Look} look @returns {HTMLElement} */
  #make(token, at, look) {
    const { ids, t } = this.#options;
    const span = document.createElement("span");
    span.textContent = ids ? alone(token, t) : inText(token);
    if (ids) span.append(make("small", {}, String(token.id)));
    span.setAttribute("role", "button");
    span.tabIndex = at === this.current ? 0 : -1;
    span.dataset.at = String(at);
    this.#draw(span, token, at, look);
    return span;
  }
}
