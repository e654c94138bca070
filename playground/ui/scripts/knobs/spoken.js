// What is said again when the language of the page changes. Knows no words.

/** @type {(() => void)[]} */
const speakers = [];

/**
 * Says it now, and again in every other language.
 * @param {() => void} speak
 */
export const spoken = (speak) => {
  speakers.push(speak);
  speak();
};
export const sayAgain = () => {
  for (const speak of speakers) speak();
};
