// The small buttons above a text, each with a picture, a title and a name for those who do not see it. Knows no card.
import { icon, make } from "../page/dom.js";

/** What can be done to every text, in the order of its buttons. */
export const TOOLS = {
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  edit: "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2zM9.4 4.4l2.2 2.2",
  continue: "M2.5 8h10M9 4.5L12.5 8 9 11.5",
  regenerate: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
};
/** What keeps a text among the favourites, and no longer does. */
export const STAR = "M8 2l1.8 3.8 4.2.5-3.1 2.9.8 4.1L8 11.3l-3.7 2 .8-4.1L2 6.3l4.2-.5z";
export const TREE = "M4 2.5v11M4 5.5h3.5a4 4 0 0 1 4 4M11.5 11.5v-2M2.5 2.5h3M2.5 13.5h3M10 13.5h3";
export const UNDO = "M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M5.5 4L3 6.5 5.5 9";
export const REDO = "M13 6.5H6.5a3.5 3.5 0 0 0 0 7H10M10.5 4L13 6.5 10.5 9";

/**
 * @param {string} name
 * @param {string} label
 * @param {string} path of its picture
 * @param {{title?: string, word?: string}} [more] what a hand that points at it is told; and what stands beside the
 *   picture where there is room, a part of the label
 */
export const makeTool = (name, label, path, { title = label, word } = {}) =>
  make(
    "button",
    { type: "button", class: "quiet tool", name, title, "aria-label": label },
    icon(path),
    word ? make("span", { class: "tool-word" }, word) : null,
  );
