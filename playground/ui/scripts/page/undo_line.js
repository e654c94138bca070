// A line that says what a press has changed, with a button that takes it back.
import { make } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("../topics").Topics["replaced"]} News */

/**
 * @param {HTMLElement} line a status
 * @param {News} news nothing stands there for null
 * @param {() => void} after takes the focus once it was taken back
 */
export const drawUndoLine = (line, news, after) => {
  line.hidden = !news;
  if (!news) {
    line.replaceChildren();
    return;
  }
  const press = () => {
    news.undo();
    after();
  };
  const button = make("button", { type: "button", class: "quiet strong", name: "undo", onclick: press }, t("undo"));
  line.replaceChildren(make("span", { title: news.all }, news.text), " ", button);
};
