// A question before results go away; what answers it stands where it came from.
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { t } from "../page/words.js";

/**
 * @typedef {{place: string, says: string, does: string, values: () => Record<string, unknown>, act: () => void}} Doubt
 *   behind which node it stands; what it says, and its button, by key; what is done after all
 */

const { element } = hostOf("batch");
/** @type {Doubt | null} */
let doubt = null;

export const drawDoubt = () => {
  const box = find(element, ".batch-sure");
  box.hidden = !doubt;
  if (!doubt) return;
  find(element, doubt.place).after(box);
  find(box, "p").textContent = t(doubt.says, doubt.values());
  find(box, "[name=sure]").textContent = t(doubt.does);
};
/** @param {Doubt} asked */
export const wonder = (asked) => {
  doubt = asked;
  drawDoubt();
  find(element, "[name=unsure]").focus();
};
/** Which question is open, by its key. */
export const doubted = () => doubt?.says ?? null;
export const settle = () => {
  doubt = null;
  drawDoubt();
};
export const act = () => {
  const sure = doubt?.act;
  settle();
  sure?.();
};
