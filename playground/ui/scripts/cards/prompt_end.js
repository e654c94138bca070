// The end of a prompt, short enough to stand before the text that continues it. Knows no drawing.

/** @typedef {import("./runs").Run} Run */

const LONGEST = 120; // characters
const words = new Intl.Segmenter(undefined, { granularity: "word" });

/**
 * On one line; what was cut away is an ellipsis, and it begins with a word.
 * @param {string} prompt
 * @returns {string}
 */
export const endOf = (prompt) => {
  const line = prompt.replace(/\s+/g, " ").trim();
  if (line.length <= LONGEST) return line;
  const around = line.slice(-2 * LONGEST); // the first word in it may be cut, but is not near the end
  const first = around.length - LONGEST;
  const parts = [...words.segment(around)].filter(({ index }) => index >= first);
  const begins = parts.find(({ isWordLike }) => isWordLike) ?? parts[0];
  return `…${begins ? around.slice(begins.index) : around.slice(first).replace(/^\p{Cs}/u, "")}`;
};
/**
 * What stands before the texts of a run: nothing but where a free prompt is continued.
 * @param {Run | undefined} run
 * @returns {string}
 */
export const promptBefore = (run) =>
  run?.about?.kind === "complete" && typeof run.request.prompt === "string" ? endOf(run.request.prompt) : "";
