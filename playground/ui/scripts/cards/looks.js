// Whose tokens are shown: they follow the version of a card that is looked at. Says `look`, and hears what was answered.
import { hostOf } from "../page/element.js";
import { drawLooked, lookedCard } from "./grid.js";
import { drawHead } from "./run_head.js";
import { shown, shownCard } from "./shown_runs.js";
import { version } from "./versions.js";

/** @typedef {import("./runs").Look} Look */

const { trigger } = hostOf("cards");
/** Of a look that is not answered yet. @type {Look | null} */
let asked = null;

/**
 * @param {number} number the card
 * @param {boolean} [again] also where it is looked at already
 */
export const look = (number, again = false) => {
  const one = version(shownCard(number));
  const last = asked || shown.looked;
  if (one.finish === "example" || (!again && last && one.run === last.run && one.row === last.row)) return;
  asked = one.edited ? { run: one.id, row: 0, hand: true } : { run: one.run, row: one.row };
  trigger("look", { ...asked, sent: performance.now() });
};
/** What knobs did, or would do now, is told anew. */
export const lookAgain = () => {
  const number = lookedCard();
  if (number >= 0) look(number, true);
};
/** What begins brings its tokens by itself. */
export const forgetLook = () => {
  asked = null;
};
/** @param {Look | null} where */
export const answered = (where) => {
  shown.looked = where;
  // Of two quick looks the first may be answered while the second is on its way.
  if (!where || (asked && where.run === asked.run && where.row === asked.row)) asked = null;
  drawLooked();
  drawHead();
};
