// Entropy (a line) and surprise (stems) over the tokens of one candidate, in bits, and the numbers of the whole text.
// Takes what the tokens of its scope are told; says `pick`.
import { candidateOf } from "../cards/shown_runs.js";
import { on } from "../page/board.js";
import { find, make, svg } from "../page/dom.js";
import { say } from "../page/language.js";
import { isNumber } from "../page/numbers.js";
import * as curve from "./curve_scale.js";
import { count, fixed, surprise } from "./token_numbers.js";
import { TokenRows } from "./token_rows.js";
import { alone, spoken } from "./token_text.js";
import { wordsOf } from "./token_words.js";
import { busOf } from "./view_bus.js";

/** @typedef {import("./view_bus.js").News} News */

const { HEIGHT, LEFT, BELOW, RIGHT } = curve;
/** @type {Record<string, number>} */
const MOVES = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -Infinity,
  End: Infinity,
};

class Curve {
  #held = new TokenRows();
  /** The row that is drawn. */
  #row = 0;
  /** The token under the cursor. */
  #at = 0;
  /** The one that the reader went to. @type {number | null} */
  #marked = null;
  #waits = false;
  #host;
  #bus;
  #words;
  #box;
  #plot;

  /** @param {import("../types").Host<"curve">} host */
  constructor(host) {
    this.#host = host;
    this.#bus = busOf(host);
    this.#words = wordsOf("tokens", host.props.words);
    this.#box = find(host.element, ".cv");
    this.#plot = find(host.element, ".cv-plot");
    if (this.#isFixed) this.#row = host.props.row;
    const plot = this.#plot;
    plot.addEventListener("pointermove", (event) => this.#follow(event));
    plot.addEventListener("pointerleave", () => {
      if (this.#marked !== null) this.#go(this.#marked);
    });
    plot.addEventListener("click", (event) => {
      this.#follow(event);
      this.#pick(false);
    });
    plot.addEventListener("keydown", (event) => this.#press(event));
    this.#bus.hear((news) => this.#hear(news));
    new ResizeObserver(() => {
      if (!this.#box.hidden) this.#later();
    }).observe(plot);
    this.#bus.tell({ kind: "hello" });
  }
  /** Whether it is about one row for good. */
  get #isFixed() {
    return isNumber(this.#host.props.row);
  }
  get #candidate() {
    return this.#host.props.scope ? this.#row + 1 : candidateOf(this.#held.run, this.#row);
  }
  get #shown() {
    return this.#held.rows.get(this.#row);
  }
  get #tokens() {
    return this.#shown?.tokens ?? [];
  }
  get #scale() {
    return curve.scaleOf(this.#tokens, this.#plot.clientWidth);
  }

  /** @param {number} place */
  #readout(place) {
    const token = this.#tokens[place];
    if (!token) return "";
    const { t } = this.#words;
    const figures = { entropy: fixed(token.entropy, 1), surprise: fixed(surprise(token), 1) };
    return t("readout", { n: place + 1, text: alone(token, t), ...figures });
  }
  #summary() {
    const tokens = this.#tokens;
    const { t } = this.#words;
    const found = curve.entropies(tokens);
    if (!found) return t("curve_unknown");
    const token = tokens[found.highest];
    return t("summary", {
      count: count(tokens.length),
      mean: fixed(found.mean, 1),
      n: found.highest + 1,
      text: spoken(token, t),
      highest: fixed(token.entropy, 1),
    });
  }
  /** Puts the cursor at a token, or at the nearest end. @param {number} place */
  #go(place) {
    this.#at = Math.min(Math.max(place, 0), Math.max(this.#tokens.length - 1, 0));
    const { x } = this.#scale;
    const cursor = this.#plot.querySelector(".cv-cursor");
    cursor?.setAttribute("x1", String(x(this.#at)));
    cursor?.setAttribute("x2", String(x(this.#at)));
    /** @type {SVGElement | null} */
    const mark = this.#plot.querySelector(".cv-mark");
    if (mark) mark.style.display = this.#marked === null ? "none" : "";
    mark?.setAttribute("cx", String(x(this.#marked ?? 0)));
    const said = this.#readout(this.#at);
    find(this.#box, ".cv-read").textContent = said;
    this.#plot.setAttribute("aria-valuenow", String(this.#at + 1));
    this.#plot.setAttribute("aria-valuetext", said);
  }
  #picture() {
    const tokens = this.#tokens;
    const scale = this.#scale;
    const { width, x, y } = scale;
    const size = { viewBox: `0 0 ${width} ${HEIGHT + BELOW}`, width, height: HEIGHT + BELOW };
    const grid = curve
      .levels(scale)
      .flatMap((bits) => [
        svg("line", { class: "cv-grid", x1: LEFT, x2: width - RIGHT, y1: y(bits), y2: y(bits) }),
        svg("text", { class: "cv-tick", x: LEFT - 6, y: y(bits) + 4, "text-anchor": "end" }, String(bits)),
      ]);
    const below = { class: "cv-tick", y: HEIGHT + 13, "text-anchor": "middle" };
    return svg(
      "svg",
      { ...size, "aria-hidden": "true" },
      ...grid,
      ...curve.ticks(tokens.length).map((n) => svg("text", { ...below, x: x(n - 1) }, String(n))),
      svg("path", { class: "cv-surprise", d: curve.stems(tokens, scale), "stroke-width": curve.stemWidth(scale) }),
      svg("path", { class: "cv-entropy", d: curve.line(tokens, scale) }),
      svg("line", { class: "cv-cursor", x1: 0, x2: 0, y1: 2, y2: HEIGHT }),
      svg("circle", { class: "cv-mark", cx: 0, cy: HEIGHT, r: 4 }),
    );
  }
  draw() {
    this.#waits = false;
    const row = this.#shown;
    this.#box.hidden = !row?.tokens.length;
    if (!row?.tokens.length) return;
    const { t, apply } = this.#words;
    apply(this.#host.element);
    this.#plot.replaceChildren(this.#picture());
    this.#plot.setAttribute("aria-valuemax", String(row.tokens.length));
    this.#plot.setAttribute("aria-label", t("curve_label", { n: this.#candidate }));
    this.#go(this.#at);
    find(this.#box, ".cv-voice").textContent = row.done ? this.#summary() : "";
    const numbers = (row.numbers ?? []).map(({ label, value, hint }) =>
      make("div", { title: say(hint) || null }, make("dt", {}, say(label)), make("dd", {}, say(value))),
    );
    find(this.#box, ".cv-numbers").replaceChildren(...numbers);
  }
  /** A growing text is drawn at most once a frame. */
  #later() {
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => this.draw());
  }

  /** @param {boolean} focus whether the panel about the token takes it */
  #pick(focus) {
    if (!this.#tokens.length) return;
    this.#marked = this.#at;
    this.#go(this.#at);
    const where = { run: this.#held.run, row: this.#row, position: this.#at };
    this.#bus.tell({ kind: "picked", ...where, focus });
    this.#host.trigger("pick", where);
  }
  /** @param {MouseEvent} event */
  #follow(event) {
    this.#go(curve.placeAt(this.#scale, event.clientX - this.#plot.getBoundingClientRect().left));
  }
  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const picks = event.key === "Enter" || event.key === " ";
    const move = MOVES[event.key];
    if (picks || move) event.preventDefault();
    if (picks) this.#pick(true);
    else if (move) this.#go(this.#at + move);
  }
  /** @param {News} news */
  #hear(news) {
    if (news.kind === "news") this.#receive(news.value);
    if (news.kind !== "picked" && news.kind !== "row") return;
    if (news.run !== this.#held.run || (this.#isFixed && news.row !== this.#host.props.row)) return;
    if (news.kind === "row" || news.row !== this.#row) {
      this.#row = news.row;
      this.#marked = null;
      this.draw();
    }
    if (news.kind !== "picked") return;
    this.#marked = news.position;
    this.#go(news.position);
  }
  /** @param {import("./token_rows.js").Piece} piece */
  #receive(piece) {
    const held = this.#held;
    if (held.isOld(piece)) return;
    if (held.merge(piece).fresh) {
      this.#at = 0;
      this.#marked = null;
      if (!this.#isFixed && !held.rows.has(this.#row)) this.#row = held.rows.size ? Math.min(...held.rows.keys()) : 0;
    }
    if (isNumber(piece.show) && held.rows.has(piece.show)) this.#row = piece.show;
    this.#later();
  }
}

/** @param {import("../types").Host<"curve">} host */
export const begin = (host) => {
  const view = new Curve(host);
  on("language", () => view.draw(), host.element);
};
