// Where the points of a plot stand in its picture, in pixels, and which numbers stand beside it. Knows no node and no word.

/** @typedef {[step: number, value: number]} Point */
/**
 * @typedef {object} Scale
 * @property {number} width
 * @property {number} first the step at the left end, and the one at the right
 * @property {number} last
 * @property {number} low the value at the bottom, and the one at the top
 * @property {number} high
 * @property {(step: number) => number} x
 * @property {(value: number) => number} y
 */

export const HEIGHT = 160; // of the plot
export const LEFT = 54; // room for the values on its left,
export const BELOW = 20; // for the steps below it,
export const RIGHT = 12; // and on its right
const ABOVE = 8;
const NARROWEST = 200;
const MOST_LEVELS = 5;
const TICK_ROOM = 72; // pixels that a step's number takes
const MARGIN = 0.05; // of the span, above and below
const SMOOTH = 0.9; // share of what stood before, in a smoothed line

/**
 * The next round number that is at least so large: 1, 2 or 5 times a power of ten.
 * @param {number} least
 */
export const roundStep = (least) => {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((one) => one * power >= least * (1 - 1e-9)) ?? 10) * power;
};
/**
 * Numbers that stand evenly between two others, at most so many.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @returns {number[]}
 */
export const levels = (low, high, most = MOST_LEVELS) => {
  if (!(high > low)) return [low];
  const step = roundStep((high - low) / Math.max(1, most - 1));
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(at * step);
  return found.map((one) => Number(one.toPrecision(12)));
};
/**
 * The scale that holds all points of several lines.
 * @param {Point[][]} lines
 * @param {number} room in pixels
 * @param {{ from?: number }} [how] a value that is always in it
 * @returns {Scale}
 */
export const scaleOf = (lines, room, { from } = {}) => {
  const width = Math.max(room, NARROWEST);
  let [first, last, low, high] = [Infinity, -Infinity, from ?? Infinity, from ?? -Infinity];
  for (const line of lines) {
    for (const [step, value] of line) {
      if (!Number.isFinite(value)) continue;
      first = Math.min(first, step);
      last = Math.max(last, step);
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (last < first) [first, last] = [0, 1];
  if (last === first) [first, last] = [first - 1, last + 1];
  if (high < low) [low, high] = [0, 1];
  const span = high - low || Math.abs(high) || 1;
  const bottom = from === low ? low : low - span * MARGIN;
  const top = high + span * MARGIN;
  return {
    width,
    first,
    last,
    low: bottom,
    high: top,
    x: (step) => LEFT + ((step - first) / (last - first)) * (width - LEFT - RIGHT),
    y: (value) => HEIGHT - ((value - bottom) / (top - bottom)) * (HEIGHT - ABOVE),
  };
};
/**
 * The steps that have a number below the plot: whole ones.
 * @param {Scale} scale
 */
export const stepTicks = ({ first, last, width }) => {
  const most = Math.max(2, Math.floor((width - LEFT - RIGHT) / TICK_ROOM));
  return levels(first, last, most).filter((one) => Number.isInteger(one) && one >= 0);
};
/**
 * The step at a place of the picture.
 * @param {Scale} scale
 * @param {number} left pixels from its left edge
 */
export const stepAt = ({ first, last, width }, left) =>
  first + ((left - LEFT) / (width - LEFT - RIGHT)) * (last - first);
/**
 * The point of a line that is nearest to a step; null where there is none.
 * @param {Point[]} line in the order of its steps
 * @param {number} step
 * @returns {Point | null}
 */
export const nearest = (line, step) => {
  let [low, high] = [0, line.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (line[middle][0] < step) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [line[low - 1], line[low]];
  if (!before || !after) return before ?? after ?? null;
  return step - before[0] < after[0] - step ? before : after;
};
/**
 * At most so many points, in which the lowest and the highest of each part stay, so that no spike is lost.
 * @param {Point[]} line
 * @param {number} most
 * @returns {Point[]}
 */
export const thinned = (line, most) => {
  if (line.length <= most) return line;
  const size = Math.ceil(line.length / Math.max(1, Math.floor(most / 2)));
  const kept = [];
  for (let at = 0; at < line.length; at += size) {
    const part = line.slice(at, at + size);
    const low = part.reduce((one, other) => (other[1] < one[1] ? other : one));
    const high = part.reduce((one, other) => (other[1] > one[1] ? other : one));
    kept.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
  }
  return kept;
};
/**
 * The mean of what came before, in which newer values count more. The first values are not drawn towards 0.
 * @param {Point[]} line
 * @returns {Point[]}
 */
export const smoothed = (line) => {
  let [sum, weight] = [0, 0];
  return line.map(([step, value]) => {
    sum = SMOOTH * sum + (1 - SMOOTH) * value;
    weight = SMOOTH * weight + (1 - SMOOTH);
    return [step, sum / weight];
  });
};
/**
 * A line for a path; broken where a value is no number.
 * @param {Point[]} line
 * @param {Scale} scale
 */
export const pathOf = (line, { x, y }) => {
  let path = "";
  let joins = false;
  for (const [step, value] of line) {
    joins = joins && Number.isFinite(value);
    if (Number.isFinite(value)) path += `${joins ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
    joins = Number.isFinite(value);
  }
  return path;
};
/**
 * A number with four digits that count.
 * @param {number} value
 */
export const shown = (value) => {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 0.001 || size >= 1e7)
    return value
      .toExponential(2)
      .replace(/\.?0+e/, "e")
      .replace("e+", "e")
      .replace("-", "−");
  const digits = Math.max(0, 3 - Math.floor(Math.log10(size)));
  return value.toFixed(Math.min(digits, 4)).replace("-", "−");
};
/**
 * The number beside a line of the grid: as short as it can be.
 * @param {number} value
 */
export const tick = (value) => {
  if (value === 0) return "0";
  if (Math.abs(value) < 0.001 || Math.abs(value) >= 1e6)
    return value.toExponential(1).replace(".0e", "e").replace("e+", "e").replace(/-/g, "−");
  return String(Number(value.toPrecision(4))).replace("-", "−");
};
