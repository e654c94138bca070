// The fold with the favourites at the end of the results, and what there is to keep of a card's text. Knows no card.
import { copy, find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { t } from "../page/words.js";
import { answerOf } from "./answer.js";
import { MOST } from "./favourites.js";
import { now } from "./form_now.js";
import { favourites, onFavourites, removeFavourite, wasTaken } from "./kept_favourites.js";

/** @typedef {import("./favourites.js").Favourite} Favourite */
/** @typedef {import("./runs").Run} Run */
/** @typedef {import("./runs").Version} Version */

const TOLD = 1200; // milliseconds
const { element } = hostOf("cards");
const fold = find(element, ".favourites", HTMLDetailsElement);
const list = find(fold, "ul");

/** By what it is known again. @param {Version} one */
export const knownOf = (one) => ({ text: answerOf(one).trim(), seed: one.seed ?? null });
/** Here, not in Greenwich. */
const today = () => {
  const date = new Date();
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
};
/**
 * @param {Run} run
 * @param {Version} one
 * @returns {Favourite}
 */
export const favouriteOf = ({ about, example }, one) => ({
  ...knownOf(one),
  task: example ? now.form.task?.title : about?.title,
  kind: example ? "task" : (about?.kind ?? null),
  model: example?.model ?? about?.model ?? "",
  day: today(),
});

/** @param {Favourite} one */
const wordsOf = ({ task, kind, model, seed, day }) => {
  const locale = language() === "zh" ? "zh-CN" : "en-GB";
  const date = day && new Date(`${day}T12:00`).toLocaleDateString(locale, { dateStyle: "medium" });
  const from = say(task) || (kind ? t(`kind_${kind}`) : "");
  return [from, model, seed === null ? "" : t("card_seed", { count: seed }), date].filter(Boolean);
};
/** @param {HTMLElement} button @param {string} text */
const copyText = async (button, text) => {
  await copy(text);
  button.textContent = t("copied");
  setTimeout(() => {
    button.textContent = t("copy");
  }, TOLD);
};
/**
 * Whoever uses the keyboard goes on with what stands in its place.
 * @param {Favourite} one
 * @param {number} at
 */
const remove = (one, at) => {
  removeFavourite(one);
  const next = list.children[Math.min(at, list.children.length - 1)];
  /** @type {HTMLElement | null | undefined} */
  const place = next?.querySelector("[name=favourite-remove]");
  if (place) place.focus({ preventScroll: true });
  else find(element, ".results-head").querySelector("button")?.focus({ preventScroll: true });
};
/** @param {Favourite} one @param {number} at */
const makeItem = (one, at) => {
  const quiet = { type: "button", class: "quiet" };
  const copyButton = make("button", { ...quiet, name: "favourite-copy" }, t("copy"));
  copyButton.addEventListener("click", () => copyText(copyButton, one.text));
  const removeButton = { ...quiet, name: "favourite-remove", onclick: () => remove(one, at) };
  return make(
    "li",
    {},
    make("p", { class: "favourite-text", dir: "auto" }, one.text),
    make(
      "div",
      { class: "favourite-line" },
      make("span", { class: "favourite-from" }, ...wordsOf(one).map((part) => make("bdi", {}, part))),
      copyButton,
      make("button", removeButton, t("favourite_remove")),
    ),
  );
};
export const drawFavourites = () => {
  const all = favourites();
  fold.hidden = !all.length && wasTaken();
  if (!wasTaken()) fold.open = true;
  find(fold, "summary").textContent = t("favourites", { count: all.length });
  find(fold, ".favourites-where").textContent = t("favourites_where", { most: MOST });
  const full = find(fold, ".favourites-full");
  full.hidden = wasTaken();
  full.textContent = full.hidden ? "" : t("user_task_full");
  list.replaceChildren(...all.map(makeItem));
};
onFavourites(drawFavourites);
