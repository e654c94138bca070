// The stages of one token, drawn: the model's candidates, then what each sampler did to them. A stage that did nothing takes
// one line. Knows no panel.
import { make } from "../page/dom.js";
import { say } from "../page/language.js";
import { sentence } from "../page/words.js";
import { change, isChosen, isIdle, isRemoved, labelOf, largest, shownSettings, standing } from "./breakdown.js";
import { bar, nameOf } from "./token_chart.js";
import { bits, count, fixed, percent } from "./token_numbers.js";

/** @typedef {import("./breakdown.js").Breakdown} Breakdown */
/** @typedef {import("./breakdown.js").Chance} Chance */
/** @typedef {import("./breakdown.js").Place} Place */
/** @typedef {import("./breakdown.js").Stage} Stage */
/** @typedef {import("./token_text.js").Translate} Translate */

const SHOWN = 10; // candidates of a chart before one asks for more

/**
 * @param {Chance} chance
 * @param {number} most
 * @param {Place | Breakdown} value
 * @param {Translate} t
 */
const chartRow = (chance, most, value, t) => {
  const removed = isRemoved(chance);
  const chosen = isChosen(chance, value);
  const { before, after } = chance;
  const whole = removed ? percent(before) : change(percent(before ?? after), percent(after));
  const names = ["wf-row", chosen ? "wf-chosen" : "", removed ? "wf-removed" : ""].filter(Boolean).join(" ");
  return make(
    "li",
    { class: names },
    nameOf(chance, t),
    bar(before, after, most),
    make(
      "span",
      { class: "wf-numbers" },
      whole,
      removed ? make("em", {}, t("removed")) : null,
      chosen ? make("span", { class: "wf-voice" }, ` (${t(standing(chance, value))})`) : null,
    ),
  );
};
/**
 * @param {Chance[]} chances
 * @param {string} label
 * @param {Place | Breakdown} value
 * @param {Translate} t
 */
const chart = (chances, label, value, t) => {
  const most = largest(chances);
  const rows = chances.map((one) => chartRow(one, most, value, t));
  const list = make("ul", { class: "wf-chart", "aria-label": label }, ...rows.slice(0, SHOWN));
  if (rows.length <= SHOWN) return [list];
  const showAll = () => {
    list.append(...rows.slice(SHOWN));
    more.remove();
  };
  const words = t("more", { n: rows.length - SHOWN });
  const more = make("button", { type: "button", class: "wf-more", onclick: showAll }, words);
  return [list, more];
};
/** @param {[name: string, figure: string][]} pairs */
export const facts = (...pairs) =>
  make(
    "p",
    { class: "wf-facts" },
    ...pairs.map(([name, figure]) => make("span", {}, `${name} `, make("b", {}, figure))),
  );

/** @param {Breakdown} value @param {Translate} t */
const modelStage = (value, t) => {
  const chances = value.model.map((one) => ({ ...one, before: null, after: one.p }));
  return make(
    "li",
    { class: "wf-stage wf-model" },
    make("h4", {}, t("model")),
    facts([t("alive"), count(value.alive)], [t("entropy"), bits(value.entropy, t)]),
    ...chart(chances, t("model"), value, t),
  );
};
/**
 * The likeliest candidates, where no more is known of a token; empty where they are not known either.
 * @param {Place} value
 * @param {Translate} t
 */
export const knownOf = (value, t) => {
  const chances = (value.known ?? []).map((one) => ({
    ...one,
    before: one.after === null ? null : one.before,
    after: one.after ?? one.before,
  }));
  return chances.length ? [make("h4", {}, t("known")), ...chart(chances, t("known"), value, t)] : [];
};
/** @param {Stage} stage @param {Translate} t */
const stageFacts = ({ alive, mass, entropy }, t) =>
  facts(
    [t("alive"), change(count(alive[0]), count(alive[1]))],
    .../** @type {[string, string][]} */ (mass ? [[t("mass"), percent(mass)]] : []),
    [t("entropy"), `${change(fixed(entropy[0], 2), fixed(entropy[1], 2))} ${t("bits_unit")}`],
  );
/** @param {Stage} stage */
const formula = ({ formula, settings, filled }) => {
  const values = shownSettings(settings);
  const said = say(formula);
  if (!said && !values.length) return null;
  return make(
    "p",
    { class: "wf-formula" },
    said,
    values.length ? make("span", {}, values.join("  ")) : null,
    filled ? make("span", { class: "wf-filled" }, sentence(filled)) : null,
  );
};
/**
 * @param {Stage} stage
 * @param {number} at
 * @param {Breakdown} value
 * @param {Translate} t
 */
const stageOf = (stage, at, value, t) => {
  const label = say(labelOf(stage));
  const head = make("h4", {}, make("span", { class: "wf-number" }, String(at + 1)), label);
  if (isIdle(stage)) {
    const nothing = make("p", { class: "wf-nothing", title: sentence(stage.filled) || null }, t("idle"));
    return make("li", { class: "wf-stage wf-idle" }, head, nothing);
  }
  if (label !== stage.stage) head.append(make("code", {}, stage.stage));
  return make(
    "li",
    { class: "wf-stage" },
    head,
    stageFacts(stage, t),
    formula(stage),
    ...chart(stage.top, label, value, t),
  );
};
/**
 * All of them, as they stand in the list.
 * @param {Breakdown} value
 * @param {Translate} t
 */
export const stagesOf = (value, t) => [
  modelStage(value, t),
  ...value.stages.map((stage, at) => stageOf(stage, at, value, t)),
];
