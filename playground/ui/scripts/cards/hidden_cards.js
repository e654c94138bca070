// Which cards of a run are hidden since an earlier one says nearly the same. Knows no drawing; what is in somebody's hands
// comes with each call.
import { answerOf } from "./answer.js";
import { repeated } from "./near_duplicates.js";
import { version } from "./versions.js";

/** @typedef {import("./runs").Run} Run */
/** @typedef {import("./runs").Card} Card */
/** @typedef {(number: number) => boolean} InHand whether a card is looked at, edited, compared or kept */

/** A card of which somebody wanted another version, or that a hand changed, is of interest for itself. @param {Card} card */
const isUntouched = (card) => card.versions.length === 1 && !version(card).edited;
/** @param {Run} run */
const hasEnded = (run) => run.cards.every((card) => version(card).finish);
/**
 * The cards, by number, that nearly repeat an earlier one and may be hidden; none while a text of the run is written.
 * @param {Run} run
 * @returns {number[]}
 */
export const alikeIn = (run) => {
  if (run.example || !hasEnded(run)) return [];
  const found = repeated(run.cards.map((card) => answerOf(version(card))));
  return [...run.cards.keys()].filter((number) => found[number] !== null && isUntouched(run.cards[number]));
};

/**
 * The cards of the shown run that are alike. They are found when a run has ended or comes to be shown, so that no card goes
 * away under a hand: from then on one only leaves them.
 */
export class AlikeCards {
  /** @type {Run | undefined} */
  #run = undefined;
  /** @type {number[]} */
  #alike = [];

  /**
   * @param {Run | undefined} run the one that is shown
   * @param {boolean} growing a text of some run is being written
   * @param {InHand} isInHand
   */
  decide(run, growing, isInHand) {
    if (growing && run === this.#run) return;
    this.#run = run;
    this.#alike = run ? alikeIn(run).filter((number) => !isInHand(number)) : [];
  }
  /** @param {InHand} isInHand */
  leave(isInHand) {
    this.#alike = this.#alike.filter(
      (number) => this.#run && isUntouched(this.#run.cards[number]) && !isInHand(number),
    );
  }
  /** Whether they were found for this run. @param {Run | undefined} run */
  areOf(run) {
    return this.#run === run;
  }
  get count() {
    return this.#alike.length;
  }
  /** Whether they are shown all the same. */
  get areShown() {
    return this.#run?.alike === "shown";
  }
  /** @param {number} number */
  hides(number) {
    return !this.areShown && this.#alike.includes(number);
  }
}
