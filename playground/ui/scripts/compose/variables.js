// Which variables a free prompt or a chat has: the names in its places, `{{name}}`. What a place is comes from Python
// (rules.js), so that fields appear while a person types; what is sent is decided there.

/** @typedef {import("../tasks").Form} Form */

/** Where variables may stand, by kind. @type {Record<string, ("prompt" | "system" | "message" | "prefill")[]>} */
const TEXTS = { complete: ["prompt"], chat: ["system", "message", "prefill"] };

/**
 * The names in a text's places, each once, in the order in which they come.
 * @param {string} text
 * @param {RegExp} place global, the name in its first group
 * @returns {string[]}
 */
export const namesIn = (text, place) => [...new Set([...text.matchAll(place)].map((found) => found[1]))];
/**
 * Those of all texts of what is written.
 * @param {Form} form
 * @param {RegExp} place
 * @returns {string[]}
 */
export const placesOf = (form, place) => namesIn((TEXTS[form.kind] ?? []).map((name) => form[name]).join("\n"), place);
/**
 * The places that are filled in; with more than `most` the texts are sent as they stand.
 * @param {Form} form
 * @param {RegExp} place
 * @param {number} most
 * @returns {string[]}
 */
export const variablesOf = (form, place, most) => {
  const names = placesOf(form, place);
  return form.fill && names.length <= most ? names : [];
};
/**
 * A variable's name as it is shown above its field; a label of several words became one with underscores.
 * @param {string} name
 */
export const labelOf = (name) => name.replaceAll("_", " ").trim() || name;
