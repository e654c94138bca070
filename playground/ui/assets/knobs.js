// The panel of knobs: builds every row once from KNOBS, then only paints. Focus, scroll and what is being typed or
// dragged stay as they are when Python sends values, reasons, badges or another language.
// In scope: element, trigger, props, watch (from gr.HTML); DATA (from knobs.py). Names of props stand unquoted here,
// because gr.HTML takes every quoted word for the name of an event.

const { knobs: KNOBS, groups: GROUPS, words: WORDS, orders: ORDERS } = DATA;
const STAGES = DATA.stages.map((stage) => stage.name);
const uid = `kn${Math.random().toString(36).slice(2, 8)}`;
const part = (name) => element.querySelector(`.kn-${name}`);
// How long an error waits, in ms: till the typing pauses, or till the click that left the field has landed where it
// was aimed (an error takes a line, and what is below moves).
const WHILE_TYPING = 700;
const AFTER_CLICK = 250;
const rows = {};
const sections = [];
const speakers = [];
const lasts = {};
let values = { ...props.value };
let held = null;
let release = 0;
let onlyActive = false;

const say = (text) => (typeof text === "string" ? text : text?.[props.language] ?? text?.en ?? "");

/** Runs now and again whenever the language changes. */
function spoken(speak) {
  speakers.push(speak);
  speak();
}

function h(tag, className = "", attributes = {}) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, content] of Object.entries(attributes)) node.setAttribute(name, content);
  return node;
}

const ICONS = {
  locked: "M5 7V5a3 3 0 0 1 6 0v2M3.5 7h9v6.5h-9z",
  unlocked: "M5 7V5a3 3 0 0 1 5.8-1M3.5 7h9v6.5h-9z",
  dice: "M3 3h10v10H3zM5.8 5.8h.01M10.2 5.8h.01M8 8h.01M5.8 10.2h.01M10.2 10.2h.01",
  cross: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  reset: "M4 3v3.5h3.5M4.2 6.3a4.8 4.8 0 1 1-.9 3.2",
  caret: "M6 4l4 4-4 4",
  grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "kn-svg");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function canonical(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
}
const same = (a, b) => a === b || canonical(a) === canonical(b);

const isNeutral = (knob) => same(values[knob.name], knob.neutral);
const hasEffect = (knob) => !props.inert?.[knob.name] && !(knob.needs && rows[knob.needs] && isNeutral(rows[knob.needs].knob));
const isGreedy = (knob, value) => knob.name === "temperature" && value === 0;
const isActive = (knob) => !knob.setting && !isNeutral(knob) && hasEffect(knob);

/** While a person drags or types, what Python sends does not reach that knob. */
function hold(name, down) {
  clearTimeout(release);
  if (down) held = name;
  else release = setTimeout(() => { held = null; }, 600);
}

function set(name, value) {
  const { knob } = rows[name];
  rows[name].fail(null);
  values = { ...values, [name]: value };
  props.value = values;
  if (!same(value, knob.neutral)) lasts[name] = value;
  if (held !== name) { hold(name, true); hold(name, false); }
  rows[name].paint(value);
  paintState();
  trigger("input", { name });
}

function setMany(next) {
  for (const row of Object.values(rows)) row.fail(null);
  if (same(next, values)) return paintAll();
  values = next;
  props.value = values;
  remember();
  paintAll();
  trigger("input", {});
}

function remember() {
  for (const knob of KNOBS) if (!isNeutral(knob)) lasts[knob.name] = values[knob.name];
}

const neutralValues = () => Object.fromEntries(
  KNOBS.map((knob) => [knob.name, knob.setting ? values[knob.name] : knob.neutral]));

/** What "Restore preset" gives: all that the preset says; the seed is luck, and no preset's. */
const presetValues = () => {
  const seeds = KNOBS.filter((knob) => knob.kind === "seed").map(({ name }) => [name, values[name]]);
  return { ...neutralValues(), ...(props.preset_values ?? {}), ...Object.fromEntries(seeds) };
};

