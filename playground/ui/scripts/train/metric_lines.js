// The lines of a training's curves: which points each has, and all of them as a table. Pure: knows no page.

/** @typedef {import("./plot_scale.js").Point} Point */
/** A line as the server tells it (run_watch.py): some of these, by step. @typedef {Record<string, number | null>} Metric */

export const COLUMNS = [
  "step",
  "epoch",
  "loss",
  "validation_loss",
  "token_accuracy",
  "perplexity",
  "learning_rate",
  "gradient_norm",
  "tokens_per_second",
  "memory",
];
/**
 * The points of one figure in the order of their steps.
 * @param {Metric[]} metrics
 * @param {string} name
 * @returns {Point[]}
 */
export const pointsOf = (metrics, name) => {
  /** @type {Point[]} */
  const found = [];
  for (const one of metrics) {
    const value = one[name];
    if (typeof value === "number" && typeof one.step === "number") found.push([one.step, value]);
  }
  return found;
};
/**
 * All figures as CSV, one row a step.
 * @param {Metric[]} metrics
 */
export const csvOf = (metrics) => {
  /** @type {Map<number, Metric>} */
  const rows = new Map();
  for (const one of metrics) {
    const step = Number(one.step);
    rows.set(step, { ...rows.get(step), ...one });
  }
  const lines = [...rows.keys()]
    .sort((one, other) => one - other)
    .map((step) => COLUMNS.map((name) => rows.get(step)?.[name] ?? "").join(","));
  return `${[COLUMNS.join(","), ...lines].join("\r\n")}\r\n`;
};
