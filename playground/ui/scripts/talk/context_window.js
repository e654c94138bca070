// How much of the model's window a conversation takes, as the server has counted it. No drawing here.

/** What `window` tells of it; nothing where it was not counted. @typedef {{used?: number, context?: number, left_out?: number, over?: boolean}} Counted */

/**
 * How many of the turns that are shown no longer fit: the first ones.
 * @param {Counted} counted
 * @param {number} turns
 */
export const leftOut = (counted, turns) => Math.min(counted.left_out ?? 0, turns);
/**
 * In percent; what does not fit is not more than all.
 * @param {Counted} counted
 */
export const share = ({ used, context }) =>
  used === undefined || context === undefined ? 0 : Math.min(100, (100 * used) / context);
