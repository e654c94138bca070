// A text drawn as it grows, as a list or a table once it has ended, and what was thought before it. Drawn with by every
// element that shows texts of a run, so it keeps nothing itself: a view says what it shows.
import { direction } from "../page/direction.js";
import { find, make } from "../page/dom.js";
import { say } from "../page/language.js";
import { t } from "../page/words.js";

/** @typedef {import("./answer.js").Row} Row */
/** @typedef {import("./answer.js").Table} Table */
/** @typedef {{body: HTMLElement, shown: string | null}} TextView `shown` is null where `body` holds anything but its text */
/** @typedef {TextView & {node: HTMLDetailsElement}} ThoughtView */

/**
 * Text grows by appending: what stands already is not touched, so a selection in it survives.
 * @param {TextView} view
 * @param {string} text
 */
export const drawText = (view, text) => {
  const node = view.body.firstChild;
  if (view.shown !== null && node instanceof Text && view.body.childNodes.length === 1) {
    if (!text.startsWith(view.shown)) node.data = text;
    else if (text.length > view.shown.length) node.appendData(text.slice(view.shown.length));
  } else {
    view.body.replaceChildren(document.createTextNode(text));
  }
  view.shown = text;
};

/**
 * What a reasoning model thought, folded away.
 * @returns {ThoughtView}
 */
export const makeThought = () => {
  const body = make("div", { class: "thought-text", dir: "auto" });
  const node = make("details", { class: "thought", hidden: true }, make("summary"), body);
  return { node, body, shown: null };
};
/**
 * @param {ThoughtView} view
 * @param {Row} row
 */
export const drawThought = (view, row) => {
  view.node.hidden = !row.thought && !row.thinks;
  if (view.node.hidden) return;
  find(view.node, "summary").textContent = t(row.thinks && !row.finish ? "thinking" : "thought");
  drawText(view, row.thought ?? "");
};

/**
 * Which way the parts of a list or a table stand: as their text goes.
 * @param {string[]} texts
 */
const wayOf = (texts) => direction(texts.join("\n")) || null;
/**
 * @param {string[]} items
 * @param {boolean | undefined} numbered
 */
export const makeList = (items, numbered) =>
  make(
    numbered ? "ol" : "ul",
    { class: "items", dir: wayOf(items) },
    ...items.map((item) => make("li", { dir: "auto" }, item)),
  );
/** @param {Table} table */
export const makeTable = (table) => {
  const heads = table.head.map(say);
  const cells = table.rows.map((line) => line.map(say));
  const way = wayOf(cells.flatMap((line) => (heads.length ? line : line.slice(1))));
  /** @param {"td" | "th"} tag @param {string} text @param {Record<string, string>} [more] */
  const part = (tag, text, more) => make(tag, { dir: direction(text) ? "auto" : way, ...more }, text); // a number goes along
  /** @param {string} text @param {number} at */
  const cellOf = (text, at) => (at || heads.length ? part("td", text) : part("th", text, { scope: "row" }));
  const head = make("thead", {}, make("tr", {}, ...heads.map((label) => part("th", label, { scope: "col" }))));
  return make(
    "table",
    { class: "rows", dir: wayOf([...heads, ...cells.flat()]) },
    heads.length ? head : null,
    make("tbody", {}, ...cells.map((line) => make("tr", {}, ...line.map(cellOf)))),
  );
};