// Rows

const KINDS = {
  float: numberRow, int: numberRow, bool: boolRow, choice: choiceRow, text: textRow, texts: textsRow,
  ids: idsRow, id_lists: idListsRow, bias: biasRow, id_bias: biasRow, order: orderRow, seed: seedRow,
};

function makeRow(knob) {
  const id = `${uid}-${knob.name}`;
  const root = h("div", "kn-row", { "data-knob": knob.name });
  const title = h("label", "kn-name");
  const help = h("button", "kn-q", { type: "button", "aria-expanded": "false" });
  const label = h("div", "kn-label");
  const row = { knob, id, root, labelId: `${id}-label`, paint: () => {}, value: () => values[knob.name] };
  title.id = row.labelId;
  help.textContent = "?";
  label.append(title, help);
  root.append(label);
  row.set = (value) => set(knob.name, value);
  row.labelFor = () => { title.htmlFor = `${id}-control`; return `${id}-control`; };
  addNotes(row);
  spoken(() => {
    writeName(title, say(knob.label));
    help.setAttribute("aria-label", say(WORDS.about).replace("{label}", say(knob.label)));
  });
  KINDS[knob.kind](row);
  const reset = h("button", "kn-icon kn-reset", { type: "button" });
  reset.append(icon("reset"));
  reset.addEventListener("click", () => {
    row.fail(null);
    row.set(knob.neutral);
    root.querySelector("input, textarea, select, [role=switch]")?.focus();
  });
  spoken(() => {
    reset.title = say(WORDS.reset);
    reset.setAttribute("aria-label", say(WORDS.reset_hint).replace("{label}", say(knob.label)));
  });
  root.append(reset, row.badge, row.why, row.error);
  wireHelp(row, label, help);
  rows[knob.name] = row;
  return root;
}

/** Names break at their underscores. */
function writeName(node, text) {
  node.replaceChildren();
  text.split(/(?<=_)/).forEach((piece, index) => node.append(...(index ? [h("wbr")] : []), piece));
}

/** The badge, the reason why a knob has no effect, and the error beside it. */
function addNotes(row) {
  let timer = 0;
  let wrong = false;
  const described = [];
  row.badge = h("span", "kn-badge");
  row.why = h("p", "kn-why", { id: `${row.id}-why` });
  row.error = h("p", "kn-error", { id: `${row.id}-error`, role: "alert" });
  row.describe = (...controls) => {
    for (const control of controls) control.setAttribute("aria-describedby", `${row.id}-why ${row.id}-error`);
    described.push(...controls);
  };
  row.failed = () => wrong;
  row.fail = (wait, quiet = false) => {
    clearTimeout(timer);
    wrong = wait !== null;
    if (!wrong) row.told = null;
    if (wait && !row.error.textContent && !quiet) { timer = setTimeout(() => row.fail(0), wait); return; }
    const shown = wrong && !quiet;
    const needs = () => say(WORDS.needs).replace("{range}", () => say(row.knob.range));
    row.error.textContent = shown ? (row.told ? bidi.sentence(say(row.told)) : needs()) : "";
    row.root.classList.toggle("is-wrong", shown);
    for (const control of described) control.toggleAttribute("aria-invalid", shown);
  };
}

function paintNotes(row) {
  const badge = say(props.badges?.[row.knob.name]);
  const why = say(props.inert?.[row.knob.name]);
  if (row.badge.textContent !== badge) row.badge.textContent = badge;
  if (row.why.textContent !== why) row.why.textContent = why;
  row.root.classList.toggle("is-inert", why !== "");
}

