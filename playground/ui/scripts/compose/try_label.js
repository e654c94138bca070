// What a text that is offered to be tried is called: its beginning, on one line. Knows no page.

const MOST = 48; // characters
const LEAST = 12; // that stay where it is cut between two words

/**
 * @param {string} text
 * @returns {string}
 */
export const beginningOf = (text) => {
  const letters = [...text.trim().replace(/\s+/gu, " ")];
  if (letters.length <= MOST) return letters.join("");
  const cut = letters.slice(0, MOST).join("");
  const word = letters[MOST] === " " ? cut.length : cut.lastIndexOf(" ");
  return `${cut.slice(0, word < LEAST ? cut.length : word).replace(/[\s,，、;；:：]+$/u, "")}…`;
};
