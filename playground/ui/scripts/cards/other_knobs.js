// Which knobs a version of a card was made with other than its run. Knows no word and no drawing.

/** @typedef {import("../topics").Knobs} Knobs */

const OF_EACH_RUN = new Set(["seed", "n"]); // a card has its own seed, and a version is one text

/**
 * The knobs that were turned since a run began, as they were when something more was asked of it; null where none was.
 * @param {Knobs | null | undefined} before
 * @param {Knobs | null} now
 * @returns {Knobs | null}
 */
export const turnedSince = (before, now) => {
  if (!before || !now) return null;
  const turned = Object.entries(now).filter(
    ([name, value]) => !OF_EACH_RUN.has(name) && JSON.stringify(value) !== JSON.stringify(before[name] ?? null),
  );
  return turned.length ? Object.fromEntries(turned) : null;
};
