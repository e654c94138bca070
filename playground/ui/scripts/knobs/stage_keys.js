// Stages by the keyboard: arrows walk through the list and, with Alt or while one is held, move it; Space picks up and
// puts down, Escape takes back.
import { stageOf } from "./stages.js";

/** @typedef {import("./stages").StageList} StageList */

/** @type {Record<string, number>} */
const STEPS = { ArrowUp: -1, ArrowDown: 1, Home: Number.NEGATIVE_INFINITY, End: Number.POSITIVE_INFINITY };

/** @param {StageList} list */
export const wireKeys = (list) => {
  list.root.addEventListener("keydown", (event) => {
    const stage = stageOf(event);
    if (!stage || event.ctrlKey || event.metaKey || event.shiftKey || !act(list, stage, event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  // Space would also click.
  list.root.addEventListener("keyup", (event) => {
    if (event.key === " ") event.preventDefault();
  });
  list.root.addEventListener("focusin", (event) => {
    const stage = stageOf(event);
    if (stage && !list.held) list.makeCurrent(stage);
  });
  list.root.addEventListener("focusout", ({ relatedTarget }) => {
    const within = relatedTarget instanceof Node && list.root.contains(relatedTarget);
    if (list.held && list.held.pointer === undefined && !within) list.drop(true);
  });
};
/**
 * @param {StageList} list
 * @param {string} stage
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the key means something here
 */
const act = (list, stage, { key, altKey }) => {
  const steps = Object.hasOwn(STEPS, key) ? STEPS[key] : 0;
  if (steps && (altKey || list.held)) {
    if (list.mayMove()) list.move(stage, steps);
  } else if (steps) list.focus(steps);
  else if (altKey) return false;
  else if (key === " " || (key === "Enter" && list.held)) pickUpOrDrop(list, stage);
  else if (key === "Escape" && list.held) list.drop(false);
  else return false;
  return true;
};
/** @param {StageList} list @param {string} stage */
const pickUpOrDrop = (list, stage) => {
  if (list.held) list.drop(true);
  else if (list.mayMove()) {
    list.pickUp(stage);
    list.announce("stage_held", stage);
  }
};
