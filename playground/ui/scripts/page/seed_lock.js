// The lock beside a seed: closed while the seed is kept. Knows no form.
import { svg } from "./dom.js";
import { t } from "./words.js";

const SHAPE = {
  viewBox: "0 0 16 16",
  width: 14,
  height: 14,
  "aria-hidden": "true",
  fill: "none",
  stroke: "currentColor",
  "stroke-width": 1.5,
};
const BODY = { x: 3, y: 7, width: 10, height: 7, rx: 1.5 };
const [OPEN, CLOSED] = ["M5.5 7V4.5a2.5 2.5 0 0 1 4.8-1", "M5.5 7V4.5a2.5 2.5 0 0 1 5 0V7"];
/**
 * @param {HTMLElement} lock
 * @param {boolean} locked
 */
export const drawLock = (lock, locked) => {
  lock.replaceChildren(svg("svg", SHAPE, svg("rect", BODY), svg("path", { d: locked ? CLOSED : OPEN })));
  lock.setAttribute("aria-pressed", String(locked));
  lock.title = t(locked ? "unlock_seed" : "lock_seed");
  lock.setAttribute("aria-label", lock.title);
};
/** A seed to be locked where none was drawn yet. */
export const drawnSeed = () => Math.floor(Math.random() * 2 ** 31);
