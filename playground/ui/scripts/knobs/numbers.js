// The row of a number: a slider, and a field to type into; at neutral, where that does nothing, "Off" in its place.
import { make } from "../page/dom.js";
import { say } from "../page/language.js";
import { formatNumber, parseNumber } from "./number_text.js";
import { inBoth, word } from "./registry.js";
import { AFTER_CLICK, WHILE_TYPING } from "./row.js";
import { scaleOf, stepped } from "./scale.js";
import { spoken } from "./spoken.js";
import { hold, lastOf, setLast } from "./store.js";
import { isGreedy } from "./values.js";

/** @typedef {import("./row").Row} Row */
/** @typedef {import("./scale").Scale} Scale */
/** @typedef {import("./scale").Slid} Slid */
/** @typedef {import("./knob").Knob & Slid} NumberKnob */
/** @typedef {{row: Row, knob: NumberKnob, scale: Scale}} NumberRow */

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
const DOUBLE = 600; // milliseconds between the clicks of one double click, at most

/** @param {NumberKnob} knob @param {string} typed */
const read = (knob, typed) => parseNumber(knob, typed, knob.off ? inBoth("off") : []);
/** @param {NumberKnob} knob @param {number} value */
const spokenNumber = (knob, value) => {
  if (value === knob.neutral && knob.off) return word("off");
  const text = formatNumber(knob, value);
  return isGreedy(knob, value) ? `${text}, ${word("greedy")}` : text;
};

/** @param {Row} row */
export const numberRow = (row) => {
  const knob = /** @type {NumberKnob} */ (row.knob);
  const scale = scaleOf(knob);
  const one = { row, knob, scale };
  const { min, max } = scale;
  const inputmode = knob.kind === "int" ? "numeric" : "decimal";
  const slider = make("input", { class: "kn-range", type: "range", min, max, step: scale.native, id: row.labelFor() });
  const field = make("input", { class: "kn-field", type: "text", inputmode, autocomplete: "off", spellcheck: "false" });
  const off = make("button", { class: "kn-off", type: "button" });
  row.root.classList.add("kn-number");
  row.root.append(slider, make("span", { class: "kn-num" }, field, off));
  row.describe(slider, field);
  spoken(() => {
    field.setAttribute("aria-label", `${say(knob.label)}, ${word("number")}`);
    off.textContent = word("off");
    off.setAttribute("aria-label", word("off_hint", { label: say(knob.label) }));
  });
  row.paint = painter(one, slider, field);
  wireSlider(one, slider);
  wireField(one, field);
  wireOff(row, field, off);
};

/**
 * @param {NumberRow} one
 * @param {HTMLInputElement} slider
 * @param {HTMLInputElement} field
 */
const painter = ({ row, knob, scale }, slider, field) => {
  const { min, max } = scale;
  // A setting (how long, how many) has no place where it does nothing: its fill begins at the left.
  const start = knob.setting ? min : scale.place(knob.neutral);
  row.root.classList.toggle("has-tick", start > min && start < max);
  /** @param {number} place */
  const share = (place) => (place - min) / (max - min);
  slider.style.setProperty("--tick", String(share(start)));
  return (/** @type {number} */ value) => {
    const place = scale.place(value);
    if (Number(slider.value) !== place) slider.value = String(place);
    const [a, b] = [share(start), share(place)];
    slider.style.setProperty("--from", String(Math.min(a, b)));
    slider.style.setProperty("--to", String(Math.max(a, b)));
    slider.setAttribute("aria-valuetext", spokenNumber(knob, value));
    row.root.classList.toggle("is-off", value === knob.neutral && knob.off);
    if (row.failed() || (document.activeElement === field && read(knob, field.value) === value)) return;
    field.value = formatNumber(knob, value);
  };
};

/** @param {NumberRow} one @param {HTMLInputElement} slider */
const wireSlider = ({ row, knob, scale }, slider) => {
  let before = knob.neutral; // what a double click gives back later: the value before its first click
  let pressed = Number.NEGATIVE_INFINITY;
  slider.addEventListener("pointerdown", (event) => {
    if (event.timeStamp - pressed > DOUBLE) before = row.value();
    pressed = event.timeStamp;
    hold(knob.name, true);
  });
  for (const end of ["pointerup", "pointercancel", "blur"]) slider.addEventListener(end, () => hold(knob.name, false));
  slider.addEventListener("input", () => row.set(scale.value(Number(slider.value))));
  slider.addEventListener("change", () => row.paint(row.value()));
  slider.addEventListener("dblclick", () => {
    row.set(knob.neutral);
    if (before !== knob.neutral) setLast(knob.name, before);
  });
  /** @param {KeyboardEvent} event @returns {number | undefined} */
  const wanted = ({ key, shiftKey }) => {
    if (key === "Home") return scale.value(scale.min);
    if (key === "End") return scale.value(scale.max);
    if (key === "Delete" || key === "Backspace") return knob.neutral;
    if (!Object.hasOwn(STEPS, key)) return undefined;
    return stepped(knob, scale, row.value(), STEPS[key] * (shiftKey && key.startsWith("Arrow") ? 10 : 1));
  };
  slider.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = wanted(event);
    if (next === undefined) return;
    event.preventDefault();
    row.set(next);
  });
};

/** @param {NumberRow} one @param {HTMLInputElement} field */
const wireField = ({ row, knob, scale }, field) => {
  /** @param {number} wait */
  const take = (wait) => row.take(read(knob, field.value), wait, wait === WHILE_TYPING && field.value.trim() === "");
  const rewrite = () => {
    if (!row.failed()) field.value = formatNumber(knob, row.value());
  };
  const back = () => {
    row.clear();
    row.paint(row.value());
  };
  field.addEventListener("input", () => take(WHILE_TYPING));
  field.addEventListener("focus", () => field.select());
  field.addEventListener("blur", () => {
    row.root.classList.remove("is-editing");
    if (field.value.trim() === "") return back();
    take(AFTER_CLICK);
    rewrite();
  });
  field.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      take(0);
      rewrite();
      if (!row.failed()) field.select();
    } else if (event.key === "Escape" && row.failed()) {
      event.stopPropagation();
      back();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      row.clear();
      const next = stepped(knob, scale, row.value(), STEPS[event.key] * (event.shiftKey ? 10 : 1));
      field.value = formatNumber(knob, next);
      row.set(next);
    }
  });
};

/**
 * "Off" gives the last value back and leaves the field ready to type another.
 * @param {Row} row
 * @param {HTMLInputElement} field
 * @param {HTMLButtonElement} off
 */
const wireOff = (row, field, off) => {
  off.addEventListener("click", () => {
    row.root.classList.add("is-editing");
    const last = lastOf(row.knob);
    if (last !== undefined) row.set(last);
    field.focus();
    field.select();
  });
};
