// Where two texts meet: whether a space between them may have been forgotten. Knows no word of the page and no form.

/** Scripts whose words stand apart. */
const APART =
  "\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\p{Script=Arabic}\\p{Script=Hebrew}\\p{Script=Hangul}\\p{N}";
const BEFORE = new RegExp(`\\S*[${APART}.,;:!?)"'”’»]$`, "u");
const AFTER = new RegExp(`^[${APART}("“‘«]\\S*`, "u");
const NEAR = 20; // characters on each side that are shown

/**
 * What stands around the place where two words meet without a space; "" where none do.
 * @param {string} before
 * @param {string} after
 * @returns {string}
 */
export const joined = (before, after) => {
  const end = BEFORE.exec([...before.slice(-2 * NEAR)].slice(-NEAR).join(""));
  const start = AFTER.exec([...after.slice(0, 2 * NEAR)].slice(0, NEAR).join(""));
  return end && start ? end[0] + start[0] : "";
};
