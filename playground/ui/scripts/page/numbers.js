// How numbers are written, in both languages alike. Knows no words. A format is made once: making one takes longer than
// writing a hundred numbers with it.

/** @type {Map<number, Intl.NumberFormat>} */
const formats = new Map();

/**
 * @param {unknown} value
 * @returns {value is number}
 */
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/**
 * With a comma between thousands, and so many digits behind the point.
 * @param {number | string | null | undefined} value
 * @param {number} [digits]
 * @returns {string}
 */
export const number = (value, digits = 0) => {
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  return format.format(Number(value));
};

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/**
 * As bytes_text of amounts.py writes them; tests/scripts/numbers.test.js holds both to one table.
 * @param {number} count
 * @returns {string}
 */
export const bytes = (count) => {
  let left = count;
  let step = 0;
  for (; left >= 1000 && step < UNITS.length - 1; step += 1) left /= 1000;
  const finer = step > 2 || (step === 2 && left < 10);
  return `${number(left, finer ? 1 : 0).replace(/\.0$/, "")} ${UNITS[step]}`;
};
