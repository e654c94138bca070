// Numbers as somebody types them into a form. Knows no form.

const WIDE = /[０-９．－]/gu; // as Chinese keyboards write them
/**
 * With the digits and signs that a program reads: of any keyboard, and with the minus that we print.
 * @param {string} typed
 */
export const plainNumber = (typed) =>
  typed
    .trim()
    .replace(WIDE, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replace("−", "-");
/**
 * A whole number; what is none goes on as it is, to be refused by name.
 * @param {string} given
 * @returns {number | string}
 */
export const wholeNumber = (given) => {
  const text = plainNumber(given);
  return /^-?\d+$/.test(text) ? Number(text) : text;
};
/**
 * A seed; −1, which an empty field stands for, draws one anew.
 * @param {string} given
 * @returns {number | string}
 */
export const seedOf = (given) => (given.trim() === "" ? -1 : wholeNumber(given));
/**
 * What the field of a seed shows once it is left: nothing for −1, so that its placeholder says what that means.
 * @param {string} given
 */
export const seedText = (given) => (seedOf(given) === -1 ? "" : given);
