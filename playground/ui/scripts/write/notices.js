// What the tab says beside its texts: what is wrong, and how things stand.
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { sentence } from "../page/words.js";

const { element } = hostOf("write");
/** @param {import("../types").Said} text */
export const complain = (text) => {
  const place = find(element, ".write-complaint");
  place.hidden = !text;
  place.textContent = sentence(text);
};
/** @param {string} text */
export const notice = (text) => {
  find(element, ".write-words").textContent = text;
};
