// Which candidates of a run are nearly the same text, so that only one of each is shown. Knows no card.

const ALIKE = 0.8; // share of the threes of letters that two texts have in common, of all that either has
const SHORT = 12; // letters: of shorter texts only equal ones are alike

/** @param {string} text @returns {string} its letters and digits, in small letters */
const letters = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
/** @param {string} plain @returns {Set<string>} each three letters that stand together */
const threes = (plain) =>
  new Set(Array.from({ length: Math.max(plain.length - 2, 0) }, (_, at) => plain.slice(at, at + 3)));

/** @param {string} one @param {string} other */
const nearlySame = (one, other) => {
  if (one === other) return true;
  if (Math.min(one.length, other.length) < SHORT) return false;
  const [a, b] = [threes(one), threes(other)];
  let both = 0;
  for (const three of a) if (b.has(three)) both += 1;
  return both / (a.size + b.size - both) >= ALIKE;
};

/**
 * For each text the place of the earlier one that it nearly repeats; null for one of its own, and for an empty one.
 * @param {string[]} texts
 * @returns {(number | null)[]}
 */
export const repeated = (texts) => {
  const plain = texts.map(letters);
  /** @type {(number | null)[]} */
  const found = [];
  for (const [at, text] of plain.entries()) {
    const first = text
      ? plain.findIndex((other, place) => place < at && found[place] === null && nearlySame(other, text))
      : -1;
    found.push(first < 0 ? null : first);
  }
  return found;
};
