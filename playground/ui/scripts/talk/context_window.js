// How much of the model's window a conversation takes, as the server has counted it. No drawing here.

/**
 * What `window` tells of it; nothing where it was not counted. `looked` is the asking that it answers.
 * @typedef {{used?: number, context?: number, left_out?: number, over?: boolean, looked?: number,
 *   uncounted?: import("../types").Said}} Counted
 */

/**
 * How many of the turns that are shown no longer fit: the first ones. A count of other turns says nothing about these.
 * @param {Counted} counted
 * @param {number} turns
 * @param {number} since the first asking that was about these turns
 */
export const leftOut = (counted, turns, since) =>
  (counted.looked ?? 0) < since ? 0 : Math.min(counted.left_out ?? 0, turns);
/**
 * Whether a way is another one's, or what that one has come to: a count of the shorter one is still about its turns.
 * @param {{id: string}[]} before
 * @param {{id: string}[]} now
 */
export const isSameWay = (before, now) => before.every((turn, place) => now[place]?.id === turn.id);
/**
 * In percent; what does not fit is not more than all.
 * @param {Counted} counted
 */
export const share = ({ used, context }) =>
  used === undefined || context === undefined ? 0 : Math.min(100, (100 * used) / context);
