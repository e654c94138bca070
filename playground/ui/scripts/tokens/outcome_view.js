// How it ended: the draw, and what became of the other candidates, each a button to go on from here with it. Knows no panel.
import { make } from "../page/dom.js";
import { isNumber } from "../page/numbers.js";
import { sentence } from "../page/words.js";
import { askedFirst, ending, isChosen, isOffered, searchBegun, standing } from "./breakdown.js";
import { nameOf } from "./token_chart.js";
import { count, fixed, percent } from "./token_numbers.js";
import { alone, spoken } from "./token_text.js";

/** @typedef {import("./breakdown.js").Breakdown} Breakdown */
/** @typedef {import("./breakdown.js").Outcome} Outcome */
/** @typedef {import("./token_text.js").Translate} Translate */

/** @param {string} text */
const said = (text) => make("p", { class: "wf-sentence" }, text);
/**
 * The draw's sentence names the chosen token with its figures, and the one that came second; behind it stands what it does not.
 * @param {Breakdown} value
 * @param {Translate} t
 */
export const drawOf = ({ draw, kept_best: keptBest, note }, t) => {
  const parts = [
    make("h4", {}, t("draw")),
    keptBest ? said(t("kept_best")) : null,
    note ? said(sentence(note)) : null,
    draw ? said(sentence(draw.sentence)) : null,
  ];
  const second = draw?.runner_up;
  /** @type {[string, string][]} */
  const figures = [
    ...(isNumber(draw?.race) ? [/** @type {[string, string]} */ ([t("race"), draw.race.toPrecision(3)])] : []),
    ...(second
      ? [
          /** @type {[string, string]} */ ([t("runner_up"), percent(second.probability)]),
          /** @type {[string, string]} */ ([t("lead"), t("nats", { n: fixed(second.lead, 2) })]),
        ]
      : []),
  ];
  const pairs = figures.map(([name, figure]) => make("div", {}, make("dt", {}, name), make("dd", {}, figure)));
  return [...parts, draw ? make("dl", {}, ...pairs) : null].filter((part) => part !== null);
};

/**
 * @param {Outcome} outcome
 * @param {Breakdown} value
 * @param {boolean} ahead of any run: one begins an answer with it
 * @param {Translate} t
 */
const nameCell = (outcome, value, ahead, t) => {
  if (isOffered(outcome, value)) {
    const deed = ahead ? "begin" : "branch";
    const button = {
      type: "button",
      name: "branch",
      "data-id": outcome.id,
      title: t(deed, { text: alone(outcome, t) }),
      "aria-label": t(deed, { text: spoken(outcome, t) }),
    };
    return make("button", button, nameOf(outcome, t), make("span", { class: "wf-arrow", "aria-hidden": "true" }, "⤷"));
  }
  if (!isChosen(outcome, value) || outcome.begins) return nameOf(outcome, t);
  return make("span", { class: "wf-is" }, nameOf(outcome, t), make("em", {}, t(standing(outcome, value))));
};
/**
 * @param {Outcome} outcome
 * @param {Breakdown} value
 * @param {boolean} ahead
 * @param {Translate} t
 */
const rowOf = (outcome, value, ahead, t) => {
  const { reason, rank, p_model: before, p_after: after } = outcome;
  const end = ending(outcome, value);
  const begun = searchBegun(outcome, value);
  const became = reason ? sentence(reason) : end ? t(end) : "";
  const names = [
    isChosen(outcome, value) ? "wf-chosen" : "",
    outcome.id === value.asked ? "wf-asked" : "",
    reason ? "wf-removed" : "",
  ];
  const cells = [
    count(rank),
    percent(before),
    reason ? "–" : percent(after),
    [begun ? t("search_begun", { text: begun }) : "", became].filter(Boolean).join(" · "),
  ];
  return make(
    "tr",
    { class: names.filter(Boolean).join(" ") || null },
    make("td", {}, nameCell(outcome, value, ahead, t)),
    ...cells.map((text) => make("td", {}, text)),
  );
};
/**
 * @param {Breakdown} value
 * @param {boolean} ahead
 * @param {Translate} t
 */
export const outcomesOf = (value, ahead, t) => {
  const heads = [ahead ? "begin_head" : "token_head", "rank", "p_model", "p_after", "what_became"];
  const rows = askedFirst(value.outcomes, value.asked).map((one) => rowOf(one, value, ahead, t));
  return make(
    "table",
    {},
    make("thead", {}, make("tr", {}, ...heads.map((key) => make("th", { scope: "col" }, t(key))))),
    make("tbody", {}, ...rows),
  );
};
/**
 * Why nothing can be continued here, and what a banned phrase ruled out; "" where there is neither.
 * @param {Breakdown} value
 * @param {Translate} t
 */
export const noteOf = ({ branch_reason: reason, forbidden = [] }, t) => {
  const list = forbidden.map((one) => alone(one, t)).join(" ");
  return [sentence(reason), forbidden.length ? t("forbidden", { list }) : ""].filter(Boolean).join(" ");
};
