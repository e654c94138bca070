// What speaks against the loaded model, said once beside what is to be written, until it has been read and is hidden:
// the same sentence then stays away from this browser, on every tab of the page. Knows no model.
import { find } from "./dom.js";
import { store, stored } from "./kept.js";
import { say } from "./language.js";
import { sentence } from "./words.js";

/** @typedef {import("../types").Said} Said */

const HIDDEN = "playground-hidden-remarks";
const MOST = 30; // sentences; the oldest are forgotten

/** @returns {string[]} */
const hidden = () => {
  try {
    const found = JSON.parse(stored(HIDDEN) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
};
/** The same in every language. @param {Said} said */
const nameOf = (said) => (said && typeof said === "object" ? said.en : say(said));

/**
 * @param {HTMLElement} place of the class remark, with a text and a button in it
 * @param {Said} said
 */
export const drawModelRemark = (place, said) => {
  place.hidden = !said || hidden().includes(nameOf(said));
  find(place, ".remark-text").textContent = place.hidden ? "" : sentence(said);
  find(place, "[name=hide-remark]").onclick = (event) => {
    event.stopPropagation(); // the part of the page that it stands in takes the press of a button for one of its own
    store(HIDDEN, JSON.stringify([...hidden(), nameOf(said)].slice(-MOST)));
    drawModelRemark(place, said);
  };
};
