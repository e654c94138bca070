// Under the text on a wide screen: how the picked token came about, and the figures of the run. Opens with a picked
// token; its height is kept in this browser. On a narrow screen the parts stand by themselves, and this does nothing.
import { on } from "../page/board.js";
import { around, find, findAll } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { store, stored } from "../page/kept.js";
import { isWide } from "../page/screen.js";
import { apply, t } from "../page/words.js";

/** @typedef {"inside" | "run"} Leaf */

const { element } = hostOf("dock_head");
const dock = find(document, "#dock");
const grip = find(element, ".dock-grip");
const HEIGHT = "playground-dock"; // share of the window, in percent
const [LEAST, MOST, USUAL, STEP] = [20, 85, 42, 5];
const PANEL = ".wf:not([hidden])"; // one that is open
/** Null where it is closed. @type {Leaf | null} */
let leaf = null;
let largest = false;
let about = ""; // what the form was about

const heightOf = () => {
  const kept = Number(stored(HEIGHT));
  return kept >= LEAST && kept <= MOST ? kept : USUAL;
};
const drawGrip = () => {
  grip.hidden = !leaf;
  grip.setAttribute("aria-valuenow", String(heightOf()));
  grip.setAttribute("aria-valuemin", String(LEAST));
  grip.setAttribute("aria-valuemax", String(MOST));
};
const draw = () => {
  apply(element);
  dock.dataset.leaf = leaf ?? "";
  dock.classList.toggle("largest", Boolean(leaf) && largest);
  dock.style.setProperty("--dock", `${heightOf()}dvh`);
  for (const name of ["inside", "run"]) {
    find(element, `[name=${name}]`).setAttribute("aria-pressed", String(leaf === name));
  }
  const maximize = find(element, "[name=maximize]");
  maximize.textContent = largest ? "⤓" : "⤒";
  maximize.title = t(largest ? "dock_smaller" : "dock_larger");
  maximize.setAttribute("aria-label", maximize.title);
  maximize.setAttribute("aria-pressed", String(largest));
  maximize.hidden = !leaf;
  find(element, "[name=close]").hidden = !leaf;
  const isFilled = Boolean(document.querySelector(`#waterfall ${PANEL}, #next ${PANEL}`));
  find(element, ".dock-hint").hidden = leaf !== "inside" || isFilled;
  drawGrip();
};
/** @param {Leaf | null} wanted */
const show = (wanted) => {
  leaf = wanted;
  if (!leaf) largest = false;
  draw();
};
/** @param {number} share */
const resize = (share) => {
  largest = false;
  store(HEIGHT, String(Math.round(Math.min(Math.max(share, LEAST), MOST))));
  draw();
};
const close = () => {
  show(null);
  for (const button of findAll(dock, `${PANEL} [name=close]`)) button.click();
};

element.addEventListener("click", (event) => {
  const name = around(event, "button[name]", HTMLButtonElement)?.name;
  if (name === "close") close();
  else if (name === "maximize") {
    largest = !largest;
    draw();
  } else if (name === "inside" || name === "run") show(leaf === name ? null : name);
});
on(
  "composed",
  ({ kind, task }) => {
    const now = kind === "task" ? `task/${task?.id}` : kind;
    if (about && now !== about && leaf) close(); // what is open belongs to what the form was about
    about = now;
  },
  "dock",
);
grip.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  grip.setPointerCapture(event.pointerId);
  /** @param {PointerEvent} event */
  const move = ({ clientY }) => resize((100 * (window.innerHeight - clientY)) / window.innerHeight);
  grip.addEventListener("pointermove", move);
  grip.addEventListener("lostpointercapture", () => grip.removeEventListener("pointermove", move), { once: true });
});
grip.addEventListener("keydown", (event) => {
  const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!way) return;
  event.preventDefault();
  resize(heightOf() + way * STEP);
});
document.addEventListener("keydown", (event) => {
  const isShown = leaf === "run" && isWide() && element.offsetParent;
  if (event.key !== "Escape" || event.defaultPrevented || !isShown) return;
  event.preventDefault();
  close();
});
// A panel that opens or closes says so to the views beside it.
document.addEventListener("playground-token", (event) => {
  const { kind, source, open } = /** @type {CustomEvent} */ (event).detail;
  if (kind !== "panel" || !dock.contains(source)) return;
  if (open) show("inside");
  else if (leaf === "inside" && !dock.querySelector(PANEL)) show(null);
  else draw();
});
on(
  "run",
  (news) => {
    if (news.running && leaf === "inside" && !dock.querySelector(PANEL)) show(null);
  },
  "dock_head",
);
on("dock", show, "dock_head");
on("language", draw, "dock_head");
draw();
