// What stands above a text of tokens: the rows to choose from, by what they are coloured, the legend, and why there is
// nothing to see. Knows no text.
import { around, find, make } from "../page/dom.js";
import { legendOf, MODES, SCALES } from "./colour_scale.js";

/** @typedef {import("./colour_scale.js").Mode} Mode */

export class TokenHead {
  #t;
  #rows;
  #select;
  /** @type {Mode} */
  mode = "probability";

  /**
   * @param {HTMLElement} section
   * @param {import("./token_text.js").Translate} t
   * @param {{turn: (row: number) => void, colour: () => void}} deeds what follows where another row, or another colour,
   *   is chosen
   */
  constructor(section, t, { turn, colour }) {
    this.#t = t;
    this.node = find(section, ".tk-head");
    this.empty = find(section, ".tk-empty");
    this.#rows = find(this.node, ".tk-rows");
    this.#select = find(this.node, ".tk-by select", HTMLSelectElement);
    this.#rows.addEventListener("click", (event) => {
      const row = around(event, "[data-row]")?.dataset.row;
      if (row !== undefined) turn(Number(row));
    });
    this.#select.addEventListener("change", () => {
      this.mode = /** @type {Mode} */ (this.#select.value);
      colour();
    });
  }
  /** How many rows can be chosen. */
  get choices() {
    return this.#rows.childElementCount;
  }
  /** @param {number} row */
  focus(row) {
    /** @type {HTMLElement | null} */
    const button = this.#rows.querySelector(`[data-row="${row}"]`);
    button?.focus({ preventScroll: true });
  }
  /** @param {number[]} rows @param {number} shown @param {boolean} fixed nothing can be chosen */
  drawRows(rows, shown, fixed) {
    this.#rows.hidden = fixed || rows.length < 2;
    const inOrder = [...rows].sort((one, two) => one - two);
    this.#rows.replaceChildren(
      ...inOrder.map((row) => {
        const label = this.#t("candidate", { n: row + 1 });
        const pressed = String(row === shown);
        const attributes = { type: "button", "data-row": row, "aria-pressed": pressed, "aria-label": label };
        return make("button", attributes, String(row + 1));
      }),
    );
  }
  drawColours() {
    const t = this.#t;
    const { mode } = this;
    this.#select.replaceChildren(...MODES.map((name) => make("option", { value: name }, t(`by_${name}`))));
    this.#select.value = mode;
    const legend = find(this.node, ".tk-legend");
    legend.replaceChildren(
      ...legendOf(mode).map(({ name, figure }) => make("span", { class: name }, figure)),
      ...(SCALES[mode].bits ? [make("i", {}, t("bits_unit"))] : []),
    );
    legend.setAttribute("aria-label", t(`legend_${mode}`));
    legend.title = t(`legend_${mode}`);
  }
  /**
   * Nothing to show, or nothing that could still be asked.
   * @param {boolean} nothing
   * @param {string} why "" where there is no reason
   */
  drawEmpty(nothing, why) {
    this.empty.hidden = !nothing && !why;
    this.empty.textContent = why || this.#t("empty");
    this.empty.classList.toggle("tk-reason", Boolean(why));
  }
}
