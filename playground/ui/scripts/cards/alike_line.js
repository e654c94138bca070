// The line under the cards that says how many are hidden since they say nearly the same, with the button that shows them.
// Knows no card.
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { t } from "../page/words.js";

const { element } = hostOf("cards");
const line = find(element, ".results-alike");

/** @param {number} count @param {boolean} areShown */
export const drawAlikeLine = (count, areShown) => {
  line.hidden = !count;
  const said = count ? t(areShown ? "alike_shown" : "alike_hidden", { count }) : "";
  const text = find(line, "span");
  if (text.textContent !== said) text.textContent = said;
  const button = find(line, "[name=alike]");
  button.textContent = t(areShown ? "alike_hide" : "alike_show");
  button.setAttribute("aria-expanded", String(areShown));
};
