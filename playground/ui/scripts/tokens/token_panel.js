// The panel about one token, where there is one: its title, the buttons to walk with, and how it opens and closes; on a narrow
// screen it is a sheet, of which only one is open. Knows nothing of what stands in it.
import { tell } from "../page/board.js";
import { around, find } from "../page/dom.js";
import { onlySheet } from "./view_bus.js";

/** @typedef {import("./view_bus.js").ViewBus} ViewBus */
/**
 * @typedef {object} Deeds
 * @property {() => void} close
 * @property {(step: number) => void} walk
 * @property {Record<string, (button: HTMLButtonElement) => void>} [more] buttons of its own, by name
 */

export class TokenPanel {
  /** It was asked for with the keyboard, and takes the focus once it is open. */
  wantsFocus = false;
  #element;
  #bus;
  /** @readonly */
  node;

  /**
   * @param {HTMLElement} element
   * @param {ViewBus} bus
   * @param {Deeds} deeds
   */
  constructor(element, bus, { close, walk, more = {} }) {
    this.#element = element;
    this.#bus = bus;
    this.node = find(element, ".wf");
    /** @type {Deeds["more"]} */
    const deeds = { ...more, close, back: () => walk(-1), on: () => walk(1) };
    this.node.addEventListener("click", (event) => {
      const button = around(event, "button[name]", HTMLButtonElement);
      if (button && !button.disabled) deeds[button.name]?.(button);
    });
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      if (!element.isConnected) document.removeEventListener("keydown", onKey);
      else if (event.key === "Escape" && this.isOpen && !event.defaultPrevented) {
        event.preventDefault();
        close();
      }
    };
    document.addEventListener("keydown", onKey);
    onlySheet(element, close);
  }
  get isOpen() {
    return !this.node.hidden;
  }
  /** @param {string} text */
  set title(text) {
    find(this.node, ".wf-title").textContent = text;
    this.node.setAttribute("aria-label", text);
  }
  /**
   * Whether there is a token before this one, and one after it.
   * @param {boolean} before
   * @param {boolean} after
   */
  canWalk(before, after) {
    find(this.node, "[name=back]", HTMLButtonElement).disabled = !before;
    find(this.node, "[name=on]", HTMLButtonElement).disabled = !after;
  }
  /** @param {() => void} draw what stands in it */
  open(draw) {
    this.node.hidden = false;
    draw();
    this.#bus.tell({ kind: "panel", open: true });
    tell("sheet", this.#element);
    if (this.wantsFocus) find(this.node, ".wf-title").focus({ preventScroll: true });
    this.wantsFocus = false;
  }
  /** @returns {boolean} whether the focus was in it */
  close() {
    const focus = this.node.contains(document.activeElement);
    this.node.hidden = true;
    this.#bus.tell({ kind: "panel", open: false });
    return focus;
  }
}
