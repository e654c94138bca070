// A card's versions drawn as a tree, with what can be done to them, and what was taken away. Knows no run: what a key or a
// press does stands elsewhere.
import { find, make } from "../page/dom.js";
import { t } from "../page/words.js";
import { makeComparison } from "./comparison.js";
import { factsOf, partingWords, wordsOf } from "./version_words.js";
import { goneRoots, live, mayPrune, numberOf, treeOf, version } from "./versions.js";

/** @typedef {import("./runs").Version} Version */
/** @typedef {import("./runs").Card} Card */

/**
 * The cards whose tree is open; `against` is the id of the version that the shown one is compared with, "auto" or null.
 * @type {WeakMap<Card, {against: string | null}>}
 */
export const openTrees = new WeakMap();
const SHOWN = "[aria-selected=true]";
const DEEPEST = 9; // what grew more often stands no further in

/**
 * @param {Card} card
 * @param {Version} one
 * @param {string} words
 */
const makeWords = (card, one, words) =>
  make(
    "span",
    { class: "twig-words" },
    make("span", { class: "twig-from" }, partingWords(card, one)),
    make("span", { class: "twig-text", dir: "auto" }, words),
  );
/** @param {Card} card @param {{one: Version, depth: number}} twig */
const makeTwig = (card, { one, depth }) => {
  const shown = one.id === card.at;
  return make(
    "div",
    {
      class: "twig",
      role: "treeitem",
      "data-version": one.id,
      "aria-level": depth,
      "aria-selected": String(shown),
      tabindex: shown ? 0 : -1,
      style: `--depth: ${Math.min(depth, DEEPEST) - 1}`,
    },
    make("span", { class: "twig-number" }, String(numberOf(card, one))),
    makeWords(card, one, wordsOf(card, one) || t("compare_ends")),
    make("span", { class: "twig-facts" }, factsOf(one)),
  );
};
/** @param {Card} card */
const makeGone = (card) => {
  const roots = goneRoots(card);
  if (!roots.length) return null;
  const lines = roots.map((one) => {
    const back = { type: "button", class: "quiet strong", name: "bring-back", "data-version": one.id };
    return make("li", {}, makeWords(card, one, wordsOf(card, one)), make("button", back, t("bring_back")));
  });
  const count = card.versions.length - live(card).length;
  return make("details", { class: "gone" }, make("summary", {}, t("pruned", { count })), make("ul", {}, ...lines));
};
/**
 * @param {Card} card
 * @param {boolean} compared
 * @param {boolean} busy
 */
const makeBar = (card, compared, busy) => {
  const button = { type: "button", class: "quiet strong" };
  const compare = { name: "compare", "aria-pressed": String(compared), disabled: live(card).length < 2 };
  const prune = { name: "prune", title: t("prune_hint"), disabled: busy || !mayPrune(card, version(card)) };
  return make(
    "div",
    { class: "twig-bar" },
    make("button", { ...button, ...compare }, t("compare")),
    make("button", { ...button, ...prune }, t("prune")),
  );
};
/** @param {HTMLElement} twigs */
const scrollToShown = (twigs) => {
  const box = /** @type {HTMLElement | null} */ (twigs.querySelector(SHOWN));
  if (!box) return;
  const below = box.offsetTop + box.offsetHeight > twigs.scrollTop + twigs.clientHeight;
  if (box.offsetTop < twigs.scrollTop || below) twigs.scrollTop = box.offsetTop - twigs.clientHeight / 2;
};
/**
 * Whoever used the keyboard in a tree that is drawn anew stays where he was, or on the version that is shown.
 * @param {HTMLElement} tree
 * @param {Element} focused
 */
const focusAgain = (tree, focused) => {
  const name = focused.getAttribute("role") === "treeitem" ? null : focused.getAttribute("name");
  const same = name ? tree.querySelector(`[name="${name}"]:not(:disabled)`) : null;
  const node = /** @type {HTMLElement | null} */ (same ?? tree.querySelector(`.twigs ${SHOWN}`));
  node?.focus({ preventScroll: true });
};
/**
 * Drawn anew with every change of the tree.
 * @param {HTMLElement} tree
 * @param {Card} card
 * @param {boolean} busy a version is being written: nothing may be taken away
 */
export const drawTree = (tree, card, busy) => {
  const open = openTrees.get(card);
  tree.hidden = !open;
  if (!open) return;
  const focused = tree.contains(document.activeElement) ? document.activeElement : null;
  const wasOpen = tree.querySelector(".gone")?.hasAttribute("open");
  const twigs = make(
    "div",
    { class: "twigs", role: "tree", "aria-label": t("versions") },
    ...treeOf(card).map((twig) => makeTwig(card, twig)),
  );
  /** @type {HTMLElement[]} */
  const parts = [twigs, makeBar(card, Boolean(open.against), busy)];
  if (open.against && live(card).length > 1) parts.push(makeComparison(card, open.against));
  const gone = makeGone(card);
  if (gone) {
    gone.open = Boolean(wasOpen);
    parts.push(gone);
  }
  tree.replaceChildren(...parts);
  if (focused) focusAgain(tree, focused);
  scrollToShown(twigs);
};
/**
 * While a version grows: only its own line, so that nothing is taken from under a hand.
 * @param {HTMLElement} tree
 * @param {Card} card
 * @param {Version} one
 */
export const drawTwig = (tree, card, one) => {
  const twig = tree.querySelector(`.twig[data-version="${CSS.escape(one.id)}"]`);
  if (!twig) return;
  find(twig, ".twig-text").textContent = wordsOf(card, one);
  find(twig, ".twig-facts").textContent = factsOf(one);
};
