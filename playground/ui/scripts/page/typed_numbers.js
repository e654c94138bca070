// Numbers as somebody types them into a form. Knows no form.

/**
 * A whole number; what is none goes on as it is, to be refused by name.
 * @param {string} given
 * @returns {number | string}
 */
export const wholeNumber = (given) => {
  const text = given.trim();
  return /^-?\d+$/.test(text) ? Number(text) : text;
};
/**
 * A seed; −1, which an empty field stands for, draws one anew.
 * @param {string} given
 * @returns {number | string}
 */
export const seedOf = (given) => (given.trim() === "" ? -1 : wholeNumber(given));
