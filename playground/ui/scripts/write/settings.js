// The numbers of the form, which are those of the browser, whatever draft is open.
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { seedOf, seedText, wholeNumber } from "../page/typed_numbers.js";
import { keepSettings as keep, keptSettings } from "./kept_drafts.js";

const { element, props } = hostOf("write");
export const NUMBERS = ["n", "length", "room"];
/** @param {string} name */
const field = (name) => find(element, `[name=${name}]`, HTMLInputElement);

/** @param {string} name */
export const numberOf = (name) => wholeNumber(field(name).value);
/** −1 draws anew. */
export const seed = () => seedOf(field("seed").value);
export const withKnobs = () => field("knobs").checked;
export const keepSettings = () => {
  const usable = NUMBERS.filter((one) => Number(numberOf(one)) > 0);
  keep({ ...Object.fromEntries(usable.map((one) => [one, numberOf(one)])), seed: field("seed").value });
};
/** Somebody has left the field of the seed. */
export const settleSeed = () => {
  field("seed").value = seedText(field("seed").value);
  keepSettings();
};
/** @param {number | string} chosen "" opens the lock */
export const lockSeed = (chosen) => {
  field("seed").value = String(chosen);
  keepSettings();
};
/** As they were left. */
export const fillSettings = () => {
  const { candidates, length, room } = props.usual;
  /** @type {Record<string, any>} */
  const chosen = { n: candidates, length, room, seed: "", ...keptSettings() };
  for (const name of [...NUMBERS, "seed"]) field(name).value = chosen[name];
};
