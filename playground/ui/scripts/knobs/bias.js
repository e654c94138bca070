// The row of biases: a table of texts, or of token ids, each with its number and the tokens that it acts on.
import { make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { LIMITS, word } from "./registry.js";
import { AFTER_CLICK, icon, WHILE_TYPING } from "./row.js";
import { spoken } from "./spoken.js";
import { same } from "./values.js";
import { readBias, readId, readText, showText } from "./written.js";

/** @typedef {import("./row").Row} Row */
/** Tokens that a text is written with, each by its id and text. @typedef {[id: number, text: string][]} Way */
/** @typedef {[name: string, amount: number]} Entry */
/**
 * @typedef {object} Key how the left side is read: null while it is empty, undefined while it is not valid
 * @property {string} word
 * @property {string} add
 * @property {(name: string) => string} show
 * @property {(typed: string) => string | null | undefined} read
 */

const { props } = hostOf("knobs");
/** @type {Record<string, Key>} */
const KEYS = {
  bias: {
    word: "bias_text",
    add: "add_row",
    show: showText,
    read: (typed) => (typed === "" ? null : readText(typed)),
  },
  id_bias: {
    word: "bias_id",
    add: "add_id",
    show: String,
    read: (typed) => (typed.trim() === "" ? null : readId(typed, LIMITS.token_id)),
  },
};

/** @param {Row} row */
export const biasRow = (row) => {
  const key = KEYS[row.knob.kind];
  /** @type {Line[]} */
  let lines = [];
  const table = make("div", { class: "kn-table" });
  const add = make("button", { class: "kn-link kn-add", type: "button" });
  row.root.classList.add("kn-wide");
  row.root.append(table, add);
  spoken(() => {
    add.textContent = word(key.add);
    for (const line of lines) line.speak();
  });
  const read = () => {
    const entries = lines.map((line) => line.entry()).filter((entry) => entry !== null);
    const names = entries.map((entry) => entry?.[0]);
    if (entries.includes(undefined) || new Set(names).size !== names.length) return undefined;
    return Object.fromEntries(/** @type {Entry[]} */ (entries));
  };
  /** @param {number} wait */
  const take = (wait) => row.take(read(), wait);
  /** @param {Line} line */
  const remove = (line) => {
    lines = lines.filter((one) => one !== line);
    line.root.remove();
    take(0);
    add.focus();
  };
  /** @param {string} shown @param {string} amount */
  const addLine = (shown, amount) => {
    const line = new Line(row, key, shown, amount, take, remove);
    lines.push(line);
    table.append(line.root);
    return line;
  };
  add.addEventListener("click", () => addLine("", "").text.focus());
  row.paint = (/** @type {Record<string, number>} */ value) => {
    const typed = read();
    if (typed === undefined ? !row.failed() : !same(typed, value)) {
      lines = [];
      table.replaceChildren();
      for (const [name, amount] of Object.entries(value)) addLine(key.show(name), String(amount));
    }
    for (const line of lines) line.found(props.found?.[row.knob.name]?.[line.entry()?.[0] ?? ""]);
  };
};

/** One text or id and its number. */
class Line {
  /**
   * @param {Row} row
   * @param {Key} key
   * @param {string} shown
   * @param {string} amount
   * @param {(wait: number) => void} take reads the whole table
   * @param {(line: Line) => void} gone
   */
  constructor(row, key, shown, amount, take, gone) {
    this.row = row;
    this.key = key;
    this.text = make("input", { class: "kn-mono", type: "text", dir: "auto" });
    this.amount = make("input", { class: "kn-field", type: "text", inputmode: "decimal", placeholder: "0" });
    this.remove = make("button", { class: "kn-icon", type: "button", onclick: () => gone(this) }, icon("cross"));
    this.tokens = make("div", { class: "kn-chips", hidden: true });
    this.root = make("div", { class: "kn-line" }, this.text, this.amount, this.remove, this.tokens);
    this.text.value = shown;
    this.amount.value = amount;
    for (const input of [this.text, this.amount]) {
      input.addEventListener("input", () => take(WHILE_TYPING));
      input.addEventListener("blur", () => take(AFTER_CLICK));
    }
    row.describe(this.text, this.amount);
    this.speak();
  }

  speak() {
    const name = say(this.row.knob.label);
    this.text.placeholder = word(this.key.word);
    this.tokens.title = word("bias_found");
    this.text.setAttribute("aria-label", `${name}, ${word(this.key.word)}`);
    this.amount.setAttribute("aria-label", `${name}, ${word("number")}`);
    this.remove.setAttribute("aria-label", word("remove_row"));
  }

  /**
   * Null while the line is empty, undefined while it is not valid.
   * @returns {Entry | null | undefined}
   */
  entry() {
    const name = this.key.read(this.text.value);
    if (name === null || this.amount.value.trim() === "") return null;
    const amount = readBias(this.amount.value, LIMITS.bias);
    return name === undefined || amount === undefined ? undefined : [name, amount];
  }

  /** @param {Way[] | undefined} ways the tokens that it acts on, in each way of writing it */
  found(ways) {
    this.tokens.hidden = !ways;
    if (ways) this.tokens.replaceChildren(...chips(ways));
  }
}

/** @param {Way[]} ways */
const chips = (ways) => {
  if (!ways.length) return [make("span", { class: "kn-chip is-none" }, word("bias_none"))];
  return ways.map((way) => {
    const tokens = way.flatMap(([id, text], at) => [
      at ? " + " : "",
      make("b", {}, String(id)),
      " ",
      make("bdi", {}, `“${showText(text)}”`),
    ]);
    return make("span", { class: "kn-chip" }, ...tokens);
  });
};
