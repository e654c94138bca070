// A version of a card in a few words: how it goes on where it parted, where that was, and how much it is. Knows no drawing.
import { number } from "../page/numbers.js";
import { onOneLine } from "../page/visible.js";
import { t } from "../page/words.js";
import { answerOf } from "./answer.js";
import { finishWords } from "./card_line.js";
import { partedAt } from "./partings.js";
import { parentOf } from "./versions.js";

/** @typedef {import("./runs").Version} Version */
/** @typedef {import("./runs").Card} Card */

const LONGEST = 24; // characters of a token
const BY_HAND = 18; // and of what was written by hand
const FIRST = 160; // of the words it goes on with

/** @param {string | null} text */
const quoted = (text) => {
  const shown = onOneLine(text ?? "");
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST - 1)}…` : shown || "◦";
};
/**
 * How a version goes on where it parted; from the beginning, what was answered there.
 * @param {Card} card
 * @param {Version} one
 */
export const wordsOf = (card, one) => {
  const at = partedAt(card, one);
  return onOneLine((at ? one.text.slice(at) : answerOf(one)).trimStart().slice(0, FIRST));
};
/** @param {Card} card @param {Version} one */
const byHand = (card, one) => {
  const before = parentOf(card, one)?.text ?? "";
  const at = partedAt(card, one);
  const [was, became] = [before, one.text].map((text) => quoted(text.slice(at, at + BY_HAND)));
  return t("version_hand", { was, became });
};
/**
 * Where a version parted from the one it grew from.
 * @param {Card} card
 * @param {Version} one
 * @returns {string}
 */
export const partingWords = (card, one) => {
  switch (one.kind) {
    case "branch": {
      const token = { n: (one.position ?? 0) + 1, was: quoted(one.was), became: quoted(one.became) };
      return t(one.became === null ? "version_token_open" : "version_token", token);
    }
    case "continue":
      return t("version_on");
    case "regenerate":
      return t("version_seed", { seed: one.seed });
    case "edit":
      return byHand(card, one);
    default:
      return t("version_first");
  }
};
/** @param {Version} one */
export const factsOf = (one) => {
  const counted = !one.edited && one.tokens !== null && one.tokens !== undefined;
  return [
    counted ? t("tokens", { count: number(one.tokens) }) : "",
    one.finish === "example" || one.edited ? "" : finishWords(one),
  ]
    .filter(Boolean)
    .join(" · ");
};
