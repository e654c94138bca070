// Rows without a scale: switches, choices, and values that are written as text. What is being typed is never rewritten.
import { make } from "../page/dom.js";
import { say } from "../page/language.js";
import { LIMITS, word } from "./registry.js";
import { AFTER_CLICK, WHILE_TYPING } from "./row.js";
import { spoken } from "./spoken.js";
import { same } from "./values.js";
import { readIdLists, readIds, readTexts, showIdLists, showTexts } from "./written.js";

/** @typedef {import("./row").Row} Row */

/** @param {Row} row */
export const boolRow = (row) => {
  const flip = () => row.set(!row.value());
  const button = make("button", {
    class: "kn-switch",
    type: "button",
    role: "switch",
    id: row.labelFor(),
    onclick: flip,
  });
  const said = make("span", { class: "kn-word" });
  row.root.classList.add("kn-inline");
  row.root.append(button, said);
  row.describe(button);
  row.paint = (/** @type {boolean} */ value) => {
    button.setAttribute("aria-checked", String(value));
    said.textContent = word(value ? "on" : "off");
    row.root.classList.toggle("is-off", !value);
  };
};

const [FEW, SHORT] = [3, 28]; // choices and letters in all that stand side by side

/** @param {Row} row */
export const choiceRow = (row) => {
  const { knob } = row;
  /** @param {string} choice */
  const label = (choice) => (knob.choice_labels[choice] ? say(knob.choice_labels[choice]) : choice);
  const letters = knob.choices.reduce((sum, choice) => sum + label(choice).length, 0);
  row.root.classList.add("kn-inline");
  if (knob.choices.length <= FEW && letters <= SHORT) strip(row, label);
  else menu(row, label);
};
/**
 * Radio buttons drawn as one strip.
 * @param {Row} row
 * @param {(choice: string) => string} label what each choice is called now
 */
const strip = (row, label) => {
  const inputs = row.knob.choices.map((choice) =>
    make("input", { type: "radio", name: `${row.id}-strip`, value: choice, onchange: () => row.set(choice) }),
  );
  const cells = inputs.map((input) => {
    const text = make("span");
    spoken(() => {
      text.textContent = label(input.value);
    });
    return make("label", {}, input, text);
  });
  row.root.append(make("span", { class: "kn-strip", role: "radiogroup", "aria-labelledby": row.labelId }, ...cells));
  row.describe(...inputs);
  row.paint = (value) => {
    for (const input of inputs) input.checked = input.value === value;
  };
};
/**
 * @param {Row} row
 * @param {(choice: string) => string} label
 */
const menu = (row, label) => {
  const select = make("select", { class: "kn-select", id: row.labelFor(), onchange: () => row.set(select.value) });
  for (const choice of row.knob.choices) {
    const option = make("option", { value: choice });
    spoken(() => {
      option.textContent = label(choice);
    });
    select.append(option);
  }
  row.root.append(select);
  row.describe(select);
  row.paint = (/** @type {string} */ value) => {
    select.value = value;
  };
};

/**
 * @typedef {object} Writing
 * @property {(value: any) => string} write
 * @property {(text: string) => any} read undefined for what is not valid
 * @property {number} [rows]
 * @property {boolean} [mono]
 * @property {string} [hint] the key of what stands there while it is empty
 * @property {string} [dir]
 */
const MOST_ROWS = 8;
/**
 * A text area.
 * @param {Row} row
 * @param {Writing} writing
 * @returns {HTMLTextAreaElement}
 */
export const writtenRow = (row, { write, read, rows = 1, mono = false, hint = "", dir = "ltr" }) => {
  const style = mono ? "kn-area kn-mono" : "kn-area";
  const area = make("textarea", { class: style, rows, dir, id: row.labelFor(), spellcheck: "false" });
  row.root.classList.add("kn-wide");
  row.root.append(area);
  row.describe(area);
  if (hint) {
    spoken(() => {
      area.placeholder = word(hint);
    });
  }
  const fit = () => {
    area.rows = Math.min(MOST_ROWS, Math.max(rows, area.value.split("\n").length));
  };
  area.addEventListener("input", () => {
    fit();
    row.take(read(area.value), WHILE_TYPING);
  });
  area.addEventListener("blur", () => row.take(read(area.value), AFTER_CLICK));
  row.paint = (value) => {
    const typed = read(area.value);
    if (typed === undefined ? !row.failed() : !same(typed, value)) area.value = write(value);
    fit();
  };
  return area;
};

/** @param {string} text */
const itself = (text) => text;
/** @param {Row} row */
export const textRow = (row) => {
  const dir = row.knob.group === "form" ? "ltr" : "auto"; // JSON, an expression, a grammar: code
  writtenRow(row, { write: itself, read: itself, rows: 2, dir });
};
/** @param {Row} row */
export const textsRow = (row) => {
  writtenRow(row, { write: showTexts, read: readTexts, mono: true, hint: "one_a_line", dir: "auto" });
};
/** @param {Row} row */
export const idsRow = (row) => {
  const read = (/** @type {string} */ text) => readIds(text, LIMITS.token_id);
  writtenRow(row, { write: (/** @type {number[]} */ ids) => ids.join(", "), read, mono: true, hint: "ids_hint" });
};
/** @param {Row} row */
export const idListsRow = (row) => {
  const read = (/** @type {string} */ text) => readIdLists(text, LIMITS.token_id);
  writtenRow(row, { write: showIdLists, read, mono: true, hint: "id_lists_hint" });
};
