// The stages of one token, drawn: the model's candidates, then what each sampler did to them. A stage that did nothing takes
// one line. Knows no panel.
import { say } from "../page/language.js";
import { sentence } from "../page/words.js";
import { html, nothing } from "../vendor/lit_html.js";
import { change, isChosen, isIdle, isRemoved, labelOf, largest } from "./breakdown.js";
import { bar, nameOf } from "./token_chart.js";
import { bits, count, fixed, percent } from "./token_numbers.js";

/** @typedef {import("./breakdown.js").Breakdown} Breakdown */
/** @typedef {import("./breakdown.js").Chance} Chance */
/** @typedef {import("./breakdown.js").Stage} Stage */
/** @typedef {import("./token_text.js").Translate} Translate */
/** Which charts show all. @typedef {{all: Set<string>, more: (label: string) => void}} Shown */

const SHOWN = 10; // candidates of a chart before one asks for more

/**
 * @param {Chance} chance
 * @param {number} most
 * @param {Breakdown} value
 * @param {Translate} t
 */
const chartRow = (chance, most, value, t) => {
  const removed = isRemoved(chance);
  const chosen = isChosen(chance, value);
  const { before, after } = chance;
  const whole = removed ? percent(before) : change(percent(before ?? after), percent(after));
  const names = ["wf-row", chosen ? "wf-chosen" : "", removed ? "wf-removed" : ""].filter(Boolean).join(" ");
  return html`<li class=${names}>
    ${nameOf(chance, t)}${bar(before, after, most)}
    <span class="wf-numbers"
      >${whole}${removed ? html`<em>${t("removed")}</em>` : nothing}
      ${chosen ? html`<span class="wf-voice"> (${t("chosen")})</span>` : nothing}</span
    >
  </li>`;
};
/**
 * @param {Chance[]} chances
 * @param {string} label
 * @param {Breakdown} value
 * @param {Translate} t
 * @param {Shown} shown
 */
const chart = (chances, label, value, t, shown) => {
  const most = largest(chances);
  const list = shown.all.has(label) ? chances : chances.slice(0, SHOWN);
  const left = chances.length - list.length;
  const more = html`<button type="button" class="wf-more" @click=${() => shown.more(label)}>
    ${t("more", { n: left })}
  </button>`;
  return html`<ul class="wf-chart" aria-label=${label}>
      ${list.map((one) => chartRow(one, most, value, t))}
    </ul>
    ${left ? more : nothing}`;
};
/** @param {[name: string, figure: string][]} pairs */
export const facts = (...pairs) =>
  html`<p class="wf-facts">${pairs.map(([name, figure]) => html`<span>${name} <b>${figure}</b></span>`)}</p>`;

/** @param {Breakdown} value @param {Translate} t @param {Shown} shown */
const modelStage = (value, t, shown) => {
  const chances = value.model.map((one) => ({ ...one, before: null, after: one.p }));
  return html`<li class="wf-stage wf-model">
    <h4>${t("model")}</h4>
    ${facts([t("alive"), count(value.alive)], [t("entropy"), bits(value.entropy, t)])}
    ${chart(chances, t("model"), value, t, shown)}
  </li>`;
};
/** @param {Stage} stage @param {Translate} t */
const stageFacts = ({ alive, mass, entropy }, t) =>
  facts(
    [t("alive"), change(count(alive[0]), count(alive[1]))],
    .../** @type {[string, string][]} */ (mass ? [[t("mass"), percent(mass)]] : []),
    [t("entropy"), `${change(fixed(entropy[0], 2), fixed(entropy[1], 2))} ${t("bits_unit")}`],
  );
/** @param {Stage} stage */
const formula = ({ formula, settings = {}, filled }) => {
  const values = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  if (!formula && !values.length) return nothing;
  return html`<p class="wf-formula">
    ${formula ?? ""}${values.length ? html`<span>${values.join("  ")}</span>` : nothing}
    ${filled ? html`<span class="wf-filled">${sentence(filled)}</span>` : nothing}
  </p>`;
};
/**
 * @param {Stage} stage
 * @param {number} at
 * @param {Breakdown} value
 * @param {Translate} t
 * @param {Shown} shown
 */
const stageOf = (stage, at, value, t, shown) => {
  const label = say(labelOf(stage));
  const number = html`<span class="wf-number">${at + 1}</span>`;
  if (isIdle(stage)) {
    return html`<li class="wf-stage wf-idle">
      <h4>${number}${label}</h4>
      <p class="wf-nothing" title=${sentence(stage.filled) || nothing}>${t("idle")}</p>
    </li>`;
  }
  return html`<li class="wf-stage">
    <h4>${number}${label}${label === stage.stage ? nothing : html`<code>${stage.stage}</code>`}</h4>
    ${stageFacts(stage, t)}${formula(stage)}${chart(stage.top, label, value, t, shown)}
  </li>`;
};
/**
 * All of them, as they stand in the list.
 * @param {Breakdown} value
 * @param {Translate} t
 * @param {Shown} shown
 */
export const stagesOf = (value, t, shown) => [
  modelStage(value, t, shown),
  ...value.stages.map((stage, at) => stageOf(stage, at, value, t, shown)),
];
