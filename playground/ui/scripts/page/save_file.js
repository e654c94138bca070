// What the server gives as data becomes a file of the visitor's. Knows no element.
import { make } from "./dom.js";

const LONG = 10_000; // milliseconds after which the browser has taken it
/**
 * @param {string} name
 * @param {BlobPart} data
 * @param {string} [type]
 */
export const saveFile = (name, data, type) => {
  const url = URL.createObjectURL(new Blob([data], type === undefined ? {} : { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), LONG);
};
