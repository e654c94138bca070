// What the token views share: words, numbers, how a token's text is made visible, the rows of a run as they grow, and
// what the views tell each other. `DATA` is put before this file by Python.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const language = () => props.language || pg?.language || (document.documentElement.lang.startsWith("zh") ? "zh" : "en");
const say = (text) => {
  if (text === null || text === undefined) return "";
  return typeof text === "string" ? text : text[language()] ?? text.en ?? "";
};
const t = (key, values = {}) => window.playground.filled(say(DATA.words[key] ?? key), values);
const sentenceOf = (text) => bidi.sentence(say(text));
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};
const speakAll = (...roots) => {
  for (const root of roots.length ? roots : [element]) {
    for (const node of root.querySelectorAll("[data-w]")) node.textContent = t(node.dataset.w);
    for (const node of root.querySelectorAll("[data-w-label]")) node.setAttribute("aria-label", t(node.dataset.wLabel));
  }
};

// Numbers. What is not known is a dash, never a zero.
const known = (value) => typeof value === "number" && Number.isFinite(value);
const count = (value) => (known(value) ? value.toLocaleString("en-US") : "–");
const fixed = (value, digits) => (known(value) ? value.toFixed(digits) : "–");
const percent = (share) => {
  if (!known(share)) return "–";
  const value = share * 100;
  if (value === 0) return "0\u00a0%";
  if (value < 0.01) return "<0.01\u00a0%";
  if (value > 99.9 && share < 1) return ">99.9\u00a0%";
  return `${value.toFixed(value >= 10 ? 0 : value >= 1 ? 1 : 2)}\u00a0%`;
};
const bits = (value, digits = 2) => (known(value) ? t("bits", { n: fixed(value, digits) }) : "–");

// Inside the running text: a line break is drawn and still breaks the line; spaces show where there is nothing else.
const inText = (token) => {
  if (token.text === "") return token.special ? "⟨∎⟩" : "◦";
  const text = /^[ \u00a0\u3000]+$/.test(token.text) ? "·".repeat(token.text.length) : token.text;
  return unhidden(text.replace(/\r\n?/g, "\n")).replace(/\n/g, "↵\n").replace(/\t/g, "⇥\t");
};
// By itself, in a list or on a button.
const alone = (token) => (token.text === "" ? (token.special ? t("end") : "◦") : onOneLine(token.text));
// For a voice.
const spoken = (token) => {
  if (token.special) return t("special", { text: token.text || t("end") });
  if (token.text === "") return t("no_text");
  if (/\S/.test(token.text)) return unhidden(token.text).trim();
  if (/\n/.test(token.text)) return t("line_break");
  return /\t/.test(token.text) ? t("tab") : t("space");
};

// A token by itself, and one bar: the share before as a pale bar, the share after as a full one on top of it.
const nameOf = (token) => make("span", { class: token.special ? "wf-token wf-special" : "wf-token", dir: "auto", title: `id ${token.id}` },
  alone(token));
const bar = (before, after, most) => {
  const width = (share) => `${most > 0 && known(share) ? Math.max(share > 0 ? 0.6 : 0, (share / most) * 100) : 0}%`;
  const box = make("span", { class: "wf-bar", "aria-hidden": "true" }, make("i", { class: "wf-before" }), make("i", { class: "wf-after" }));
  box.children[0].style.width = width(before);
  box.children[1].style.width = width(after);
  return box;
};
// Where panels are sheets from below, only one of them is open.
const onlySheet = (close) => pg?.on?.("sheet", (other) => {
  if (other !== element && window.matchMedia("(max-width: 600px)").matches) close();
}, element);

const modelChance = (token) => (known(token.logprob) ? Math.exp(token.logprob) : null);
const surprise = (token) => (known(token.logprob) ? Math.max(0, -token.logprob / Math.LN2) : null);

/** A token as it was sent: see `packed` in tokens.py. */
const unpacked = (one) => {
  if (!Array.isArray(one)) return one;
  const [id, text, logprob, p, rank, entropy, top, marks] = one;
  const others = top.map(([other, written, chance, special]) => ({ id: other, text: written, p: chance, special: Boolean(special) }));
  return { id, text, logprob, p, rank, entropy, top: others, special: Boolean(marks & 1), context: Boolean(marks & 2) };
};

// The rows of a run, told piece by piece: `from` is where the piece goes, and what stood there and behind it goes away.
const rowsOf = () => {
  const held = { run: undefined, rows: new Map(), gap: false }; // gap: a piece is missing between two that came
  const same = (one, two) => one.id === two.id && one.text === two.text;
  const mergePart = (part) => {
    if (!held.rows.has(part.row)) held.rows.set(part.row, { row: part.row, tokens: [], done: false, numbers: null });
    const row = held.rows.get(part.row);
    if (part.numbers) row.numbers = part.numbers;
    if (part.from > row.tokens.length) {
      held.gap = true;
      return null;
    }
    const tokens = part.tokens.map(unpacked);
    let keep = part.from;
    for (const token of tokens) {
      if (keep >= row.tokens.length || !same(row.tokens[keep], token)) break;
      keep += 1;
    }
    const before = row.tokens.length;
    row.tokens.length = keep;
    for (let at = keep - part.from; at < tokens.length; at += 1) row.tokens.push(tokens[at]);
    const finished = Boolean(part.done) && !row.done;
    row.done = Boolean(part.done);
    return { row: part.row, keep: Math.min(keep, before), finished };
  };
  // The last value of a run is told again when it ends, perhaps behind that of another one that was turned to meanwhile.
  let newest = 0;
  held.isOld = (value) => {
    const old = known(value.number) && value.number < newest;
    newest = Math.max(newest, value.number ?? 0);
    return old;
  };
  held.merge = (value) => {
    const fresh = value.run !== held.run;
    if (fresh) { held.run = value.run; held.rows.clear(); }
    held.gap = false;
    return { fresh, changes: (value.rows ?? [value]).filter((part) => part.tokens).map(mergePart).filter(Boolean) };
  };
  return held;
};

// The views of one scope tell each other where the reader is; each says `pick` to the server by itself.
const BUS = "playground-token";
const scope = props.scope ?? "";
const tellViews = (kind, detail = {}) => {
  document.dispatchEvent(new CustomEvent(BUS, { detail: { kind, scope, source: element, ...detail } }));
};
const hearViews = (listener) => {
  const heard = ({ detail }) => {
    if (!element.isConnected) document.removeEventListener(BUS, heard);
    else if (detail.source !== element && detail.scope === scope) listener(detail);
  };
  document.addEventListener(BUS, heard);
};
