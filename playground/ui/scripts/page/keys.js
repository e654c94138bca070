// Ways through the page by the keyboard: links that skip to the texts, the knobs and the dock, the keys that do the same
// from anywhere on Play, and the list of all keys. A key that is typed into a field is text.
import { on, tell } from "./board.js";
import { around, COMMAND, find, findAll, make } from "./dom.js";
import { hostOf } from "./element.js";
import { isWide } from "./screen.js";
import { apply, t } from "./words.js";

const { element } = hostOf("keys");
const list = find(element, "dialog", HTMLDialogElement);
const TYPED = "input:not([type=range], [type=checkbox]), textarea, select, [contenteditable], dialog";
const KEYS = [
  ["K", "skip_knobs"],
  ["/", "key_find"],
  ["I", "skip_dock"],
  [`${COMMAND}↵`, "key_generate"],
  ["Esc", "key_escape"],
  ["?", "keys_title"],
];
const onPlay = () => document.body.dataset.tab === "play";
/**
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
const part = (selector) => document.querySelector(selector);
/** @param {HTMLElement | null | undefined} node */
const isDrawn = (node) => Boolean(node?.offsetParent);
/** @param {HTMLElement | null | undefined} target */
const focus = (target) => {
  if (!target) return;
  if (target.tabIndex < 0) target.tabIndex = -1; // what takes no focus by itself
  target.focus();
  target.scrollIntoView({ block: "nearest" });
};
const openKnobs = () => {
  if (isDrawn(part("#side [name=close]")) || !isDrawn(part("#knobs"))) tell("drawer", true);
};
const toText = () => {
  const copies = part(".card [name=copy]");
  const card = /** @type {HTMLElement | null | undefined} */ (copies?.closest(".card"));
  focus(isDrawn(card) ? copies : part(".compose-kind:not([hidden]) :is(input, textarea)"));
};
const toKnobs = () => {
  openKnobs();
  focus(findAll(document, "#knobs .kn-row:not([hidden]) :is(input, textarea, select)").find(isDrawn));
};
const toSearch = () => {
  openKnobs();
  focus(part("#knobs .kn-find"));
};
const toDock = () => {
  if (isWide()) tell("dock", "inside");
  else part(".wf:not([hidden])")?.scrollIntoView();
  focus(part("#dock .wf:not([hidden]) button, #dock .dock-leaves button"));
};
const show = () => {
  apply(element);
  const lines = KEYS.flatMap(([key, word]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, t(word))]);
  find(list, "dl").replaceChildren(...lines);
  list.showModal();
};
/** @type {Record<string, () => void>} */
const SKIPS = { text: toText, knobs: toKnobs, dock: toDock };
/** @type {Record<string, () => void>} */
const WAYS = { k: toKnobs, "/": toSearch, i: toDock, "?": show };

element.addEventListener("click", (event) => {
  const button = around(event, "button", HTMLButtonElement);
  if (button?.name === "close" || event.target === list) list.close();
  else if (button) SKIPS[button.dataset.skip ?? ""]();
});
document.addEventListener("keydown", (event) => {
  if (around(event, TYPED) || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const way = WAYS[event.key.toLowerCase()];
  if (!way || !(onPlay() || way === show)) return;
  event.preventDefault();
  way();
});
on(
  "place",
  ({ tab }) => {
    find(element, ".skips").hidden = tab !== "play";
  },
  "keys",
);
on("language", () => apply(element), "keys");
apply(element);
