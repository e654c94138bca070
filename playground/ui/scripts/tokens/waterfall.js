// How one token came about: the model's candidates, what each stage of the chain did to them, the draw. Says `pick`
// (walking on), `branch`, `ask` and `close`. With the prop `ahead` it is about the next token before any run.
import { on, tell } from "../page/board.js";
import { find, make } from "../page/dom.js";
import { say } from "../page/language.js";
import { isNumber } from "../page/numbers.js";
import { isNarrow } from "../page/screen.js";
import { sentence } from "../page/words.js";
import { isBreakdown, isTurned, labelOf, namedIn, stepsOf, turnedStage } from "./breakdown.js";
import { drawOf, noteOf, outcomesOf } from "./outcome_view.js";
import { knownOf, stagesOf } from "./stage_view.js";
import { TokenPanel } from "./token_panel.js";
import { alone, isPart } from "./token_text.js";
import { wordsOf } from "./token_words.js";
import { busOf } from "./view_bus.js";

/** @typedef {import("./breakdown.js").Breakdown} Breakdown */
/** @typedef {import("./breakdown.js").Place} Place */

class Waterfall {
  /** @type {Place | Breakdown | null} */
  #value = null;
  /** Where the focus was, for a panel that was opened from elsewhere. @type {Element | null} */
  #opener = null;
  #host;
  #bus;
  #words;
  #panel;

