// The plots of one training, and of several over one another.
import { t } from "../page/words.js";
import { pointsOf } from "./metric_lines.js";
import { Plot } from "./plot.js";
import { smoothed } from "./plot_scale.js";

/** @typedef {import("./metric_lines.js").Metric} Metric */
/** @typedef {import("./plot_scale.js").Point} Point */
/** @typedef {{ name: string, look: number, dots?: boolean }} Series */

const SMOOTHED = 20; // points from which a noisy line has a smoothed one before it
/** What each plot shows. @type {{ title: string, from?: number, series: Series[] }[]} */
const KINDS = [
  {
    title: "loss",
    series: [
      { name: "loss", look: 1 },
      { name: "validation_loss", look: 2, dots: true },
    ],
  },
  { title: "accuracy", series: [{ name: "token_accuracy", look: 2, dots: true }] },
  { title: "rate", from: 0, series: [{ name: "learning_rate", look: 1 }] },
  { title: "gradient", from: 0, series: [{ name: "gradient_norm", look: 1 }] },
  { title: "speed", from: 0, series: [{ name: "tokens_per_second", look: 1 }] },
];
/**
 * @param {Metric[]} metrics
 * @param {Series} series
 * @returns {import("./plot.js").Line[]}
 */
const linesOf = (metrics, { name, look, dots }) => {
  const points = pointsOf(metrics, name);
  const label = t(`train_series_${name}`);
  if (name !== "loss" || points.length < SMOOTHED) return [{ label, points, look, dots }];
  return [
    { label, points, look, faint: true },
    { label: t("train_series_smooth"), points: smoothed(points), look },
  ];
};

/** The plots of one training, in their place. */
export class TrainingPlots {
  #plots = KINDS.map((kind) => ({ kind, plot: new Plot(() => t(`train_plot_${kind.title}`), { from: kind.from }) }));
  /** @param {HTMLElement} place */
  constructor(place) {
    place.replaceChildren(...this.#plots.map(({ plot }) => plot.node));
  }
  /** @param {Metric[]} metrics */
  show(metrics) {
    for (const { kind, plot } of this.#plots) plot.show(kind.series.flatMap((one) => linesOf(metrics, one)));
  }
}

/** Of several trainings: each has a line in every plot. */
export class ComparedPlots {
  /** @type {[string, Plot][]} */
  #plots = [
    ["validation_loss", new Plot(() => t("train_plot_validation"))],
    ["loss", new Plot(() => t("train_plot_training"))],
    ["token_accuracy", new Plot(() => t("train_plot_accuracy"))],
  ];
  /** @param {HTMLElement} place */
  constructor(place) {
    place.replaceChildren(...this.#plots.map(([, plot]) => plot.node));
  }
  /** @param {{ name: string, curves: Record<string, Point[]> }[]} trainings */
  show(trainings) {
    for (const [name, plot] of this.#plots) {
      plot.show(
        trainings.map(({ name: label, curves }, at) => {
          const points = curves[name] ?? [];
          return { label, look: at + 1, points: name === "loss" ? smoothed(points) : points, dots: name !== "loss" };
        }),
      );
    }
  }
}
