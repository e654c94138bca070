// The facts below a text: how many tokens at what speed, how it ended, its seed; and what there is to say of it. Knows no
// card and no turn.
import { make } from "../page/dom.js";
import { number } from "../page/numbers.js";
import { ending, sentence, t } from "../page/words.js";
import { hasForm } from "./answer.js";
import { writerOf } from "./versions.js";

/** @typedef {import("./answer.js").Row} Row */

/**
 * How a text ended, or what it does.
 * @param {Row} row
 * @returns {string}
 */
export const finishWords = (row) => {
  if (row.edited) return t("edited");
  if (!row.finish) return t(row.tokens || (row.tokens === null && row.text) ? "writing" : "reading");
  return [ending(row.finish), row.end_token].filter(Boolean).join(" ");
};
/**
 * @param {HTMLElement} place
 * @param {Row} row
 */
export const drawRemark = (place, row) => {
  const told = [row.edited ? null : row.reason, row.remark].filter(Boolean).map(sentence);
  place.hidden = !told.length;
  place.textContent = told.join(" ");
};

/**
 * How many tokens, how fast.
 * @param {Row} row
 * @returns {string[]}
 */
const countsOf = (row) => {
  if (row.edited) return [];
  const said = [];
  if (row.tokens !== null) {
    said.push(t("tokens", { count: number(row.tokens) }));
    if (row.speed) said.push(t("speed", { count: number(row.speed, row.speed < 10 ? 1 : 0) }));
    if (row.first !== null && row.first !== undefined) said.push(t("first_token", { count: number(row.first, 2) }));
  }
  if (row.proposed) said.push(t("guesses", { right: number(row.accepted), all: number(row.proposed) }));
  return said;
};
/** @param {Row} row */
const makeSeed = (row) =>
  make(
    "button",
    {
      type: "button",
      class: "quiet card-seed",
      name: "keep-seed",
      title: t("lock_this_seed", { count: row.seed }),
    },
    t("card_seed", { count: row.seed }),
  );
/** @param {Row} row */
const makePlain = (row) =>
  make(
    "button",
    { type: "button", class: "quiet", name: "plain" },
    t(row.plain ? (row.table ? "as_table" : "as_list") : "as_text"),
  );
/**
 * @param {HTMLElement} line
 * @param {Row} row
 */
export const drawLine = (line, row) => {
  const parts = countsOf(row).map((said) => make("span", {}, said));
  /** @type {HTMLElement[]} */
  const more = [];
  if (row.path) more.push(make("span", { class: "card-path" }, t(`card_${row.path}`, { weights: row.weights })));
  if (row.otherModel && !row.edited) more.push(make("span", { class: "card-path" }, writerOf(row)));
  if (row.finish !== "example") more.push(make("span", { class: "finish" }, finishWords(row)));
  if (!row.edited) more.push(makeSeed(row));
  if (row.short && !row.edited) more.push(make("span", { class: "finish" }, t("cut_short")));
  if (hasForm(row)) more.push(makePlain(row));
  line.replaceChildren(...parts, ...more);
};
