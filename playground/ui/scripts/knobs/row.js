// What every knob's row has: its name with the help, the way back to neutral, what the knob did, why it does nothing,
// and what is wrong with what was typed. Which control stands in it, its kind decides.
import { make, svg } from "../page/dom.js";
import { say } from "../page/language.js";
import { sentence } from "../page/words.js";
import { wireHelp } from "./help.js";
import { word } from "./registry.js";
import { spoken } from "./spoken.js";
import { inertReason, isActive, isNeutral, turn, valueNow } from "./store.js";
import { same } from "./values.js";

/** @typedef {import("./knob").Knob} Knob */
/** @typedef {import("../types").Said} Said */

// How long an error waits, in ms: till the typing pauses, or till the click that left the field has landed where it was
// aimed (an error takes a line, and what is below moves).
export const WHILE_TYPING = 700;
export const AFTER_CLICK = 250;
const ICONS = {
  locked: "M5 7V5a3 3 0 0 1 6 0v2M3.5 7h9v6.5h-9z",
  unlocked: "M5 7V5a3 3 0 0 1 5.8-1M3.5 7h9v6.5h-9z",
  dice: "M3 3h10v10H3zM5.8 5.8h.01M10.2 5.8h.01M8 8h.01M5.8 10.2h.01M10.2 10.2h.01",
  cross: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  reset: "M4 3v3.5h3.5M4.2 6.3a4.8 4.8 0 1 1-.9 3.2",
  caret: "M6 4l4 4-4 4",
  grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
};
/** @param {keyof typeof ICONS} name */
export const icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true", class: "kn-svg" }, svg("path", { d: ICONS[name] }));

/**
 * Names break at their underscores, but no word does at its hyphens.
 * @param {HTMLElement} node
 * @param {string} text
 */
const writeName = (node, text) => {
  const pieces = text.split(/(?<=_)|(?<=\s)|(?=\s)/);
  node.replaceChildren(
    ...pieces.flatMap((piece) => {
      if (piece.endsWith("_")) return [piece, make("wbr")];
      return [piece.includes("-") ? make("span", { class: "kn-whole" }, piece) : piece];
    }),
  );
  node.normalize();
};

export class Row {
  /** What the server says of the value, and whom to call once it says so no more.
   * @type {{text: Said, gone: () => void} | null} */
  #told = null;
  /** @type {number | undefined} */
  #timer;
  #wrong = false;
  /** @type {HTMLElement[]} */
  #described = [];

  /** @param {Knob} knob */
  constructor(knob) {
    this.knob = knob;
    this.id = `kn-${knob.name}`;
    this.labelId = `${this.id}-label`;
    this.name = make("label", { class: "kn-name", id: this.labelId });
    this.help = make("button", { class: "kn-q", type: "button", "aria-expanded": "false" }, "?");
    this.label = make("div", { class: "kn-label" }, this.name, this.help);
    this.root = make("div", { class: "kn-row", "data-knob": knob.name }, this.label);
    this.badge = make("span", { class: "kn-badge" });
    this.why = make("p", { class: "kn-why", id: `${this.id}-why` });
    this.error = make("p", { class: "kn-error", id: `${this.id}-error`, role: "alert" });
    /** Shows a value. @type {(value: any) => void} */
    this.paint = () => {};
    /** Shows what depends on other knobs. @type {(() => void) | null} */
    this.follow = null;
    wireHelp(this);
    spoken(() => {
      writeName(this.name, say(knob.label));
      this.help.setAttribute("aria-label", word("about", { label: say(knob.label) }));
    });
  }

  /** Behind the control. */
  end() {
    const { knob, root } = this;
    const reset = make(
      "button",
      { class: "kn-icon kn-reset", type: "button", onclick: () => this.reset() },
      icon("reset"),
    );
    spoken(() => {
      reset.title = word("reset");
      reset.setAttribute("aria-label", word("reset_hint", { label: say(knob.label) }));
    });
    root.append(reset, this.badge, this.why, this.error);
  }

  value() {
    return valueNow(this.knob.name);
  }

  /** @param {any} value */
  set(value) {
    this.clear();
    turn(this.knob.name, value);
  }

  reset() {
    this.set(this.knob.neutral);
    const control = this.root.querySelector("input, textarea, select, [role=switch]");
    if (control instanceof HTMLElement) control.focus();
  }

  /** The id of the control that the name is the label of. */
  labelFor() {
    this.name.htmlFor = `${this.id}-control`;
    return this.name.htmlFor;
  }

  /** @param {HTMLElement[]} controls what the reason and the error belong to */
  describe(...controls) {
    for (const control of controls) control.setAttribute("aria-describedby", `${this.why.id} ${this.error.id}`);
    this.#described.push(...controls);
  }

  /** What stands in the control is not the value: it cannot be read, or is not allowed. */
  failed() {
    return this.#wrong;
  }

  /** Nothing is wrong any more. */
  clear() {
    clearTimeout(this.#timer);
    this.#settle();
    this.#wrong = false;
    this.#write("");
  }

  /**
   * What was typed is not sent.
   * @param {number} wait milliseconds before this is said
   * @param {boolean} [quiet] it is not said at all
   */
  fail(wait, quiet = false) {
    clearTimeout(this.#timer);
    this.#settle();
    this.#wrong = true;
    if (quiet) this.#write("");
    else if (!wait || this.error.textContent) this.#write(word("needs", { range: say(this.knob.range) }));
    else this.#timer = setTimeout(() => this.fail(0), wait);
  }

  /**
   * What was typed. What the server says of a value stays while it is the same.
   * @param {any} value undefined where it cannot be read or is not allowed
   * @param {number} wait
   * @param {boolean} [quiet]
   */
  take(value, wait, quiet = false) {
    if (value === undefined) this.fail(wait, quiet);
    else if (!same(value, this.value())) this.set(value);
    else if (!this.#told) this.clear();
  }

  /**
   * What the server says of this value, until it changes.
   * @param {Said} text
   * @param {() => void} gone is called then
   */
  complain(text, gone) {
    this.clear();
    this.#told = { text, gone };
    this.#wrong = true;
    this.#write(sentence(text));
  }

  /** Says what is wrong in the language of the page. */
  sayError() {
    if (!this.error.textContent) return;
    this.#write(this.#told ? sentence(this.#told.text) : word("needs", { range: say(this.knob.range) }));
  }

  #settle() {
    const told = this.#told;
    this.#told = null;
    told?.gone();
  }

  /** @param {string} text */
  #write(text) {
    if (this.error.textContent === text) return;
    this.error.textContent = text;
    this.root.classList.toggle("is-wrong", text !== "");
    for (const control of this.#described) control.toggleAttribute("aria-invalid", text !== "");
  }

  /** @param {Said} badge what the knob did, or would do */
  paintNotes(badge) {
    const why = say(inertReason(this.knob.name));
    if (this.badge.textContent !== say(badge)) this.badge.textContent = say(badge);
    if (this.why.textContent !== why) this.why.textContent = why;
    this.root.classList.toggle("is-inert", why !== "");
  }

  /** What its own value and others make of it. */
  paintState() {
    this.root.classList.toggle("is-neutral", isNeutral(this.knob));
    this.root.classList.toggle("is-active", isActive(this.knob));
    this.follow?.();
  }
}