  /** @param {import("../types").Host<"waterfall">} host */
  constructor(host) {
    const { element, props, trigger } = host;
    this.#host = host;
    this.#bus = busOf(host);
    this.#words = wordsOf("waterfall", props.words);
    /** @param {HTMLButtonElement} button */
    const branch = (button) => {
      trigger("branch", { ...this.#where(), token_id: Number(button.dataset.id) });
      // What is written now stands below, or behind the sheet; the server knows.
      if (props.ahead || isNarrow()) this.close({ silent: true });
    };
    this.#panel = new TokenPanel(element, this.#bus, {
      close: () => this.close(),
      walk: (step) => this.#walk(step),
      more: { again: () => tell("look", { focus: true }), branch },
    });
    find(element, ".wf-ask").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#ask.value;
      if (text !== "") trigger("ask", { ...this.#where(), text });
    });
    this.#bus.hear((news) => {
      if (news.kind !== "picked") return;
      this.#panel.wantsFocus = Boolean(news.focus);
      if (this.#panel.isOpen) this.#panel.node.setAttribute("aria-busy", "true");
    });
    this.#words.apply(element);
  }
  get #ask() {
    return find(this.#host.element, "[name=ask]", HTMLInputElement);
  }
  /** @param {string} selector */
  #find(selector) {
    return find(this.#host.element, selector);
  }
  #where() {
    const { run, row, position } = /** @type {Place} */ (this.#value);
    return { run, row, position };
  }
  /** The value that Python has set. */
  receive() {
    const { value } = this.#host.props;
    if (!value || !("position" in value)) {
      this.close({ silent: true });
      this.#value = null;
      return;
    }
    if (value.live && !this.#panel.isOpen) return; // the knobs go on moving behind a closed panel
    const at = isTurned(value) ? turnedStage(this.#value, value) : -1;
    this.#value = value;
    this.#open();
    const stage = at < 0 ? null : this.#find(".wf-stages").children[at + 1]; // behind the model's
    stage?.scrollIntoView({ block: "nearest", inline: "nearest" }); // what was turned is seen to act
  }
  /** Opens it before there is a value. @param {boolean} focus */
  wait(focus) {
    this.#panel.wantsFocus = focus;
    this.#open(true);
  }
  #open(waits = false) {
    const { node, isOpen } = this.#panel;
    if (!isOpen) this.#opener ??= document.activeElement;
    const at = isOpen ? node.scrollTop : 0;
    this.#panel.open(() => {
      this.#find(".wf-wait").hidden = !waits;
      this.#draw();
      node.scrollTop = at;
      node.toggleAttribute("aria-busy", waits);
    });
  }
  close({ silent = false } = {}) {
    if (!this.#panel.isOpen) return;
    const focus = this.#panel.close();
    if (!silent) this.#host.trigger("close");
    const opener = this.#opener;
    if (focus && opener?.isConnected && (this.#host.props.ahead || !this.#value?.token)) {
      /** @type {HTMLElement} */ (opener).focus({ preventScroll: true });
    }
    this.#opener = null;
    if (this.#value) this.#bus.tell({ kind: "closed", run: this.#value.run, row: this.#value.row, focus });
  }
  /** @param {number} step */
  #walk(step) {
    const { position, ...row } = this.#where();
    const next = { ...row, position: position + step };
    if (next.position < 0) return;
    this.#panel.node.setAttribute("aria-busy", "true");
    this.#bus.tell({ kind: "picked", ...next });
    this.#host.trigger("pick", next);
  }
  redraw() {
    if (this.#panel.isOpen) this.#draw();
  }
  drawStale() {
    this.#find(".wf-stale").hidden = !this.#host.props.stale || !isBreakdown(this.#value);
  }
  #draw() {
    const value = this.#value;
    this.#words.apply(this.#host.element);
    this.drawStale();
    this.#drawHead();
    this.#find(".wf-body").hidden = !isBreakdown(value);
    this.#find(".wf-part").hidden = !isBreakdown(value) || !namedIn(value).some(isPart);
    this.#find(".wf-error").hidden = !value?.error;
    if (value) this.#find(".wf-error").textContent = sentence(value.error);
    const known = !value || isBreakdown(value) ? [] : knownOf(value, this.#words.t);
    this.#find(".wf-known").hidden = !known.length;
    this.#find(".wf-known").replaceChildren(...known);
    if (isBreakdown(value)) this.#drawBody(value);
  }
  #drawHead() {
    const value = this.#value;
    const { t } = this.#words;
    const walks = Boolean(value?.token) && !this.#host.props.ahead;
    const at = value?.token && { text: alone(value.token, t), n: value.position + 1 };
    this.#panel.title = walks && at ? t(isTurned(value) ? "title_turned" : "title", at) : t("title_next");
    this.#find("[name=back]").hidden = !walks;
    this.#find("[name=on]").hidden = !walks;
    if (!value) return;
    const length = isBreakdown(value) ? value.length : null;
    this.#panel.canWalk(value.position > 0, !isNumber(length) || value.position < length - 1);
    this.#ask.placeholder = t("ask_hint");
    this.#ask.setAttribute("aria-label", t("ask_label"));
  }
  /** @param {Breakdown} value */
  #drawBody(value) {
    const { t } = this.#words;
    const stages = stagesOf(value, t);
    this.#find(".wf-stages").replaceChildren(...stages);
    const draw = this.#find(".wf-draw");
    draw.hidden = !value.draw && !value.kept_best && !value.note;
    draw.replaceChildren(...drawOf(value, t));
    this.#find(".wf-list").replaceChildren(outcomesOf(value, Boolean(this.#host.props.ahead), t));
    const note = this.#find(".wf-note");
    note.textContent = noteOf(value, t);
    note.hidden = !note.textContent;
    this.#drawPath(value, stages, { model: stages[0], draw, alternatives: this.#find(".wf-fates") });
  }
  /**
   * Model → stage → … → draw, each a jump to its part.
   * @param {Breakdown} value
   * @param {HTMLElement[]} stages the model's first
   * @param {{model: HTMLElement, draw: HTMLElement, alternatives: HTMLElement}} others
   */
  #drawPath(value, stages, others) {
    const steps = stepsOf(value).map((part) => {
      const isStage = typeof part === "number";
      const place = isStage ? stages[part + 1] : others[part];
      const name = isStage ? say(labelOf(value.stages[part])) : this.#words.t(part);
      return make(
        "li",
        {},
        make("button", { type: "button", onclick: () => place.scrollIntoView({ block: "start" }) }, name),
      );
    });
    this.#find(".wf-path").replaceChildren(...steps);
  }
}

/** @param {import("../types").Host<"waterfall">} host */
export const begin = (host) => {
  const { element, props, watch } = host;
  const waterfall = new Waterfall(host);
  if (props.ahead) on("look", ({ focus }) => waterfall.wait(focus), element);
  watch("value", () => waterfall.receive());
  watch("stale", () => waterfall.drawStale());
  on("language", () => waterfall.redraw(), element);
  waterfall.receive();
};
