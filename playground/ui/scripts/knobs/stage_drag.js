// Stages by a pointer. A mouse takes hold of the whole line, a finger of the grip only, so that the panel can still be
// scrolled.
import { around } from "../page/dom.js";
import { stageOf } from "./stages.js";
import { hold } from "./store.js";

/** @typedef {import("./stages").StageList} StageList */

/** @param {PointerEvent} event */
const takes = (event) => event.button === 0 && (event.pointerType !== "touch" || around(event, ".kn-grip"));
/**
 * How many places the held stage is from the pointer.
 * @param {StageList} list
 * @param {string} stage
 * @param {number} height
 */
const stepsTo = (list, stage, height) => {
  const boxes = list.shown.map((one) => list.cell(one).item.getBoundingClientRect());
  const at = list.shown.indexOf(stage);
  const below = boxes.filter((box, other) => other > at && height > box.top + box.height / 2).length;
  const above = boxes.filter((box, other) => other < at && height < box.top + box.height / 2).length;
  return below - above;
};

/** @param {StageList} list */
export const wireDrag = (list) => {
  const { root } = list;
  /** @param {boolean} keep */
  const end = (keep) => (/** @type {PointerEvent} */ event) => {
    if (list.held?.pointer === event.pointerId) list.drop(keep);
  };
  root.addEventListener("pointerdown", (event) => {
    const stage = stageOf(event);
    if (!stage || list.held || !takes(event) || !list.mayMove()) return;
    list.pickUp(stage, event.pointerId);
    root.setPointerCapture(event.pointerId);
    hold(list.row.knob.name, true);
    list.cell(stage).button.focus({ preventScroll: true });
    event.preventDefault();
  });
  root.addEventListener("pointermove", (event) => {
    const { held } = list;
    if (!held || held.pointer !== event.pointerId) return;
    const steps = stepsTo(list, held.stage, event.clientY);
    if (steps) list.move(held.stage, steps);
  });
  root.addEventListener("pointerup", end(true));
  root.addEventListener("pointercancel", end(false));
};
