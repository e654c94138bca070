// Sentences with places: how a value stands in one, and which word goes with a number. Knows no language and no key.
import { isolate } from "./direction.js";

const PLACE = /\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g;

/**
 * A sentence with its places filled; in {count:token|tokens} the value is followed by the word that fits it.
 * @param {string} said
 * @param {Record<string, unknown>} values a place without one stays as it is
 * @returns {string}
 */
export const filled = (said, values) =>
  said.replace(PLACE, (place, name, one, many) => {
    if (values[name] === undefined || values[name] === null) return place;
    const shown = String(values[name]);
    return isolate(shown) + (many === undefined ? "" : ` ${shown === "1" ? one : many}`);
  });
