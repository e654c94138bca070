// Where on the page its visitor is, as the address says behind "#". A browser never sends that part, so no server needs it
// and no log has it. Links, Back and Forward are told as `place`.
import { on, tell } from "./board.js";
import { keep, kept as keptBefore } from "./kept.js";
import { asked, fragmentOf, placeOf, read } from "./place.js";
import { t } from "./words.js";

/** @typedef {import("../topics").Place} Place */

const KEPT = "playground-place"; // for an address that says nothing: logging in loses what stands behind "#"

const query = new URLSearchParams(location.search);
const before = () => {
  const place = keptBefore(KEPT);
  return place ? placeOf(String(place.tab), String(place.kind), String(place.task ?? "")) : null;
};
/** @type {Place} */
let now = read(location.hash) ?? asked(query) ?? before() ?? { tab: "play" };
for (const name of ["tab", "kind", "task"]) query.delete(name);
const rest = String(query) && `?${query}`;

const speak = () => {
  document.title = `${t(`tab_${now.tab}`)} · ${t("title")}`;
};
/** @param {"pushState" | "replaceState"} how */
const write = (how) => {
  try {
    history[how](null, "", `${location.pathname}${rest}${fragmentOf(now)}`);
  } catch {
    // browsers take only so many in a short time: the address stays as it was
  }
  keep(KEPT, now);
};
/**
 * Goes there, leaving the place before for Back, or correcting it with `replace`.
 * @param {Partial<Place>} changes
 * @param {{ replace?: boolean }} [how]
 */
export const go = (changes, { replace = false } = {}) => {
  const before = fragmentOf(now);
  now = { ...now, ...changes };
  if (replace || fragmentOf(now) === before) write("replaceState");
  else write("pushState");
  tell("place", now);
};
/**
 * Goes where a link points.
 * @param {string} fragment
 */
export const open = (fragment) => go(read(fragment) ?? {});
const follow = () => {
  if (location.hash === fragmentOf(now)) return;
  const place = read(location.hash || "#play");
  now = { ...now, ...place }; // what is no place of ours is a mark on the page: it is jumped to, and this place stays
  write("replaceState");
  if (place) tell("place", now);
};
window.addEventListener("popstate", follow);
window.addEventListener("hashchange", follow);
on("language", speak, "address");
on("place", speak, "address"); // also once Gradio has written its own title
write("replaceState");
/** @returns {Place} */
export const here = () => now;
