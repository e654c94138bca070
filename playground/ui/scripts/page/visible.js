// Text that is shown by itself: nothing invisible stays invisible, and nothing that turns the direction of writing gets
// through. Needs no words and no element.

const HIDDEN = /(?![\t\n])[\p{Cc}\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const JOINERS = /^(?:\u200c|\u200d|\ufe0f)+$/;
/** @param {string} sign */
const named = (sign) => `⟨U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;

/**
 * With the number of each invisible sign in its place; what joins other signs stays, unless there is nothing else.
 * @param {string} text
 * @returns {string}
 */
export const unhidden = (text) => (JOINERS.test(text) ? [...text].map(named).join("") : text.replace(HIDDEN, named));

/**
 * On one line, outer spaces shown.
 * @param {string} text
 * @returns {string}
 */
export const onOneLine = (text) => {
  /** @param {string} spaces */
  const dots = (spaces) => "·".repeat(spaces.length);
  return unhidden(text.replace(/\r\n?/g, "\n"))
    .replace(/\n/g, "↵")
    .replace(/\t/g, "⇥")
    .replace(/^[ \u00a0\u3000]+/, dots)
    .replace(/[ \u00a0\u3000]+$/, dots);
};
