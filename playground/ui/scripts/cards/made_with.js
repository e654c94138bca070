// Of a version that was asked for with a button: that nothing was added, or with which other knobs than its run it was
// made, in words. Knows no card.

import { formatNumber } from "../knobs/number_text.js";
import { knobOf, word } from "../knobs/registry.js";
import { language, say } from "../page/language.js";
import { isNumber } from "../page/numbers.js";
import { t } from "../page/words.js";
import { addedNothing } from "./versions.js";

/** @typedef {import("./runs").Version} Version */

const MOST = 4; // knobs that are named
const LONGEST = 24; // characters of a value

/** @param {string} name @param {any} value */
const knobWords = (name, value) => {
  const knob = knobOf(name);
  if (!knob) return null;
  if (knob.off && value === knob.neutral) return `${say(knob.label)} ${word("off")}`;
  const said = isNumber(value)
    ? formatNumber(knob, value)
    : say(knob.choice_labels[String(value)]) || (typeof value === "string" ? value : JSON.stringify(value));
  const short = said.length > LONGEST ? `${said.slice(0, LONGEST - 1)}…` : said;
  return `${say(knob.label)} ${short || "–"}`;
};
/** @param {Version} one */
export const madeHow = (one) => (addedNothing(one) ? t("made_nothing") : madeWith(one));
/**
 * "" where it was made with the same, or is no version that was asked for with a button.
 * @param {Version} one
 * @returns {string}
 */
const madeWith = ({ kind, turned }) => {
  if (!turned || typeof turned !== "object" || !["regenerate", "continue", "branch"].includes(kind)) return "";
  const named = Object.entries(turned)
    .map(([name, value]) => knobWords(name, value))
    .filter((words) => words !== null);
  if (!named.length) return "";
  const more = named.length > MOST ? [t("made_more", { count: named.length - MOST })] : [];
  return t(`made_${kind}`, { knobs: [...named.slice(0, MOST), ...more].join(language() === "zh" ? "、" : ", ") });
};
