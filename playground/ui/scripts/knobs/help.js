// The help of a knob: one popover for the whole panel, opened by hover, focus, click or touch.
import { around, find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { word } from "./registry.js";
import { valueText } from "./value_text.js";

/** @typedef {import("./knob").Knob} Knob */
/** @typedef {import("./row").Row} Row */

const { element } = hostOf("knobs");
const box = find(element, ".kn-help");
const [OPENS, CLOSES] = [350, 200]; // milliseconds that a mouse is on or off a name before
const [GAP, EDGE, NEAR] = [12, 8, 4]; // pixels to the panel, to the edge of the window, and to what it stands at
/** @type {Row | null} */
let helped = null;
let pinned = false;
/** @type {number | undefined} */
let waiting;

const opened = () => box.matches(":popover-open");

/** @param {Knob} knob */
const write = (knob) => {
  const label = say(knob.label);
  const places = Object.entries(knob.elsewhere).map(([engine, name]) => `${engine}: ${name}`);
  const facts = [
    ["range", say(knob.range)],
    ["neutral", valueText(knob, knob.neutral)],
    ["master", knob.needs],
    ["elsewhere", places.join("\n")],
    ["source", knob.source],
  ].filter(([, content]) => content);
  box.replaceChildren(
    make("p", { class: "kn-help-title" }, label, label === knob.name ? null : make("code", {}, knob.name)),
    make("p", {}, say(knob.help)),
    ...(knob.formula ? [make("p", { class: "kn-formula" }, say(knob.formula))] : []),
    make("dl", {}, ...facts.flatMap(([key, content]) => [make("dt", {}, word(String(key))), make("dd", {}, content)])),
  );
};
/**
 * Left of the panel where there is room. Else where it covers neither its row nor what stands above the rows: below the
 * row, above it, or above the sheet that holds the panel on a phone; where it fits in none of these, it scrolls in the
 * largest.
 * @param {Row} row
 */
const place = (row) => {
  box.style.maxHeight = "";
  const panel = element.getBoundingClientRect();
  const line = row.label.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const beside = panel.left - width - GAP;
  if (beside >= EDGE) {
    put(beside, Math.min(line.top - EDGE, innerHeight - EDGE - height));
    return;
  }
  const head = find(element, ".kn-head").getBoundingClientRect();
  const sheet = element.closest("#side")?.getBoundingClientRect() ?? panel;
  const places = [
    { from: line.bottom + NEAR, to: innerHeight - EDGE, below: true },
    { from: Math.max(EDGE, head.bottom + NEAR), to: line.top - NEAR, below: false },
    { from: EDGE, to: sheet.top - NEAR, below: false },
  ].map((one) => ({ ...one, room: one.to - one.from }));
  const best = places.find(({ room }) => room >= height) ?? places.reduce((a, b) => (b.room > a.room ? b : a));
  const shown = Math.min(height, best.room);
  if (shown < height) box.style.maxHeight = `${shown}px`;
  put(Math.min(Math.max(EDGE, line.left), innerWidth - width - EDGE), best.below ? best.from : best.to - shown);
};
/** @param {number} left @param {number} top */
const put = (left, top) => {
  box.style.left = `${left}px`;
  box.style.top = `${Math.max(EDGE, top)}px`;
};

/** @param {Row} row */
const open = (row) => {
  clearTimeout(waiting);
  if (helped !== row) closeHelp();
  helped = row;
  write(row.knob);
  box.id = "kn-help";
  if (!opened()) box.showPopover();
  place(row);
  row.help.setAttribute("aria-expanded", "true");
  row.help.setAttribute("aria-describedby", box.id);
};
export const closeHelp = () => {
  clearTimeout(waiting);
  pinned = false;
  if (!helped) return;
  helped.help.setAttribute("aria-expanded", "false");
  helped.help.removeAttribute("aria-describedby");
  helped = null;
  if (opened()) box.hidePopover();
};
/** @param {() => void} act @param {number} wait */
const soon = (act, wait) => {
  clearTimeout(waiting);
  waiting = setTimeout(act, wait);
};

/** @param {Row} row */
export const wireHelp = (row) => {
  const { label, help } = row;
  label.addEventListener("pointerenter", (event) => {
    if (event.pointerType === "mouse" && !pinned) soon(() => open(row), OPENS);
  });
  label.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && !pinned) soon(closeHelp, CLOSES);
  });
  help.addEventListener("focus", () => {
    if (help.matches(":focus-visible")) open(row);
  });
  help.addEventListener("blur", closeHelp);
  help.addEventListener("click", () => {
    if (helped === row && pinned) return closeHelp();
    open(row);
    pinned = true;
  });
};

element.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !opened()) return;
  event.stopPropagation();
  closeHelp();
});
box.addEventListener("pointerenter", () => clearTimeout(waiting));
box.addEventListener("pointerleave", () => {
  if (!pinned) soon(closeHelp, CLOSES);
});
document.addEventListener("pointerdown", (event) => {
  const within = event.target instanceof Node && box.contains(event.target);
  if (opened() && !within && !around(event, ".kn-q")) closeHelp();
});
document.addEventListener(
  "scroll",
  (event) => {
    if (helped && event.target !== box) closeHelp();
  },
  { capture: true, passive: true },
);
