// The seed among the composer's buttons: typed, or kept by its lock. It reads what is typed as the row of the panel does.
import data from "playground/data/knobs.js";
import { parseNumber } from "../knobs/number_text.js";
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { seedText } from "../page/typed_numbers.js";
import { t } from "../page/words.js";

const { element } = hostOf("act");
const field = find(element, "[name=seed]", HTMLInputElement);
const knob = data.knobs.find(({ name }) => name === "seed");
let seed = -1;
let wrong = false;

/** The typed seed; −1 for none, undefined where it is not allowed. */
const read = () => (field.value.trim() === "" ? -1 : knob && parseNumber(knob, field.value));
const mark = () => {
  wrong = read() === undefined;
  field.toggleAttribute("aria-invalid", wrong);
  return wrong;
};
/** What is wrong with what was typed; "" where nothing is. */
export const seedError = () => (wrong ? t("seed_needs", { range: say(knob?.range) }) : "");
/** Whether the seed must be mended first, where it can be: nobody wants a run with another one than was typed. */
export const asksForSeed = () => {
  const asks = wrong && field.offsetParent !== null;
  if (asks) field.focus();
  return asks;
};
/**
 * Shows the seed; what is being typed stays.
 * @param {number} now
 */
export const drawSeed = (now) => {
  seed = now;
  if (document.activeElement === field || wrong) return;
  field.value = seedText(String(now));
};
/**
 * @param {(seed: number) => void} take
 * @param {() => void} draw is called where something is wrong, or is no more
 */
export const beginSeed = (take, draw) => {
  field.addEventListener("input", () => {
    const before = wrong;
    const typed = mark() ? undefined : read();
    if (typed !== undefined && typed !== seed) take(typed);
    if (wrong !== before) draw();
  });
  field.addEventListener("blur", () => {
    if (!wrong) field.value = seedText(String(seed));
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !wrong) return;
    event.preventDefault();
    field.value = seedText(String(seed));
    mark();
    draw();
  });
};
