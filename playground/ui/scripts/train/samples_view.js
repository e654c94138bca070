// What the same prompts become at each evaluation: by the base, and by what has been learned so far, side by side.
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { number } from "../page/numbers.js";
import { t } from "../page/words.js";

/** @typedef {import("../training").Sample} Sample */

const { element } = hostOf("train");
/** @type {Sample[]} */
let samples = [];
/** Which is looked at; the newest, as long as the reader has not gone back. @type {number | null} */
let chosen = null;

const now = () => Math.min(chosen ?? samples.length - 1, samples.length - 1);
/** @param {string} label @param {string} text @param {string} [kind] */
const column = (label, text, kind = "") =>
  make(
    "div",
    { class: `train-text ${kind}` },
    make("b", {}, label),
    make("p", { dir: "auto" }, text.trim() || t("train_text_none")),
  );
export const drawSamples = () => {
  const place = find(element, ".train-samples");
  place.hidden = samples.length === 0;
  if (!samples.length) return;
  const { step, texts } = samples[now()];
  const counts = { step: number(step), at: number(now() + 1), all: number(samples.length) };
  find(place, ".train-sample-step").textContent = t("train_sample_at", counts);
  find(place, "[name=earlier]", HTMLButtonElement).disabled = now() === 0;
  find(place, "[name=later]", HTMLButtonElement).disabled = now() === samples.length - 1;
  find(place, ".train-texts").replaceChildren(
    ...texts.map(({ prompt, wanted, base, learned }) =>
      make(
        "div",
        { class: "train-sample" },
        make("p", { class: "train-sample-prompt", dir: "auto", title: t("train_prompt") }, prompt),
        column(t("train_text_base"), base),
        column(t("train_text_learned", { step: number(step) }), learned, "learned"),
        column(t("train_wanted"), wanted, "wanted"),
      ),
    ),
  );
};
/** @param {Sample[]} all */
export const showSamples = (all) => {
  samples = all;
  drawSamples();
};
/** Another training's: the newest is shown. */
export const beginSamples = () => {
  [samples, chosen] = [[], null];
  drawSamples();
};
/** @param {number} by */
export const turnSamples = (by) => {
  const to = Math.min(Math.max(now() + by, 0), samples.length - 1);
  chosen = to === samples.length - 1 ? null : to;
  drawSamples();
};
