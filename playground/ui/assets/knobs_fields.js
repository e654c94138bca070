// Editors of the panel for everything that is no number on a scale: switches, choices, texts, ids, tables, the seed.
// Runs inside the same function as knobs.js. Each sets row.paint(value); what is being typed is never rewritten.

const ESCAPES = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\" };
const UNESCAPES = { n: "\n", t: "\t", r: "\r", "\\": "\\" };
const showText = (text) => text.replace(/[\n\t\r\\]/g, (c) => ESCAPES[c]);
const readText = (shown) => shown.replace(/\\([ntr\\])/g, (_, c) => UNESCAPES[c]);

/** What the server says of a value stands beside its knob until the value changes, or another run begins. */
function complain(told) {
  for (const one of Object.values(rows)) if (one.told) one.fail(null);
  const row = rows[told?.parameter];
  if (!row) return;
  row.told = told.text;
  row.fail(0);
}

function boolRow(row) {
  const button = h("button", "kn-switch", { type: "button", role: "switch" });
  const word = h("span", "kn-word");
  button.id = row.labelFor();
  row.root.classList.add("kn-inline");
  row.root.append(button, word);
  row.describe(button);
  button.addEventListener("click", () => row.set(!row.value()));
  row.paint = (value) => {
    button.setAttribute("aria-checked", String(value));
    word.textContent = say(value ? WORDS.on : WORDS.off);
    row.root.classList.toggle("is-off", !value);
  };
}

/** Radio buttons drawn as one strip; `labels()` gives what each choice is called now. */
function strip(row, choices, label) {
  const box = h("span", "kn-strip", { role: "radiogroup" });
  box.setAttribute("aria-labelledby", row.labelId);
  const inputs = choices.map((choice) => {
    const input = h("input", "", { type: "radio", name: `${row.id}-strip`, value: choice });
    const text = h("span");
    const cell = h("label");
    cell.append(input, text);
    box.append(cell);
    spoken(() => { text.textContent = label(choice); });
    return input;
  });
  row.describe(...inputs);
  return { box, inputs, pick: (choice) => inputs.forEach((input) => { input.checked = input.value === choice; }) };
}

function choiceRow(row) {
  const { knob } = row;
  const label = (choice) => (knob.choice_labels[choice] ? say(knob.choice_labels[choice]) : choice);
  const longest = knob.choices.reduce((sum, choice) => sum + label(choice).length, 0);
  row.root.classList.add("kn-inline");
  if (knob.choices.length <= 3 && longest <= 28) {
    const { box, inputs, pick } = strip(row, knob.choices, label);
    inputs.forEach((input) => input.addEventListener("change", () => row.set(input.value)));
    row.root.append(box);
    row.paint = pick;
    return;
  }
  const select = h("select", "kn-select");
  select.id = row.labelFor();
  for (const choice of knob.choices) {
    const option = h("option", "", { value: choice });
    spoken(() => { option.textContent = label(choice); });
    select.append(option);
  }
  row.root.append(select);
  row.describe(select);
  select.addEventListener("change", () => row.set(select.value));
  row.paint = (value) => { select.value = value; };
}

/** A text area whose content is read by `read` (undefined: not valid) and written by `write`. */
function writtenRow(row, { write, read, rows = 1, mono = false, hint = null, dir = "ltr" }) {
  const area = h("textarea", mono ? "kn-area kn-mono" : "kn-area", { rows, dir });
  area.id = row.labelFor();
  area.spellcheck = false;
  row.root.classList.add("kn-wide");
  row.root.append(area);
  row.describe(area);
  if (hint) spoken(() => { area.placeholder = say(hint); });
  const fit = () => {
    const lines = Math.max(rows, area.value.split("\n").length);
    area.rows = Math.min(8, lines);
  };
  const take = (wait) => {
    const value = read(area.value);
    if (value === undefined) return row.fail(wait);
    row.fail(null);
    if (!same(value, row.value())) row.set(value);
  };
  area.addEventListener("input", () => { fit(); take(WHILE_TYPING); });
  area.addEventListener("blur", () => take(AFTER_CLICK));
  row.paint = (value) => {
    const typed = read(area.value);
    if (typed === undefined ? !row.failed() : !same(typed, value)) area.value = write(value);
    fit();
  };
  return area;
}