/** A reason that neighbours share is shown once, above the first of them. */
function paintReasons() {
  for (const section of sections) {
    const shown = section.knobs.map((knob) => rows[knob.name]).filter((row) => !row.root.hidden);
    const reason = (at) => shown[at]?.why.textContent ?? "";
    shown.forEach((row, at) => {
      const shared = reason(at) !== "";
      const told = shared && reason(at - 1) === reason(at);
      row.root.classList.toggle("is-told", told);
      row.root.classList.toggle("says-above", shared && !told && reason(at + 1) === reason(at));
    });
  }
}

// Groups

function makeSection(group, knobs, more) {
  const root = h("section", more ? "kn-group kn-more" : "kn-group", { "data-group": group.id });
  const head = h(more ? "button" : "h3", "kn-heading", more ? { type: "button", "aria-expanded": "false" } : {});
  const name = h("span");
  const count = h("span", "kn-tally");
  const body = h("div", "kn-rows", { id: `${uid}-${group.id}-${more ? "more" : "basic"}` });
  const section = { root, knobs, more, open: !more, count };
  if (more) {
    head.append(icon("caret"));
    head.setAttribute("aria-controls", body.id);
  }
  head.append(name, count);
  body.append(...knobs.map(makeRow));
  root.append(head, body);
  spoken(() => { name.textContent = say(group.label); });
  section.show = (open) => {
    body.hidden = !open;
    if (more) head.setAttribute("aria-expanded", String(open));
  };
  if (more) head.addEventListener("click", () => { section.open = body.hidden; section.show(section.open); });
  section.show(section.open);
  sections.push(section);
  return root;
}

function build() {
  const body = part("body");
  const of = (group, level) => KNOBS.filter((knob) => knob.group === group.id && knob.level === level);
  for (const group of GROUPS) {
    const basic = of(group, "basic");
    if (basic.length) body.append(makeSection(group, basic, false));
  }
  const more = h("p", "kn-subtitle");
  spoken(() => { more.textContent = say(WORDS.more); });
  if (KNOBS.some((knob) => knob.level !== "basic")) body.append(more);
  for (const group of GROUPS) {
    const rest = of(group, "advanced");
    if (rest.length) body.append(makeSection(group, rest, true));
  }
}

// Finding

const plain = (text) => text.toLowerCase().replace(/[_\-\s]+/g, " ").trim();

function haystack(knob) {
  const texts = [knob.name, knob.label.en, knob.label.zh, knob.help.en, knob.help.zh];
  return plain([...texts, ...Object.entries(knob.elsewhere).flat()].join(" "));
}

function filter() {
  const wanted = plain(part("find").value).split(" ").filter(Boolean);
  const narrowed = wanted.length > 0 || onlyActive;
  let found = 0;
  for (const section of sections) {
    let here = 0;
    for (const knob of section.knobs) {
      const row = rows[knob.name];
      row.hay ??= haystack(knob);
      const fits = wanted.every((word) => row.hay.includes(word)) && (!onlyActive || isActive(knob));
      row.root.hidden = !fits;
      here += fits;
    }
    section.root.hidden = here === 0;
    section.show(narrowed ? here > 0 : section.open);
    found += here;
  }
  element.querySelector(".kn-subtitle")?.toggleAttribute("hidden", narrowed);
  part("none").hidden = found > 0;
  paintReasons();
}

// Painting

function paintState() {
  window.playground?.tell("knobs", values);
  let active = 0;
  for (const section of sections) {
    const here = section.knobs.filter(isActive).length;
    active += here;
    const total = section.more ? say(WORDS.tally).replace("{n}", section.knobs.length) : "";
    section.count.textContent = section.more && here ? say(WORDS.active).replace("{n}", here) : total;
    section.count.classList.toggle("is-active", here > 0);
  }
  for (const row of Object.values(rows)) {
    row.root.classList.toggle("is-neutral", isNeutral(row.knob));
    row.root.classList.toggle("is-active", isActive(row.knob));
    row.follow?.();
  }
  const count = part("count");
  count.textContent = say(WORDS.active).replace("{n}", active);
  count.title = say(onlyActive ? WORDS.show_all : WORDS.show_active);
  const changed = props.preset_values && !same(values, presetValues());
  part("changed").textContent = changed ? say(WORDS.changed) : "";
  part("restore").disabled = !changed;
}

