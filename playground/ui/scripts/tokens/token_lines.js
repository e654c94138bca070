// The lines of a text of tokens. A line goes as its text does. Where it holds letters that are written from right to left,
// each of its tokens is isolated, and stands between marks of its own direction: so a word of several tokens, or a number,
// is read in its order inside a line of the other direction. Knows a token's node and no token.
import { direction } from "../page/direction.js";
import { make } from "../page/dom.js";
import { areJoined, wayOf } from "./line_rules.js";

const BOTH = "tk-both";

/** @returns {HTMLElement} */
export const makeLine = () => make("div", { class: "tk-line", dir: "auto" });
/** @param {HTMLElement} span @returns {HTMLElement} */
const lineOf = (span) => /** @type {HTMLElement} */ (span.closest(".tk-line"));
/** Without its number. @param {HTMLElement} span */
const textOf = (span) => span.firstChild?.nodeValue ?? "";
/** @param {HTMLElement} span @returns {HTMLElement} */
const marked = (span) => {
  const way = wayOf(textOf(span));
  return way ? make("span", { class: `tk-way-${way}` }, span) : span;
};
/** @param {HTMLElement} line @returns {HTMLElement | null} */
const lastOn = (line) => {
  const last = line.lastElementChild;
  return /** @type {HTMLElement | null} */ (last?.matches(".tk-token") ? last : (last?.firstElementChild ?? null));
};
/**
 * Parts of one Arabic word keep the shapes that they have in it.
 * @param {HTMLElement | null} before
 * @param {HTMLElement} span
 */
const join = (before, span) => {
  if (!before || !areJoined(textOf(before), textOf(span))) return;
  before.dataset.joins = `${before.dataset.joins ?? ""} on`;
  span.dataset.joins = "from";
};
/** @param {HTMLElement} line */
const hold = (line) => {
  line.classList.add(BOTH);
  const focused = document.activeElement;
  for (const before of /** @type {HTMLElement[]} */ ([...line.children])) {
    const next = before.nextSibling;
    line.insertBefore(marked(before), next);
  }
  if (focused instanceof HTMLElement && line.contains(focused)) focused.focus({ preventScroll: true });
};
/**
 * @param {HTMLElement} line
 * @param {HTMLElement} span
 */
export const putOn = (line, span) => {
  if (!line.classList.contains(BOTH) && direction(textOf(span)) === "rtl") hold(line);
  if (!line.classList.contains(BOTH)) {
    line.append(span);
    return;
  }
  join(lastOn(line), span);
  line.append(marked(span));
};
/** @param {HTMLElement} span */
export const takeOff = (span) => {
  const line = lineOf(span);
  (span.parentElement === line ? span : span.parentElement)?.remove();
  if (!line.firstChild) line.remove();
};
/** Whether what follows stands on its left. @param {HTMLElement} span */
export const runsLeft = (span) => getComputedStyle(lineOf(span)).direction === "rtl";
/**
 * The nearest token on the line above (-1) or below (1); the same where there is none.
 * @param {HTMLElement[]} spans
 * @param {number} from
 * @param {number} step
 * @returns {number}
 */
export const beside = (spans, from, step) => {
  const here = spans[from].getClientRects()[0];
  const middle = (here.left + here.right) / 2;
  /** @type {number | null} */
  let line = null;
  let best = from;
  let distance = Number.POSITIVE_INFINITY;
  for (let at = from + step; at >= 0 && at < spans.length; at += step) {
    const box = spans[at].getClientRects()[0];
    if (!box || Math.abs(box.top - here.top) < 4) continue;
    line ??= box.top;
    if (Math.abs(box.top - line) > 4) break;
    const away = Math.abs((box.left + box.right) / 2 - middle);
    if (away < distance) {
      distance = away;
      best = at;
    }
  }
  return best;
};
