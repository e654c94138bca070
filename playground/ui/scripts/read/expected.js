// What the model expected where a token of a text stands that was only read. Everything is in the tokens already, so it
// hears of the token from the views of its scope and asks nobody.
import { on } from "../page/board.js";
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { isNumber } from "../page/numbers.js";
import { bar, nameOf } from "../tokens/token_chart.js";
import { bits, count, modelChance, percent, surprise } from "../tokens/token_numbers.js";
import { TokenPanel } from "../tokens/token_panel.js";
import { TokenRows } from "../tokens/token_rows.js";
import { alone, isPart } from "../tokens/token_text.js";
import { wordsOf } from "../tokens/token_words.js";
import { busOf } from "../tokens/view_bus.js";
import { expectedOf } from "./expected_tokens.js";

/** @typedef {import("../tokens/token_rows.js").Token} Token */

const host = hostOf("expected");
const { element, props } = host;
const { t, apply } = wordsOf("tokens", props.words);
const bus = busOf(host);
const held = new TokenRows();
let at = 0;

const tokens = () => held.rows.get(0)?.tokens ?? [];
/** @param {Token} token */
const sentence = (token) => {
  if (!isNumber(token.logprob)) return t("nothing_before");
  if (token.rank === 1) return t("was_first");
  return t("would_rather", { text: alone(token.top[0], t), p: percent(token.top[0].p) });
};
/** @param {Token} token */
const facts = (token) => {
  const figures = [
    [t("by_probability"), percent(modelChance(token))],
    [t("by_rank"), count(token.rank)],
    [t("by_surprise"), bits(surprise(token), t, 1)],
    [t("by_entropy"), bits(token.entropy, t, 1)],
  ];
  const pairs = figures.map(([name, figure]) => make("span", {}, `${name} `, make("b", {}, figure)));
  return make("p", { class: "wf-facts" }, ...pairs);
};
/** @param {Token} token */
const chart = (token) => {
  const list = expectedOf(token);
  const most = Math.max(...list.map(({ p }) => p ?? 0));
  const rows = list.map((one) => {
    const own = one.id === token.id;
    return make(
      "li",
      { class: own ? "wf-row wf-chosen" : "wf-row" },
      make("span", { class: "ex-name" }, nameOf(one, t), own ? make("em", {}, t("stands")) : null),
      bar(0, one.p, most),
      make("span", { class: "wf-numbers" }, percent(one.p)),
    );
  });
  return make("ul", { class: "wf-chart", "aria-label": t("expected") }, ...rows);
};
const draw = () => {
  const token = tokens()[at];
  if (!token) return;
  apply(element);
  panel.title = t("title", { text: alone(token, t), n: at + 1 });
  panel.canWalk(at > 0, at < tokens().length - 1);
  const known = isNumber(token.logprob) ? [facts(token), chart(token)] : [];
  const part = [token, ...token.top].some(isPart) ? [make("p", { class: "wf-part" }, t("part"))] : [];
  find(element, ".ex-body").replaceChildren(make("p", { class: "wf-sentence" }, sentence(token)), ...known, ...part);
};
const close = () => {
  if (!panel.isOpen) return;
  const focus = panel.close();
  bus.tell({ kind: "closed", run: held.run, row: 0, focus });
};
/** @param {number} step */
const walk = (step) => {
  at += step;
  bus.tell({ kind: "picked", run: held.run, row: 0, position: at });
  draw();
};
const panel = new TokenPanel(element, bus, { close, walk });

bus.hear((news) => {
  if (news.kind === "news" && held.merge(news.value).fresh) close();
  if (news.kind !== "picked" || news.run !== held.run) return;
  at = news.position;
  panel.wantsFocus = Boolean(news.focus);
  panel.open(draw);
});
on(
  "language",
  () => {
    if (panel.isOpen) draw();
  },
  element,
);
apply(element);
