// The row of the seed: one of -1 is drawn anew for each run; any other is kept, which the closed lock shows.
import { make } from "../page/dom.js";
import { parseNumber } from "./number_text.js";
import { word } from "./registry.js";
import { AFTER_CLICK, icon, WHILE_TYPING } from "./row.js";
import { lastTurned } from "./store.js";

/** @typedef {import("./row").Row} Row */

const freshSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;

/** @param {Row} row */
export const seedRow = (row) => {
  const { knob } = row;
  const field = make("input", {
    class: "kn-field kn-seed",
    type: "text",
    inputmode: "numeric",
    autocomplete: "off",
    id: row.labelFor(),
  });
  const lock = make("button", { class: "kn-icon kn-lock", type: "button" });
  const dice = make("button", { class: "kn-icon kn-dice", type: "button" }, icon("dice"));
  row.root.classList.add("kn-inline");
  row.root.append(make("span", { class: "kn-seedbox" }, field, lock, dice));
  row.describe(field);
  /** @param {string} text */
  const read = (text) => (text.trim() === "" ? -1 : parseNumber(knob, text));
  /** @param {number} wait */
  const take = (wait) => row.take(read(field.value), wait);
  field.addEventListener("input", () => take(WHILE_TYPING));
  field.addEventListener("blur", () => {
    take(AFTER_CLICK);
    if (!row.failed()) row.paint(row.value());
  });
  lock.addEventListener("click", () => row.set(row.value() >= 0 ? -1 : (lastTurned(knob.name) ?? freshSeed())));
  dice.addEventListener("click", () => row.set(freshSeed()));
  row.paint = (/** @type {number} */ value) => {
    const locked = value >= 0;
    if (!row.failed() && read(field.value) !== value) field.value = locked ? String(value) : "";
    if (!locked && document.activeElement !== field && !row.failed()) field.value = "";
    field.placeholder = word("fresh_seed");
    lock.replaceChildren(icon(locked ? "locked" : "unlocked"));
    lock.setAttribute("aria-pressed", String(locked));
    lock.setAttribute("aria-label", word("keep_seed"));
    lock.title = word(locked ? "seed_kept" : "seed_fresh");
    dice.setAttribute("aria-label", word("roll_seed"));
    dice.title = word("roll_seed");
  };
};
