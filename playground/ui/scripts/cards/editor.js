// A card's text changed by hand, in its place; what was thought before it stays. Knows no other part of the page.
import { find, make } from "../page/dom.js";
import { t } from "../page/words.js";
import { answerOf } from "./answer.js";
import { add } from "./changes.js";
import { drawCard, viewOf } from "./grid.js";
import { shownCard } from "./shown_runs.js";
import { asVersion, version } from "./versions.js";

/** @typedef {import("./answer.js").Row} Row */

const LOWEST = 96; // pixels

/**
 * A text with another answer; what was thought before it has come to its end.
 * @param {Row} row
 * @param {string} answer
 * @returns {Row}
 */
const byHand = (row, answer) => {
  const thought = row.text.slice(0, row.text.lastIndexOf(answerOf(row)));
  const before = thought + (row.thinks ? `\n${row.closes || "</think>"}\n\n` : "");
  const own = { tokens: 0, edited: true, finish: "edited", seed: null, items: null };
  return { ...own, text: before + answer, thought: row.thought, answer: before ? answer : null };
};
const newId = () => `hand-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

/** @param {number} number */
export const edit = (number) => {
  const view = viewOf(number);
  const card = shownCard(number);
  const row = version(card);
  const area = make("textarea", { class: "card-edit", dir: "auto", "aria-label": t("edit") });
  area.value = answerOf(row);
  const height = view.body.offsetHeight;
  /** @param {boolean} keep */
  const close = (keep) => {
    const text = area.value;
    editor.remove();
    view.body.hidden = false;
    if (keep && text !== answerOf(row)) {
      add(number, asVersion(byHand(row, text), { id: newId(), parted: { kind: "edit", parent: card.at } }));
    } else drawCard(number);
    find(view.node, "[name=edit]").focus({ preventScroll: true });
  };
  area.addEventListener("keydown", (event) => {
    const keep = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (!keep && event.key !== "Escape") return;
    event.preventDefault();
    close(keep);
  });
  const bar = make(
    "div",
    { class: "card-editor-bar" },
    make("button", { type: "button", class: "quiet strong", onclick: () => close(true) }, t("save")),
    make("button", { type: "button", class: "quiet", onclick: () => close(false) }, t("discard")),
  );
  const editor = make("div", { class: "card-editor" }, area, bar);
  view.body.hidden = true;
  view.body.after(editor);
  area.style.height = `${Math.max(height, LOWEST)}px`;
  area.focus({ preventScroll: true });
};
