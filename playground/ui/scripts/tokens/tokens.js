// The text of one candidate as its tokens, coloured by how likely each was. On Play the texts stand in the cards of their
// run, and what belongs to all of them above these; elsewhere all stands here. There are several of these on a page.
import { candidateOf, holds } from "../cards/shown_runs.js";
import { on, tell } from "../page/board.js";
import { find } from "../page/dom.js";
import { listen } from "../page/feed.js";
import { isNumber } from "../page/numbers.js";
import { isNarrow, isWide } from "../page/screen.js";
import { sentence } from "../page/words.js";
import { ReplayLine } from "./replay_line.js";
import { RowText } from "./row_text.js";
import { StatusLine } from "./status_line.js";
import { hearHands } from "./token_hands.js";
import { TokenHead } from "./token_head.js";
import { count } from "./token_numbers.js";
import { TokenRows } from "./token_rows.js";
import { TokenTip } from "./token_tip.js";
import { wordsOf } from "./token_words.js";
import { busOf } from "./view_bus.js";

/** @typedef {import("../types").Host<"tokens">} Host */
/** @typedef {import("./token_look.js").Replay} Replay */
/** @typedef {import("./token_rows.js").Change} Change */
/** @typedef {import("./token_rows.js").Piece} Piece */
/** @typedef {import("./token_rows.js").Row} Row */
/** The texts of one run. @typedef {{run: string | undefined, rows: Map<number, Row>, texts: Map<number, RowText>}} RunTexts */
/** @typedef {import("./view_bus.js").News} News */

const MISSED = 2000; // milliseconds in which what was missed may come before it is asked for again
const FOLLOW = 120; // milliseconds at one token after which an open panel follows

class TokensView {
  #host;
  #words;
  #bus;
  #section;
  #head;
  #replayLine;
  #status;
  #tip;
  #held = new TokenRows();
  /** @type {RunTexts} */
  #open = { run: undefined, rows: this.#held.rows, texts: new Map() };
  /** Of runs before, those that still stand in cards. @type {Set<RowText>} */
  #still = new Set();
  /** The text that is looked at. @type {RowText} */
  #view;
  /** @type {{row: number, position: number} | null} */
  #picked = null;
  /** A word or a token of a text whose tokens are on their way. @type {import("../topics").Topics["word"] | null} */
  #wanted = null;
  /** Why nothing of it can be asked any more. @type {import("../types").Said} */
  #reason = null;
  #panelOpen = false;
  /** The open panel is about a token of another run, and goes on to the first one of this run. */
  #panelWaits = false;
  /** @type {number | undefined} */
  #follow = undefined;
  #missing = false;

