// The run that is shown, drawn: a card for each of its texts. What is pressed on them stands elsewhere.
import { COMMAND, find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { apply, t } from "../page/words.js";
import { drawAlikeLine } from "./alike_line.js";
import { drawLine, drawRemark } from "./card_line.js";
import { watchRoom } from "./card_room.js";
import { drawSwitch, drawTokens } from "./card_tokens.js";
import { drawBody, makeCard } from "./card_view.js";
import { knownOf } from "./favourites_view.js";
import { AlikeCards } from "./hidden_cards.js";
import { isFavourite, onFavourites } from "./kept_favourites.js";
import { madeHow } from "./made_with.js";
import { promptBefore } from "./prompt_end.js";
import { drawPast, drawTitle, drawWalk } from "./results_bar.js";
import { drawHead } from "./run_head.js";
import { current, shown, shownCard, shownRun } from "./shown_runs.js";
import { live, version } from "./versions.js";
import { drawTree, drawTwig, openTrees } from "./versions_view.js";

/** @typedef {import("./runs").Version} Version */
/** @typedef {import("./card_view.js").CardView} CardView */

const { element } = hostOf("cards");
const grid = find(element, ".card-grid");
/** Of the cards of the run that is shown. @type {CardView[]} */
let views = [];
const alike = new AlikeCards();

/** @param {number} number */
export const viewOf = (number) => views[number];
/** The card whose tokens are shown; the first where it is none of them, -1 where there is no card. */
export const lookedCard = () => {
  if (!views.length) return -1;
  return Math.max(
    0,
    views.findIndex(({ node }) => node.classList.contains("looked")),
  );
};
/** @param {HTMLElement} walk @param {import("./runs").Card} card */
const drawVersions = (walk, card) => {
  const there = live(card);
  const place = there.indexOf(version(card));
  walk.hidden = card.versions.length < 2;
  find(walk, "output").textContent = `${place + 1}/${there.length}`;
  find(walk, "[name=version-back]", HTMLButtonElement).disabled = place === 0;
  find(walk, "[name=version-on]", HTMLButtonElement).disabled = place === there.length - 1;
  find(walk, "[name=tree]").setAttribute("aria-expanded", String(openTrees.has(card)));
};
/** @param {HTMLElement} node @param {Version} one */
const drawStar = (node, one) => {
  const star = find(node, "[name=favourite]", HTMLButtonElement);
  star.disabled = !one.finish || !knownOf(one).text;
  star.setAttribute("aria-pressed", String(!star.disabled && isFavourite(knownOf(one))));
};
/** @param {HTMLElement} place @param {Version} one */
const drawMade = (place, one) => {
  const said = madeHow(one);
  place.hidden = !said;
  place.textContent = said;
};
/** @param {HTMLElement} node @param {Version} one */
const drawTools = (node, one) => {
  const busy = Boolean(shown.growing);
  const can = { edit: one.text || one.edited, continue: one.text, regenerate: true };
  for (const [name, free] of Object.entries(can)) {
    find(node, `[name=${name}]`, HTMLButtonElement).disabled = busy || !free;
  }
};
/**
 * @param {number} number
 * @param {Version | null} [grown] the only one of its versions that has changed
 */
export const drawCard = (number, grown = null) => {
  const card = shownCard(number);
  const view = views[number];
  const one = version(card);
  if (!grown || grown === one) drawBody(view, one, drawTokens);
  drawVersions(view.walk, card);
  drawTools(view.node, one);
  drawStar(view.node, one);
  drawMade(find(view.node, ".card-made"), one);
  drawRemark(find(view.node, ".remark"), one);
  drawLine(find(view.node, ".card-line"), one);
  if (grown) drawTwig(view.tree, card, grown);
  else drawTree(view.tree, card, Boolean(shown.growing));
  drawLooked();
};
export const drawLooked = () => {
  const { looked } = shown;
  for (const [number, view] of views.entries()) {
    const one = version(shownCard(number));
    const seen = Boolean(looked && one.run === looked.run && one.row === looked.row);
    view.node.classList.toggle("looked", seen);
    find(view.node, ".card-number").title = seen ? t("looked_at") : "";
  }
  drawHidden();
};
/** Whether a card is looked at, edited, compared or kept. @param {number} number */
const isInHand = (number) => {
  const { node } = views[number];
  const card = shownCard(number);
  return (
    node.classList.contains("looked") ||
    node.contains(document.activeElement) ||
    Boolean(node.querySelector(".card-edit")) ||
    openTrees.has(card) ||
    isFavourite(knownOf(version(card)))
  );
};
/** Of cards that say nearly the same only the first is to be seen. */
const drawHidden = () => {
  if (!alike.areOf(current())) return; // it is being drawn
  alike.leave(isInHand);
  for (const [number, { node }] of views.entries()) node.hidden = alike.hides(number);
  grid.dataset.count = String(views.filter(({ node }) => !node.hidden).length);
  drawAlikeLine(alike.count, alike.areShown);
};
/** Finds out which do, once nothing is written. */
export const decideHidden = () => {
  alike.decide(current(), Boolean(shown.growing), isInHand);
  drawHidden();
};
/** The cards that are to be seen. */
export const seenCards = () => shownRun().cards.filter((_, number) => !alike.hides(number));
export const drawCards = () => {
  for (const number of views.keys()) drawCard(number);
};
export const drawBodies = () => {
  for (const [number, view] of views.entries()) drawBody(view, version(shownCard(number)), drawTokens);
};
export const drawRun = () => {
  apply(element);
  const run = current();
  const empty = find(element, ".results-empty");
  empty.hidden = Boolean(run) || shown.coming;
  empty.textContent = t("no_results", { key: `${COMMAND}↵` });
  drawWalk();
  drawTitle();
  drawHead();
  drawSwitch();
  const before = promptBefore(run);
  views = run ? run.cards.map((_, number) => makeCard(number, before)) : [];
  grid.replaceChildren(...views.map((view) => view.node));
  grid.dataset.count = String(views.length);
  watchRoom(views.map((view) => view.node));
  drawCards();
  decideHidden();
  drawPast();
};

// What grows takes no room from under a hand: a card is no smaller than it was, until all is written.
/** @param {number} number */
export const lockHeight = (number) => {
  views[number].body.style.minHeight = `${views[number].body.offsetHeight}px`;
};
export const heights = () => views.map((view) => view.body.offsetHeight);
/** @param {number[]} before */
export const keepHeights = (before) => {
  for (const [number, view] of views.entries()) if (before[number]) view.body.style.minHeight = `${before[number]}px`;
};
export const freeHeights = () => {
  for (const view of views) view.body.style.minHeight = "";
};
onFavourites(() => {
  for (const [number, { node }] of views.entries()) drawStar(node, version(shownCard(number)));
  drawHidden();
});