function textRow(row) {
  const dir = row.knob.group === "form" ? "ltr" : "auto"; // JSON, an expression, a grammar: code
  writtenRow(row, { write: (value) => value, read: (text) => text, rows: 2, dir });
}

function textsRow(row) {
  const write = (value) => value.map(showText).join("\n");
  const read = (text) => text.split("\n").filter((line) => line !== "").map(readText);
  writtenRow(row, { write, read, mono: true, hint: WORDS.one_a_line, dir: "auto" });
}

function readIds(text) {
  const parts = text.replace(/^\s*\[|\]\s*$/g, "").split(/[\s,，、]+/).filter((part) => part !== "");
  return parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) < 2 ** 31) ? parts.map(Number) : undefined;
}

function idsRow(row) {
  writtenRow(row, { write: (value) => value.join(", "), read: readIds, mono: true, hint: WORDS.ids_hint });
}

/** "[1, 2], [3]", the same in outer brackets, or one list a line without any. */
function readIdLists(text) {
  const plainText = text.trim().replace(/，/g, ",");
  if (plainText === "") return [];
  if (!plainText.includes("[")) {
    const lists = plainText.split(/[\n;；]+/).map(readIds);
    return lists.every((list) => list?.length) ? lists : undefined;
  }
  try {
    const read = JSON.parse(/^\[\s*(\[|\]$)/.test(plainText) ? plainText : `[${plainText}]`);
    const lists = read.map((list) => readIds(JSON.stringify(list)));
    return read.every((list) => Array.isArray(list) && list.length) && lists.every(Boolean) ? lists : undefined;
  } catch {
    return undefined; // not closed yet, or no list of numbers
  }
}

function idListsRow(row) {
  const write = (value) => value.map((list) => `[${list.join(", ")}]`).join(", ");
  writtenRow(row, { write, read: readIdLists, mono: true, hint: WORDS.id_lists_hint });
}

const BIAS_KEYS = {
  bias: { word: "bias_text", add: "add_row", show: showText, read: (typed) => (typed === "" ? null : readText(typed)) },
  id_bias: { word: "bias_id", add: "add_id", show: String, read: (typed) => (typed.trim() === "" ? null : readId(typed)) },
};
const readId = (typed) => (/^\s*\d{1,10}\s*$/.test(typed) && Number(typed) < 2 ** 31 ? String(Number(typed)) : undefined);

function biasRow(row) {
  row.named = BIAS_KEYS[row.knob.kind].show;
  const table = h("div", "kn-table");
  const add = h("button", "kn-link kn-add", { type: "button" });
  row.root.classList.add("kn-wide");
  row.root.append(table, add);
  spoken(() => { add.textContent = say(WORDS[BIAS_KEYS[row.knob.kind].add]); });
  const lines = () => [...table.children];
  const read = () => {
    const entries = lines().map((line) => line.entry()).filter((entry) => entry !== null);
    const names = entries.map((entry) => entry?.[0]);
    if (entries.includes(undefined) || new Set(names).size !== names.length) return undefined;
    return Object.fromEntries(entries);
  };
  const take = (wait) => {
    const value = read();
    if (value === undefined) return row.fail(wait);
    row.fail(null);
    if (!same(value, row.value())) row.set(value);
  };
  const addLine = (text, number) => {
    const line = biasLine(row, text, number, take);
    table.append(line);
    return line;
  };
  add.addEventListener("click", () => addLine("", "").querySelector("input").focus());
  const fill = (value) => {
    const typed = read();
    if (typed === undefined ? row.failed() : same(typed, value)) return;
    table.replaceChildren();
    for (const [text, number] of Object.entries(value)) addLine(row.named(text), String(number));
  };
  row.paint = (value) => {
    fill(value);
    for (const line of lines()) line.found(props.found?.[row.knob.name]?.[line.entry()?.[0]]);
  };
}

/** The tokens that a text is written with: a chip for each way, with their ids. */
function chips(ways) {
  if (!ways.length) return [Object.assign(h("span", "kn-chip is-none"), { textContent: say(WORDS.bias_none) })];
  return ways.map((way) => {
    const chip = h("span", "kn-chip");
    way.forEach(([id, text], at) => {
      if (at) chip.append(" + ");
      chip.append(Object.assign(h("b"), { textContent: String(id) }), " ", Object.assign(h("bdi"), { textContent: `“${showText(text)}”` }));
    });
    return chip;
  });
}

/** One text or id and its number. `entry()` is null while the line is empty and undefined while it is not valid. */
function biasLine(row, shown, number, take) {
  const key = BIAS_KEYS[row.knob.kind];
  const line = h("div", "kn-line");
  const tokens = h("div", "kn-chips");
  tokens.hidden = true;
  const text = h("input", "kn-mono", { type: "text", dir: "auto" });
  const amount = h("input", "kn-field", { type: "text", inputmode: "decimal" });
  const remove = h("button", "kn-icon", { type: "button" });
  remove.append(icon("cross"));
  text.value = shown;
  amount.value = number;
  const name = () => {
    text.placeholder = say(WORDS[key.word]);
    tokens.title = say(WORDS.bias_found);
    amount.placeholder = "0";
    text.setAttribute("aria-label", `${say(row.knob.label)}, ${say(WORDS[key.word])}`);
    amount.setAttribute("aria-label", `${say(row.knob.label)}, ${say(WORDS.number)}`);
    remove.setAttribute("aria-label", say(WORDS.remove_row));
  };
  name();
  row.describe(text, amount);
  line.append(text, amount, remove, tokens);
  line.found = (ways) => {
    tokens.hidden = !ways;
    if (ways) tokens.replaceChildren(...chips(ways));
  };
  line.entry = () => {
    const typed = amount.value.trim();
    const name = key.read(text.value);
    if (name === null || typed === "") return null;
    const read = Number(typed);
    return name !== undefined && Number.isFinite(read) && Math.abs(read) <= 100 ? [name, read] : undefined;
  };
  for (const input of [text, amount]) {
    input.addEventListener("input", () => take(WHILE_TYPING));
    input.addEventListener("blur", () => take(AFTER_CLICK));
  }
  remove.addEventListener("click", () => { line.remove(); take(0); row.root.querySelector(".kn-add").focus(); });
  return line;
}

const freshSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;

/** A seed of -1 is drawn anew for each run; any other is kept, which the closed lock shows. */
function seedRow(row) {
  const { knob } = row;
  const field = h("input", "kn-field kn-seed", { type: "text", inputmode: "numeric", autocomplete: "off" });
  const lock = h("button", "kn-icon kn-lock", { type: "button" });
  const dice = h("button", "kn-icon kn-dice", { type: "button" });
  dice.append(icon("dice"));
  field.id = row.labelFor();
  row.root.classList.add("kn-inline");
  const box = h("span", "kn-seedbox");
  box.append(field, lock, dice);
  row.root.append(box);
  row.describe(field);
  const read = (text) => (text.trim() === "" ? -1 : parseNumber(knob, text));
  const take = (wait) => {
    const value = read(field.value);
    if (value === undefined) return row.fail(wait);
    row.fail(null);
    if (value !== row.value()) row.set(value);
  };
  field.addEventListener("input", () => take(WHILE_TYPING));
  field.addEventListener("blur", () => { take(AFTER_CLICK); if (!row.failed()) row.paint(row.value()); });
  lock.addEventListener("click", () => row.set(row.value() >= 0 ? -1 : lasts[knob.name] ?? freshSeed()));
  dice.addEventListener("click", () => row.set(freshSeed()));
  row.paint = (value) => {
    const locked = value >= 0;
    if (!row.failed() && read(field.value) !== value) field.value = locked ? String(value) : "";
    if (!locked && document.activeElement !== field && !row.failed()) field.value = "";
    field.placeholder = say(WORDS.fresh_seed);
    lock.replaceChildren(icon(locked ? "locked" : "unlocked"));
    lock.setAttribute("aria-pressed", String(locked));
    lock.setAttribute("aria-label", say(WORDS.keep_seed));
    lock.title = say(locked ? WORDS.seed_kept : WORDS.seed_fresh);
    dice.setAttribute("aria-label", say(WORDS.roll_seed));
    dice.title = say(WORDS.roll_seed);
  };
}