  /** @param {Host} host */
  constructor(host) {
    const { element, props, trigger } = host;
    this.#host = host;
    this.#words = wordsOf("tokens", props.words);
    this.#bus = busOf(host);
    const { t } = this.#words;
    this.#section = find(element, ".tk");
    this.#head = new TokenHead(this.#section, t, {
      turn: (row) => this.#chooseRow(row),
      colour: () => {
        this.#drawHead();
        this.#redraw();
      },
    });
    this.#replayLine = new ReplayLine(this.#section, t, () => this.#diverge());
    this.#status = new StatusLine(element, () => trigger("stop"));
    this.#tip = new TokenTip(this.#section, t);
    this.#view = this.#textOf(isNumber(props.row) ? props.row : 0);
  }

  start() {
    const { element, name, props, watch } = this.#host;
    this.#bus.hear((news) => this.#hear(news));
    if (!props.scope) {
      on(
        "word",
        (word) => {
          this.#wanted = word;
          this.#pickWord();
        },
        element,
      );
      on("places", () => this.#settle(), element);
    }
    listen(name, (/** @type {{status?: import("./status_line.js").Status, value?: Piece}} */ news) => {
      if (news.status) this.#status.show(news.status);
      if (news.value) this.#receive(news.value);
    });
    watch("replay", () => this.#redraw());
    on("language", () => this.#translate(), element);
    this.#settle();
    this.#drawHead();
    this.#status.draw();
    this.#receive(props.value, true); // what is there from the start is not news to be read out
  }

  get #tokens() {
    return this.#view.tokens;
  }
  /** Where the reader is. */
  get #place() {
    return { run: this.#held.run, row: this.#view.row };
  }
  /** Of a row. @param {number} row @returns {Replay | null} */
  #overlay(row) {
    /** @type {Replay | undefined} */
    const replay = this.#host.props.replay;
    return replay?.would && replay.run === this.#held.run && (replay.row ?? 0) === row ? replay : null;
  }
  /** @param {number} row @param {RunTexts} [of] @returns {RowText} */
  #textOf(row, of = this.#open) {
    const known = of.texts.get(row);
    if (known) return known;
    const isOpen = () => of.run === this.#held.run;
    const text = new RowText(row, {
      ids: Boolean(this.#host.props.ids),
      t: this.#words.t,
      tokens: () => of.rows.get(row)?.tokens ?? [],
      candidate: () => this.#candidate(row, of.run),
      look: () => ({
        mode: this.#head.mode,
        replay: isOpen() ? this.#overlay(row) : null,
        picked: isOpen() && this.#picked?.row === row ? this.#picked.position : null,
      }),
    });
    of.texts.set(row, text);
    hearHands(text, {
      turn: () => isOpen() && this.#showRow(row),
      go: (at) => (isOpen() ? this.#go(at) : text.goTo(at)),
      pick: (at, keyboard) => (isOpen() ? this.#pick(at, keyboard) : this.#pickStill(of.run, row, at)),
      tip: (of, at) => this.#tip.show(of, at),
      hush: () => this.#tip.hide(),
    });
    return text;
  }
  /** What a row is called. @param {number} row @param {string | undefined} [run] */
  #candidate(row, run = this.#held.run) {
    return this.#host.props.scope ? row + 1 : candidateOf(run, row);
  }
  #inCards() {
    return !this.#host.props.scope && holds(this.#held.run);
  }
  /** Puts everything where it stands now. */
  #settle() {
    const away = this.#inCards();
    const { node: head, empty } = this.#head;
    const replay = this.#replayLine.node;
    this.#section.classList.toggle("tk-away", away);
    if (away) {
      find(document, ".results-tokens").append(head, replay, empty);
      const of = this.#open;
      tell("texts", { run: of.run, rows: of.rows, take: (row) => this.#take(row, of) });
      return;
    }
    const place = find(this.#section, ".tk-texts");
    place.replaceChildren(this.#view.node);
    place.before(head, empty);
    place.after(replay);
  }
  /** The tokens of a row, to be put into a card. @param {number} row @param {RunTexts} of */
  #take(row, of) {
    const text = this.#textOf(row, of);
    if (of !== this.#open) this.#still.add(text);
    text.catchUp();
    return text.node;
  }

  #drawEmpty() {
    this.#head.drawEmpty(!this.#tokens.length, sentence(this.#reason));
  }
  #drawRows() {
    this.#head.drawRows([...this.#held.rows.keys()], this.#view.row, isNumber(this.#host.props.row));
  }
  #drawHead() {
    this.#words.apply(this.#host.element, this.#head.node, this.#replayLine.node);
    this.#drawEmpty();
    this.#head.drawColours();
    this.#drawRows();
  }
  #drawReplay() {
    this.#replayLine.draw(this.#overlay(this.#view.row), this.#tokens);
  }
  #redraw() {
    for (const text of [...this.#open.texts.values(), ...this.#still]) if (text.node.isConnected) text.redraw();
    this.#drawReplay();
  }
  #translate() {
    this.#tip.hide();
    this.#drawHead();
    this.#status.draw();
    this.#redraw();
  }

  /** @param {number} row */
  #chooseRow(row) {
    this.#showRow(row);
    this.#head.focus(this.#view.row);
    this.#bus.tell({ kind: "row", ...this.#place });
  }
  /** @param {number} row @param {boolean} [asks] whether the server is told */
  #showRow(row, asks = true) {
    const { props, trigger } = this.#host;
    if (row === this.#view.row || (isNumber(props.row) && row !== props.row)) return;
    const before = this.#view;
    this.#view = this.#textOf(row);
    this.#tip.hide();
    before.redraw();
    this.#view.catchUp();
    this.#settle();
    this.#drawReplay();
    this.#drawHead();
    this.#tellLook();
    if (asks) trigger("look", { ...this.#place, sent: performance.now() });
  }
  /** Whoever answers for this row: the badges and the replay beside it are about what is looked at. */
  #tellLook() {
    if (!this.#host.props.scope) tell("looked", this.#held.rows.size ? this.#place : null);
  }
  /** @param {number} row @param {number | null} position */
  #mark(row, position) {
    const before = this.#picked;
    this.#picked = position === null ? null : { row, position };
    for (const one of [before, this.#picked]) if (one) this.#textOf(one.row).mark(one.position);
  }
  /** @param {number} position @param {boolean} focus */
  #pick(position, focus) {
    clearTimeout(this.#follow);
    this.#mark(this.#view.row, position);
    const where = { ...this.#place, position };
    this.#bus.tell({ kind: "picked", ...where, focus });
    this.#host.trigger("pick", where);
  }
  /** @param {number} at @param {boolean} [focus] */
  #go(at, focus = true) {
    const view = this.#view;
    view.moveStop(at);
    if (focus) view.stop?.focus({ preventScroll: true });
    const box = view.stop?.getBoundingClientRect();
    const frame = view.node.getBoundingClientRect();
    if (this.#inCards()) view.stop?.scrollIntoView({ block: "nearest" });
    else if (box && (box.top < frame.top || box.bottom > frame.bottom)) {
      view.node.scrollTop += box.top - frame.top - frame.height / 2;
    }
    if (!this.#panelOpen || !focus) return;
    clearTimeout(this.#follow);
    this.#follow = setTimeout(() => this.#pick(this.#view.current, false), FOLLOW);
  }
  /**
   * A token of a run before, whose text still stands in its card: that run is opened first.
   * @param {string | undefined} run
   * @param {number} row
   * @param {number} position
   */
  #pickStill(run, row, position) {
    if (run === undefined) return;
    this.#wanted = { run, row, position };
    this.#host.trigger("missed", { run, row, sent: performance.now() });
  }
  /** A word of a text: the token at this place in what the run wrote, once its tokens are here. */
  #pickWord() {
    if (!this.#wanted || this.#wanted.run !== this.#held.run || !this.#held.rows.has(this.#wanted.row)) return;
    const { row, at = -1, position: known } = this.#wanted;
    this.#wanted = null;
    this.#showRow(row);
    let behind = 0;
    const position =
      known ??
      this.#tokens.findIndex((token) => {
        behind += token.special ? 0 : token.text.length;
        return behind > at;
      });
    if (!this.#tokens[position]) return;
    this.#view.moveStop(position);
    if (isNumber(known)) this.#view.stop?.focus({ preventScroll: true }); // it had the focus, and was drawn anew
    this.#pick(position, false);
  }
  #diverge() {
    const replay = this.#overlay(this.#view.row);
    if (!replay || replay.first === null) return;
    const token = replay.would[replay.first].id ?? null;
    this.#host.trigger("diverge", { ...this.#place, position: replay.first, token_id: token });
  }
  /** The panel covers neither the token that it is about nor, as a sheet, what a finger just called up. */
  #makeRoom() {
    const span = this.#picked?.row === this.#view.row ? this.#view.spans[this.#picked.position] : null;
    this.#tip.hide();
    if (span && isWide()) requestAnimationFrame(() => span.scrollIntoView({ block: "center" })); // once the dock is open
    if (!span || !isNarrow()) return;
    const box = span.getBoundingClientRect();
    if (box.bottom > window.innerHeight * 0.27 || box.top < 0) {
      window.scrollBy({ top: box.bottom - window.innerHeight * 0.2 });
    }
  }

  /** @param {Piece | undefined} value @param {boolean} [first] */
  #receive(value, first = false) {
    const held = this.#held;
    if (value?.run === undefined || held.isOld(value)) return;
    this.#reason = value.reason;
    const { fresh, changes } = held.merge(value);
    if (held.gap) this.#ask(value.run);
    this.#bus.tell({ kind: "news", value }); // for a curve that is not fed by itself
    if (fresh) this.#begin(value.show);
    else if (isNumber(value.show)) this.#showRow(value.show, false);
    else if (this.#head.choices !== held.rows.size) this.#drawRows();
    if (fresh) this.#pickWord();
    for (const change of changes) this.#change(change, fresh, !first && !isNumber(value.show));
    this.#drawEmpty();
  }
  /** For what was missed. @param {string} run */
  #ask(run) {
    if (this.#missing) return;
    this.#missing = true;
    this.#host.trigger("missed", { run, row: this.#view.row, sent: performance.now() });
    setTimeout(() => {
      this.#missing = false;
    }, MISSED);
  }
  /** Another run. @param {number | null | undefined} show the row to be looked at; without one the reader's stays */
  #begin(show) {
    const { element, props, trigger } = this.#host;
    const { rows } = this.#held;
    const row = isNumber(show) ? show : this.#view.row;
    if (this.#picked) this.#mark(this.#picked.row, null);
    this.#panelWaits = this.#panelOpen && !isNumber(show);
    for (const text of this.#still) if (!text.node.isConnected) this.#still.delete(text);
    for (const text of this.#open.texts.values()) {
      if (text.node.isConnected) this.#still.add(text);
      text.redraw();
    }
    this.#open = { run: this.#held.run, rows, texts: new Map() };
    const first = rows.size ? Math.min(...rows.keys()) : 0;
    this.#view = this.#textOf(isNumber(props.row) || rows.has(row) ? row : first);
    this.#tip.hide();
    this.#settle();
    this.#view.catchUp();
    this.#drawReplay();
    find(element, ".tk-voice").textContent = "";
    this.#drawHead();
    this.#tellLook();
    if (!isNumber(show) && this.#view.row) trigger("look", { ...this.#place, sent: performance.now() });
  }
  /** @param {Change} change @param {boolean} fresh @param {boolean} speaks whether an end is read out */
  #change({ row, keep, finished }, fresh, speaks) {
    const text = this.#textOf(row);
    if (!fresh && text.node.isConnected && keep < Math.max(text.tokens.length, text.spans.length)) text.drawFrom(keep);
    if (row === this.#view.row) this.#movePanel();
    if (!finished || row !== this.#view.row || !speaks) return;
    const told = this.#words.t("finished", { row: this.#candidate(row), count: count(this.#tokens.length) });
    find(this.#host.element, ".tk-voice").textContent = told;
  }

  /** What is open stays open, and is about what is written now. */
  #movePanel() {
    if (!this.#panelWaits || !this.#tokens.length) return;
    this.#panelWaits = false;
    if (this.#panelOpen) this.#pick(0, false);
  }

  /** @param {News} news */
  #hear(news) {
    if (news.kind === "panel") {
      this.#panelOpen = news.open;
      if (news.open) this.#makeRoom();
    } else if (news.kind === "hello") {
      const { run, rows } = this.#held;
      const all = [...rows.values()].map((row) => ({ ...row, from: 0 }));
      if (run !== undefined) this.#bus.tell({ kind: "news", value: { run, rows: all } });
    } else if (news.kind !== "news" && news.run === this.#held.run) this.#follows(news);
  }
  /** @param {Exclude<News, {kind: "panel" | "hello" | "news"}>} news */
  #follows(news) {
    const { props } = this.#host;
    if (news.kind === "row") this.#showRow(news.row);
    else if (news.kind === "closed") {
      if (this.#picked?.row === news.row && news.focus) this.#view.stop?.focus({ preventScroll: true });
    } else if (isNumber(props.row) && props.row !== news.row) this.#mark(news.row, null);
    else {
      this.#showRow(news.row);
      this.#mark(news.row, news.position);
      this.#go(news.position, false);
    }
  }
}

/** @param {Host} host */
export const begin = (host) => new TokensView(host).start();
