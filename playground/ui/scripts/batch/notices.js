// What is wrong, said below the file.
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { sentence } from "../page/words.js";

const { element } = hostOf("batch");
/** @param {import("../types").Said} text */
export const fail = (text) => {
  const place = find(element, ".batch-error");
  place.hidden = !text;
  place.textContent = sentence(text);
};
