// How one token of a text looks and what it says of itself to a voice, with what a replay would have made of it. Knows no
// node; takes its words.
import { isNumber } from "../page/numbers.js";
import { colourOf } from "./colour_scale.js";
import { count, fixed, modelChance, percent, surprise } from "./token_numbers.js";
import { spoken } from "./token_text.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {import("./token_rows.js").Named} Named */
/** @typedef {import("./token_rows.js").Token} Token */
/** @typedef {import("./token_text.js").Translate} Translate */
/**
 * What the present knobs would have chosen (replay_value in tokens.py): the first token that differs, and by its place each
 * that does.
 * @typedef {{run: string, row?: number, first: number | null, would: Record<string, Named>, sentence?: Said}} Replay
 */
/** How a text is looked at now. @typedef {{mode: import("./colour_scale.js").Mode, replay: Replay | null, picked: number | null}} Look */

/** @param {Replay | null} replay @param {number} at */
export const differs = (replay, at) => replay?.would[at] !== undefined;
/**
 * The classes of a token.
 * @param {Token} token
 * @param {number} at
 * @param {Look} look
 * @returns {string}
 */
export const classesOf = (token, at, { mode, replay, picked }) => {
  const names = ["tk-token"];
  if (!replay) names.push(colourOf(mode, token));
  if (token.special) names.push("tk-special");
  if (token.context) names.push("tk-context");
  if (token.text === "" && !token.special) names.push("tk-blank");
  if (replay?.first === at) names.push("tk-first");
  else if (differs(replay, at)) names.push("tk-differs");
  if (replay && replay.first !== null && at > replay.first) names.push("tk-after");
  if (picked === at) names.push("tk-picked");
  return names.join(" ");
};
/**
 * The parts of its label.
 * @param {Token} token
 * @param {number} at
 * @param {Look} look
 * @param {Translate} t
 * @returns {string[]}
 */
export const labelParts = (token, at, { mode, replay }, t) => {
  const parts = [t("token", { n: at + 1 }), spoken(token, t)];
  if (isNumber(token.logprob)) parts.push(t("label_probability", { p: percent(modelChance(token)) }));
  if (isNumber(token.rank)) parts.push(t("label_rank", { n: count(token.rank) }));
  if (mode === "entropy" && isNumber(token.entropy)) parts.push(t("label_entropy", { n: fixed(token.entropy, 1) }));
  if (mode === "surprise" && isNumber(token.logprob)) parts.push(t("label_surprise", { n: fixed(surprise(token), 1) }));
  if (replay && differs(replay, at)) parts.push(t("label_would", { text: spoken(replay.would[at], t) }));
  return parts;
};
