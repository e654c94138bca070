// Where on the page its visitor is, as the address says behind "#": the tab, and on Play the kind and the task. A browser
// never sends that part, so no server needs it and no log has it. Links, Back and Forward are told as `place`.
import { on, tell } from "./board.js";
import { keep, kept as keptBefore } from "./kept.js";
import { t } from "./words.js";

const KEPT = "playground-place"; // for an address that says nothing: logging in loses what stands behind "#"
const TABS = ["play", "write", "read", "batch", "model"];
const KINDS = { task: "task", complete: "prompt", chat: "question", talk: "conversation" };
const LONGEST = 100; // characters of a task's id

const kindNamed = (word) => Object.keys(KINDS).find((kind) => word === kind || word === KINDS[kind]);
const decoded = (part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
};
/** {tab, kind, task} of such words, without what they do not name; null where there is no such tab. */
const placeOf = (tab, word, task) => {
  const kind = kindNamed(word);
  if (!TABS.includes(tab)) return null;
  if (tab !== "play" || !kind) return { tab };
  return kind === "task" && task && task.length <= LONGEST ? { tab, kind, task } : { tab, kind };
};
const read = (fragment) => placeOf(...fragment.slice(1).split("/").map(decoded));
const fragmentOf = ({ tab, kind, task }) => {
  if (tab !== "play" || !kind) return `#${tab}`;
  return `#play/${KINDS[kind]}${kind === "task" && task ? `/${encodeURIComponent(task)}` : ""}`;
};

const query = new URLSearchParams(location.search);
const asked = () =>
  placeOf(
    query.get("tab") ?? (query.has("task") || query.has("kind") ? "play" : ""),
    query.get("kind") ?? (query.has("task") ? "task" : ""),
    query.get("task"),
  );
const before = () => {
  const place = keptBefore(KEPT);
  return place ? placeOf(String(place.tab), String(place.kind), String(place.task ?? "")) : null;
};
let now = read(location.hash) ?? asked() ?? before() ?? { tab: "play" };
for (const name of ["tab", "kind", "task"]) query.delete(name);
const rest = String(query) && `?${query}`;

const speak = () => {
  document.title = `${t(`tab_${now.tab}`)} · ${t("title")}`;
};
const write = (how) => {
  try {
    history[how](null, "", `${location.pathname}${rest}${fragmentOf(now)}`);
  } catch {
    /* browsers take only so many in a short time: the address stays as it was */
  }
  keep(KEPT, now);
};
/** Goes there, leaving the place before for Back, or correcting it with `replace`. */
export const go = (changes, { replace = false } = {}) => {
  const before = fragmentOf(now);
  now = { ...now, ...changes };
  if (replace || fragmentOf(now) === before) write("replaceState");
  else write("pushState");
  tell("place", now);
};
/** Goes where a link points. */
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
