// What the chosen model would take of this machine's memory, in a sentence and as a bar.
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language } from "../page/language.js";
import { bytes, number } from "../page/numbers.js";
import { t } from "../page/words.js";
import { barParts, verdict } from "./memory.js";

/** @typedef {import("../server").Estimate} Estimate */

const { element } = hostOf("model");
/** @type {Estimate | null} */
let shown = null;
let asking = false;

/** @param {Estimate} estimate */
const verdictWords = (estimate) => {
  const { fits, lacks } = verdict(estimate);
  const amounts = { need: bytes(estimate.need), free: bytes(estimate.free), lacks: bytes(lacks) };
  return [
    t(fits === "yes" ? "model_fits" : `model_fits_${fits}`, amounts),
    estimate.download ? t("model_downloads", { size: bytes(estimate.download) }) : "",
    estimate.basis === "catalogue" ? t("model_basis_catalogue") : "",
  ]
    .filter(Boolean)
    .join(language() === "zh" ? "" : " ");
};
/** @param {Estimate} estimate */
const drawBar = (estimate) => {
  const parts = barParts(estimate).map(({ part, size, share }) => {
    const words = t(`model_part_${part}`, { context: number(estimate.context) });
    return { part, share, words: `${words} ${bytes(size)}` };
  });
  const bar = find(element, ".memory-bar");
  bar.hidden = parts.length === 0 || ["unknown", "engine"].includes(estimate.basis);
  bar.setAttribute("aria-label", parts.map(({ words }) => words).join(", "));
  bar.replaceChildren(...parts.map(({ part, share }) => make("i", { class: part, style: `flex-grow:${share}` })));
  find(element, ".memory-parts").replaceChildren(
    ...(bar.hidden ? [] : parts.map(({ part, words }) => make("li", { class: part }, words))),
  );
};
export const drawEstimate = () => {
  const part = find(element, ".model-estimate");
  part.hidden = !shown && !asking;
  const line = find(part, "p");
  const said = asking ? t("model_estimates") : shown ? verdictWords(shown) : "";
  if (line.textContent !== said) line.textContent = said;
  part.classList.toggle("over", Boolean(shown && !asking && verdict(shown).fits === "no"));
  part.classList.toggle("asking", asking);
  if (shown) drawBar(shown);
};
/** It is asked for; what stands there is of an earlier choice. */
export const expectEstimate = () => {
  asking = true;
  drawEstimate();
};
/** @param {Estimate | null} estimate */
export const showEstimate = (estimate) => {
  shown = estimate;
  asking = false;
  drawEstimate();
};
