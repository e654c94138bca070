// How long something takes, as a person says it. Knows no words.

const MINUTE = 60;
const HOUR = 3600;

/**
 * In seconds up to two minutes, then in minutes, then in hours.
 * @param {number} seconds
 * @returns {{ unit: "s" | "min" | "h", count: number }}
 */
export const roundTime = (seconds) => {
  if (seconds < 2 * MINUTE) return { unit: "s", count: Math.max(1, Math.round(seconds)) };
  if (seconds < 2 * HOUR) return { unit: "min", count: Math.round(seconds / MINUTE) };
  return { unit: "h", count: Math.round(seconds / HOUR) };
};
