// How far each tab and each part of it that scrolls was scrolled: over another tab, over Back, and over a reload of this
// tab of the browser. Knows no part by name; one is known by the id of its node.
import { on } from "./board.js";
import { allBegun } from "./element.js";
import { keep as keepData, kept as keptData } from "./kept.js";

/** @typedef {Record<string, number>} Tops in pixels, by id */

const KEPT = "playground-scroll";
const WINDOW = ""; // stands for the window among the ids
const PATIENCE = 5000; // milliseconds in which what was scrolled to may come back
const STEP = 50;
/** @param {unknown} value */
const number = (value) => (typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0);
const before = keptData(KEPT);
/** @type {Map<string, Tops>} */
const tabs = new Map(
  Object.entries(before && typeof before === "object" ? before : {}).map(([tab, places]) => [
    tab,
    Object.fromEntries(Object.entries(places ?? {}).map(([id, top]) => [id, number(top)])),
  ]),
);
/** @type {string | null} */
let tab = null;
let until = 0; // positions are being brought back, not noted
let held = 0; // looks in a row at which all was where it belongs

/** @param {string} id */
const topOf = (id) => (id === WINDOW ? window.scrollY : (document.getElementById(id)?.scrollTop ?? 0));
/** @param {string} id @param {number} top */
const scroll = (id, top) => {
  if (id === WINDOW) window.scrollTo(0, top);
  else document.getElementById(id)?.scrollTo(0, top);
};
const keep = () => keepData(KEPT, Object.fromEntries(tabs));
/** @param {Event} event */
const note = (event) => {
  if (!tab || until) return;
  const node = event.target;
  const id = node === document ? WINDOW : node instanceof Element ? node.id : undefined;
  if (id === undefined || (node !== document && !id)) return;
  tabs.set(tab, { ...tabs.get(tab), [id]: Math.round(topOf(id)) });
};
// What stands there is drawn little by little, so this is tried until it holds, or somebody scrolls or types. Before all
// elements have begun nothing holds: they hide much of their markup, and with its next frame the browser scrolls along.
const bringBack = () => {
  if (!until || tab === null) return;
  const wanted = Object.entries(tabs.get(tab) ?? {});
  const off = wanted.filter(([id, top]) => Math.abs(topOf(id) - top) > 1);
  for (const [id, top] of off) scroll(id, top);
  const left = off.some(([id, top]) => Math.abs(topOf(id) - top) > 1);
  held = !left && allBegun() ? held + 1 : 0;
  if (held > 1 || Date.now() > until) {
    until = 0;
    return;
  }
  setTimeout(bringBack, STEP);
};
const end = () => {
  until = 0;
};
for (const hand of ["wheel", "touchstart", "pointerdown", "keydown"])
  window.addEventListener(hand, end, { capture: true, passive: true });
document.addEventListener("scroll", note, { capture: true, passive: true });
on(
  "place",
  (place) => {
    if (place.tab === tab) return;
    tab = place.tab;
    if (!tabs.get(tab)?.[WINDOW]) window.scrollTo(0, 0);
    until = Date.now() + PATIENCE;
    held = 0;
    bringBack();
  },
  "scroll",
);
if ("scrollRestoration" in history) history.scrollRestoration = "manual";
window.addEventListener("pagehide", keep);
document.addEventListener("visibilitychange", keep);
