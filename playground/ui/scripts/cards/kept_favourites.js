// The favourites in this browser, for all its tabs: what one keeps or removes, the others hear. Knows no drawing.
import { store, stored } from "../page/kept.js";
import { has, readFavourites, withOne, without } from "./favourites.js";

/** @typedef {import("./favourites.js").Favourite} Favourite */
/** @typedef {import("./favourites.js").Known} Known */

const KEY = "playground-favourites";
/** @type {Set<() => void>} */
const listeners = new Set();
/** Newest first. */
let list = readFavourites(stored(KEY));
/** Whether the browser took the last change. */
let isTaken = true;

export const favourites = () => list;
export const wasTaken = () => isTaken;
/** @param {Known} one */
export const isFavourite = (one) => has(list, one);
/** @param {() => void} listener is told of every change, also of another tab's */
export const onFavourites = (listener) => listeners.add(listener);

const tell = () => {
  for (const listener of listeners) listener();
};
/** What another tab has kept meanwhile stays. @param {(before: Favourite[]) => Favourite[]} how */
const change = (how) => {
  const next = how(readFavourites(stored(KEY)));
  isTaken = store(KEY, JSON.stringify(next));
  if (isTaken) list = next;
  tell();
};
/** @param {Favourite} one */
export const keepFavourite = (one) => change((before) => withOne(before, one));
/** @param {Known} one */
export const removeFavourite = (one) => change((before) => without(before, one));

window.addEventListener("storage", ({ key }) => {
  if (key !== KEY && key !== null) return; // null: all was cleared
  list = readFavourites(stored(KEY));
  isTaken = true;
  tell();
});
