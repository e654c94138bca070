// The list of stages in their order: those that act, or all. Moving one makes another order; what is moved can be taken
// back as long as it is held. Which keys and which pointer do so stands elsewhere.
import { make } from "../page/dom.js";
import { say } from "../page/language.js";
import { formatNumber } from "./number_text.js";
import { movedOrder, shortOrder, wholeOrder } from "./order.js";
import { CHAIN, STAGES, word } from "./registry.js";
import { icon } from "./row.js";
import { spoken } from "./spoken.js";
import { actsNow, hold, inertReason, knobsOfStage, valueNow } from "./store.js";
import { same } from "./values.js";

/** @typedef {import("./row").Row} Row */
/** @typedef {{item: HTMLElement, button: HTMLButtonElement, title: HTMLElement, set: HTMLElement}} Cell */

const LABELS = new Map(STAGES.map(({ name, label }) => [name, label]));

export class StageList {
  /** Stages that do nothing are shown too. */
  open = false;
  /** The one that the Tab key comes to. @type {string | null} */
  current = null;
  /** Picked up, and the value that Escape, or a pointer that is taken away, brings back.
   * @type {{stage: string, before: string, pointer?: number} | null} */
  held = null;
  /** Made when they are first shown. @type {Map<string, Cell>} */
  #cells = new Map();
  /** @type {string[]} */
  #shown = [];

  /** @param {Row} row */
  constructor(row) {
    this.row = row;
    this.hintId = `${row.id}-hint`;
    this.root = make("ol", { class: "kn-stages", "aria-labelledby": row.labelId });
    this.voice = make("p", { class: "kn-voice", role: "status" });
    spoken(() => {
      for (const [stage, cell] of this.#cells) cell.title.textContent = say(LABELS.get(stage));
    });
  }

  get shown() {
    return this.#shown;
  }

  /** @param {string} stage */
  cell(stage) {
    const known = this.#cells.get(stage);
    if (known) return known;
    const title = make("span", { class: "kn-stage-name" }, say(LABELS.get(stage)));
    const set = make("span", { class: "kn-stage-value" });
    const grip = make("span", { class: "kn-grip" }, icon("grip"));
    const button = make("button", { class: "kn-stage", type: "button", tabindex: "-1" }, grip, title, set);
    const made = { item: make("li", { "data-stage": stage }, button), button, title, set };
    button.setAttribute("aria-describedby", `${this.hintId} ${this.row.why.id}`);
    this.#cells.set(stage, made);
    return made;
  }

  draw() {
    const { row } = this;
    this.#shown = wholeOrder(CHAIN, row.value()).filter((stage) => this.open || actsNow(stage));
    const fixed = this.held?.stage ?? this.current;
    this.#arrange(
      this.#shown.map((stage) => this.cell(stage).item),
      fixed === null ? undefined : this.#cells.get(fixed)?.item,
    );
    if (this.current === null || !this.#shown.includes(this.current)) this.current = this.#shown[0] ?? null;
    const off = Boolean(inertReason(row.knob.name));
    for (const stage of this.#shown) this.#drawCell(stage, off);
  }

  /** @param {string} stage @param {boolean} off */
  #drawCell(stage, off) {
    const { item, button, set } = this.cell(stage);
    const acts = actsNow(stage);
    item.classList.toggle("acts", acts);
    button.setAttribute("aria-disabled", String(off));
    const numbers = knobsOfStage(stage).filter(({ name }) => acts && typeof valueNow(name) === "number");
    set.textContent = numbers.map((knob) => formatNumber(knob, valueNow(knob.name))).join(" ");
    const said = [say(LABELS.get(stage)), set.textContent, this.#place(stage)];
    button.setAttribute("aria-label", said.filter(Boolean).join(", "));
    button.tabIndex = stage === this.current ? 0 : -1;
  }

  /**
   * These items in this order, without taking `fixed` out of the page: it may have the focus or a finger on it.
   * @param {HTMLElement[]} items
   * @param {HTMLElement | undefined} fixed
   */
  #arrange(items, fixed) {
    const { root } = this;
    for (const item of [...root.children]) if (!items.some((one) => one === item)) item.remove();
    if (items.every((item, at) => root.children[at] === item)) return;
    const middle = fixed?.parentNode === root ? items.indexOf(fixed) : -1;
    for (const item of items.slice(middle + 1)) root.append(item);
    if (fixed && middle >= 0) for (const item of items.slice(0, middle)) root.insertBefore(item, fixed);
  }

  /** @param {string} stage */
  #place(stage) {
    return word("stage_place", { at: this.#shown.indexOf(stage) + 1, all: this.#shown.length });
  }

  mayMove() {
    return !inertReason(this.row.knob.name);
  }

  /**
   * Says it to a screen reader.
   * @param {string} key
   * @param {string} stage
   */
  announce(key, stage) {
    this.voice.textContent = word(key, { label: say(LABELS.get(stage)), place: this.#place(stage) });
  }

  /** @param {string} stage @param {number} steps */
  move(stage, steps) {
    const whole = wholeOrder(CHAIN, this.row.value());
    const next = movedOrder(CHAIN, whole, this.#shown, stage, steps);
    this.current = stage;
    if (same(next, whole)) return;
    this.row.set(shortOrder(CHAIN, next));
    this.announce("stage_at", stage);
  }

  /** @param {string} stage @param {number} [pointer] by which it is held, or else by a key */
  pickUp(stage, pointer) {
    this.held = { stage, before: this.row.value(), pointer };
    this.current = stage;
    const { item, button } = this.cell(stage);
    item.classList.add("is-held");
    button.setAttribute("aria-pressed", "true");
  }

  /** @param {boolean} keep else it goes back to where it was */
  drop(keep) {
    if (!this.held) return;
    const { stage, before } = this.held;
    const { item, button } = this.cell(stage);
    item.classList.remove("is-held");
    button.removeAttribute("aria-pressed");
    if (!keep && this.row.value() !== before) this.row.set(before);
    this.held = null;
    hold(this.row.knob.name, false);
    this.announce(keep ? "stage_dropped" : "stage_back", stage);
  }

  /** @param {string} stage */
  makeCurrent(stage) {
    this.current = stage;
    for (const [name, { button }] of this.#cells) button.tabIndex = name === stage ? 0 : -1;
  }

  /** @param {number} steps */
  focus(steps) {
    const from = this.#shown.indexOf(this.current ?? "");
    const at = Math.min(Math.max(from + steps, 0), this.#shown.length - 1);
    this.makeCurrent(this.#shown[at]);
    this.cell(this.#shown[at]).button.focus();
  }
}

/**
 * Which stage an event happened on.
 * @param {Event} event
 * @returns {string | undefined}
 */
export const stageOf = (event) =>
  event.target instanceof Element ? event.target.closest("li")?.dataset.stage : undefined;