function paintAll() {
  for (const row of Object.values(rows)) { row.paint(row.value()); paintNotes(row); }
  paintReasons();
  paintState();
}

function paintPresets() {
  const select = part("preset").querySelector("select");
  const known = (props.presets ?? []).some((preset) => preset.id === props.active_preset);
  select.replaceChildren();
  if (!known) select.append(Object.assign(h("option", "", { value: "" }), { textContent: "—" }));
  for (const preset of props.presets ?? []) {
    select.append(Object.assign(h("option", "", { value: preset.id }), { textContent: say(preset.title) }));
  }
  select.value = known ? props.active_preset : "";
  window.playground?.tell("preset", select.value);
  part("bar-preset").classList.toggle("has-presets", Boolean(props.presets?.length));
}

function speakHead() {
  element.querySelector(".kn").lang = props.language === "zh" ? "zh-CN" : "en";
  part("title").textContent = say(WORDS.knobs);
  part("find").placeholder = say(WORDS.find);
  part("find").setAttribute("aria-label", say(WORDS.find_label));
  part("preset").querySelector("span").textContent = say(WORDS.preset);
  part("restore").textContent = say(WORDS.restore);
  part("neutral").textContent = say(WORDS.neutralize);
  part("restore").title = say(WORDS.restore_hint);
  part("neutral").title = say(WORDS.neutralize_hint);
  part("none").textContent = say(WORDS.none);
}

function wireHead() {
  part("find").addEventListener("input", filter);
  part("find").addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || part("find").value === "") return;
    event.preventDefault();
    event.stopPropagation();
    part("find").value = "";
    filter();
  });
  part("count").addEventListener("click", () => {
    onlyActive = !onlyActive;
    part("count").setAttribute("aria-pressed", String(onlyActive));
    filter();
    paintState();
  });
  part("neutral").addEventListener("click", () => setMany(neutralValues()));
  part("restore").addEventListener("click", () => setMany(presetValues()));
  part("preset").querySelector("select").addEventListener("change", (event) => {
    if (event.target.value) trigger("preset", { id: event.target.value });
  });
}

/** Values from Python, except for the knob that a person is moving at this moment. */
function receive() {
  const sent = { ...values, ...props.value };
  const mine = held && sent[held] !== undefined && !same(sent[held], values[held]);
  const next = mine ? { ...sent, [held]: values[held] } : sent;
  for (const [name, row] of Object.entries(rows)) if (!same(next[name], values[name])) row.fail(null);
  values = next;
  if (mine) props.value = values;
  remember();
  paintAll();
}

/** Called once all files of the panel are read. */
function start() {
  build();
  wireHead();
  wirePopover();
  const root = element.querySelector(".kn");
  new ResizeObserver(() => root.classList.toggle("is-narrow", root.clientWidth < 400)).observe(root);
  speakHead();
  paintPresets();
  remember();
  paintAll();
  watch("value", receive);
  // Other elements of the page may turn a knob, as if by hand.
  window.playground?.on("complaint", complain, "panel");
  window.playground?.on("knob", ({ name, value }) => { if (rows[name]) set(name, value); }, "panel");
  watch(Object.keys({ inert: 0, badges: 0, found: 0, preset_values: 0 }), paintAll);
  watch(Object.keys({ presets: 0, active_preset: 0 }), paintPresets);
  watch(Object.keys({ language: 0 }), () => {
    closeHelp();
    for (const speak of speakers) speak();
    for (const row of Object.values(rows)) if (row.error.textContent) row.fail(0);
    speakHead();
    paintPresets();
    paintAll();
  });
}
