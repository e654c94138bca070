// Two versions of a card side by side: what they share, and each from where they part. Knows no run.
import { make } from "../page/dom.js";
import { t } from "../page/words.js";
import { answerOf } from "./answer.js";
import { partingAt } from "./partings.js";
import { partingWords } from "./version_words.js";
import { branchedFrom, byId, isGone, live, numberOf, version } from "./versions.js";

/** @typedef {import("./runs").Version} Version */
/** @typedef {import("./runs").Card} Card */

/**
 * The other version: the one that was chosen, else what the shown one grew from, else the first.
 * @param {Card} card
 * @param {string} chosen
 */
const otherOf = (card, chosen) => {
  const wanted = byId(card, chosen);
  const one = version(card);
  if (wanted && wanted !== one && !isGone(card, wanted)) return wanted;
  return branchedFrom(card, one) ?? live(card).find((other) => other !== one);
};
const FIRST = /^\s*(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}\p{M}'’]+|\S)?/u;
/**
 * What comes behind the parting: marked is the token where that is known, else the first word.
 * @param {string} text
 * @param {string} label
 * @param {string | null | undefined} token
 */
const makeSide = (text, label, token) => {
  const first = token && text.startsWith(token) ? token : (FIRST.exec(text)?.[0] ?? "");
  const words = text ? [make("mark", {}, first), text.slice(first.length)] : [make("i", {}, t("compare_ends"))];
  return make("p", { class: "compare-side", dir: "auto", role: "group", "aria-label": label }, ...words);
};
/**
 * @param {Card} card
 * @param {string} name
 * @param {Version} chosen
 * @param {string} label
 */
const makeChoice = (card, name, chosen, label) => {
  const options = live(card).map((one) => {
    const said = `${t("version_n", { n: numberOf(card, one) })} · ${partingWords(card, one)}`;
    return make("option", { value: one.id, selected: one === chosen }, said);
  });
  return make("label", {}, make("span", {}, t(label)), make("select", { name }, ...options));
};
/**
 * The tokens at the parting, of one and of two, where one of them grew from the other.
 * @param {Card} card
 * @param {Version} one
 * @param {Version} two
 */
const tokensOf = (card, one, two) => {
  if (branchedFrom(card, two) === one) return [two.was, two.became];
  return branchedFrom(card, one) === two ? [one.became, one.was] : [];
};
/**
 * @param {Card} card of which more than one version is there
 * @param {string} chosen the id of the version that the shown one is compared with, or "auto"
 */
export const makeComparison = (card, chosen) => {
  const two = version(card);
  const one = otherOf(card, chosen) ?? two;
  const at = partingAt(card, one, two);
  const thought = one.text.length - answerOf(one).length; // the same in both where they part behind it, and folded on the card
  const shared = one.text.slice(thought <= at ? thought : 0, at).trimStart();
  const tokens = tokensOf(card, one, two);
  /** @param {Version} which */
  const name = (which) => t("version_n", { n: numberOf(card, which) });
  const close = { type: "button", class: "quiet", name: "compare-close", "aria-label": t("compare_close") };
  return make(
    "section",
    { class: "compare", "aria-label": t("compare") },
    make(
      "div",
      { class: "compare-heads" },
      makeChoice(card, "compare-one", one, "compare_one"),
      makeChoice(card, "compare-two", two, "compare_with"),
      make("button", close, "×"),
    ),
    shared ? make("p", { class: "compare-shared", dir: "auto", "aria-label": t("compare_shared") }, shared) : null,
    one.text === two.text
      ? make("p", { class: "compare-same" }, t("compare_same"))
      : make(
          "div",
          { class: "compare-sides" },
          makeSide(one.text.slice(at), name(one), tokens[0]),
          makeSide(two.text.slice(at), name(two), tokens[1]),
        ),
  );
};
