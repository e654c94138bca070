// The lock beside a seed: closed while the seed is kept. Knows no element.
import { svg } from "./dom.js";
import { t } from "./words.js";

const DRAWN = 2 ** 31; // seeds that may be drawn
const PICTURE = {
  viewBox: "0 0 16 16",
  width: 14,
  height: 14,
  "aria-hidden": "true",
  fill: "none",
  stroke: "currentColor",
  "stroke-width": 1.5,
};
/** @param {boolean} locked */
const picture = (locked) =>
  svg(
    "svg",
    PICTURE,
    svg("rect", { x: 3, y: 7, width: 10, height: 7, rx: 1.5 }),
    svg("path", { d: locked ? "M5.5 7V4.5a2.5 2.5 0 0 1 5 0V7" : "M5.5 7V4.5a2.5 2.5 0 0 1 4.8-1" }),
  );
/** @param {HTMLElement} lock @param {boolean} locked */
export const drawLock = (lock, locked) => {
  lock.replaceChildren(picture(locked));
  lock.setAttribute("aria-pressed", String(locked));
  lock.title = t(locked ? "unlock_seed" : "lock_seed");
  lock.setAttribute("aria-label", lock.title);
};
export const drawnSeed = () => Math.floor(Math.random() * DRAWN);
