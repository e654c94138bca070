// What the data is before anything runs: the report, and the first rows token by token.
import { find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { number } from "../page/numbers.js";
import { sentence, t } from "../page/words.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {import("../training").DataReport} DataReport */
/** @typedef {import("../training").FirstRow} FirstRow */

const { element } = hostOf("train");
const SHOWN = 5; // rows that are named
/** @type {{ report: DataReport, first: FirstRow[] } | null} */
let shown = null;
/** @type {Said} */
let wrong = null;
let asking = false;
let aged = false;

const names = {
  en: new Intl.DisplayNames("en", { type: "language" }),
  zh: new Intl.DisplayNames("zh-CN", { type: "language" }),
};
/** @param {Record<string, number>} languages */
const languageWords = (languages) => {
  const spoken = document.documentElement.lang.startsWith("zh") ? names.zh : names.en;
  return Object.entries(languages)
    .map(([code, count]) => `${code === "other" ? t("train_other_language") : spoken.of(code)} ${number(count)}`)
    .join(" · ");
};
/** @param {DataReport} report @returns {[string, string, boolean?][]} */
const figures = (report) => [
  ["train_rows", number(report.rows)],
  ["train_examples", number(report.examples)],
  ["train_split", `${number(report.train)} / ${number(report.validation)}`],
  ["train_tokens", number(report.tokens)],
  ["train_learned_tokens", number(report.learned)],
  ["train_longest", number(report.longest)],
  ["train_cut", number(report.cut), report.cut > 0],
  ["train_duplicates", number(report.duplicates), report.duplicates > 0],
  ["train_empty", number(report.empty), report.empty > 0],
  ["train_shared", number(report.shared), report.shared > 0],
  ["train_languages", languageWords(report.languages)],
];
/** @param {DataReport} report */
const remarks = (report) => [
  report.notice ? sentence(report.notice) : null,
  report.unlearned ? t("train_unlearned", { count: number(report.unlearned) }) : null,
  ...report.cut_rows
    .slice(0, SHOWN)
    .map(({ row, tokens, part }) =>
      t("train_cut_row", { row: number(row), tokens: number(tokens), part: t(`train_part_${part || "answer"}`) }),
    ),
  ...report.reasons
    .slice(0, SHOWN)
    .map(({ row, reason }) => `${t("train_row", { row: number(row) })}: ${sentence(reason)}`),
];
/** @param {FirstRow} row */
const drawRow = (row) => {
  const tokens = row.tokens.map(([text, learned]) =>
    make("span", { class: learned ? "train-learned" : "train-masked", dir: "auto" }, text),
  );
  const counts = { row: number(row.row), count: number(row.count), learned: number(row.learned) };
  const more = row.more ? make("i", {}, t("train_row_more", { count: number(row.more) })) : null;
  return make(
    "div",
    { class: "train-row" },
    make("p", { class: "train-help" }, t("train_row_head", counts)),
    make(
      "div",
      { class: "train-tokens", tabindex: "0", role: "group", "aria-label": t("train_row_head", counts) },
      ...tokens,
      more,
    ),
  );
};
export const drawReport = () => {
  const place = find(element, ".train-look");
  place.hidden = !shown && !wrong && !asking;
  find(place, ".train-checking").hidden = !asking;
  const error = find(place, ".train-check-error");
  error.hidden = !wrong || asking;
  error.textContent = sentence(wrong);
  place.classList.toggle("older", asking || aged || Boolean(wrong));
  const told = shown ? figures(shown.report) : [];
  find(place, ".train-report").replaceChildren(
    ...told.map(([key, value, warns]) =>
      make("div", { class: warns ? "warns" : null }, make("dt", {}, t(key)), make("dd", {}, value)),
    ),
  );
  const said = shown ? remarks(shown.report).filter(Boolean) : [];
  find(place, ".train-remarks").replaceChildren(...said.map((one) => make("li", {}, one)));
  find(place, ".train-first").hidden = !shown?.first.length;
  find(place, ".train-rows").replaceChildren(...(shown?.first ?? []).map(drawRow));
  for (const box of findAll(place, ".train-tokens")) {
    const first = box.querySelector(".train-learned"); // often behind a long prompt
    if (first instanceof HTMLElement) box.scrollTop = first.offsetTop - box.offsetTop - box.clientHeight / 2;
  }
};
/** It is asked for; what stands there is of an earlier form. */
export const expectReport = () => {
  [asking, wrong] = [true, null];
  drawReport();
};
/** What stands there is of an earlier form, and a field says why there is no newer one. */
export const ageReport = () => {
  asking = false;
  aged = true;
  drawReport();
};
/** @param {{ report: DataReport, first: FirstRow[] } | null} data @param {Said} [error] */
export const showReport = (data, error = null) => {
  [asking, aged] = [false, false];
  wrong = error;
  if (data) shown = data;
  else if (!error) shown = null;
  drawReport();
};
