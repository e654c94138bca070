// What is going on with a text that is only read, with a button that stops it; Escape does so too. Knows no text.
import { find } from "../page/dom.js";
import { sentence } from "../page/words.js";

/** status_value in tokens.py. @typedef {{text?: import("../types").Said, stop?: boolean, error?: boolean}} Status */

export class StatusLine {
  #line;
  #stop;
  /** @type {Status} */
  #status = {};

  /**
   * @param {HTMLElement} element
   * @param {() => void} stop
   */
  constructor(element, stop) {
    this.#line = find(element, ".tk-status");
    this.#stop = find(this.#line, "[name=stop]");
    const press = () => {
      if (this.#status.stop) stop();
    };
    this.#stop.addEventListener("click", press);
    /** @param {KeyboardEvent} event */
    const leave = (event) => {
      if (!element.isConnected) document.removeEventListener("keydown", leave);
      else if (event.key === "Escape" && !event.defaultPrevented && this.#status.stop && element.offsetParent) {
        event.preventDefault();
        press();
      }
    };
    document.addEventListener("keydown", leave);
  }
  /** @param {Status} status */
  show(status) {
    this.#status = status;
    this.draw();
  }
  draw() {
    const { text, stop, error } = this.#status;
    this.#line.hidden = !text;
    this.#line.classList.toggle("tk-wrong", Boolean(error));
    find(this.#line, "p").textContent = sentence(text);
    this.#stop.hidden = !stop;
  }
}
