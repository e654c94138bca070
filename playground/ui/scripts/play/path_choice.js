// The choice between the exact and the fast path, and how close the fast one is; a part of the composer's buttons (act.js).
// What was chosen by hand is kept by the browser, for this tab and for new ones; until then the server's own wish counts.
import { on, tell } from "../page/board.js";
import { around, find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { keep, kept, store, stored } from "../page/kept.js";
import { language, say } from "../page/language.js";
import { t } from "../page/words.js";

/** @typedef {import("../topics").Topics["path"]} Path */
/** @typedef {import("../server").FastPath} FastPath */

const { element, props, trigger, watch } = hostOf("act");
const FOR_ALL = "playground-path";
const FOR_TAB = "playground-tab-path";
const root = find(element, ".path");
const facts = find(root, ".path-facts");
const close = find(root, "[name=close]");

/** @param {unknown} word @returns {word is Path} */
const isPath = (word) => word === "exact" || word === "fast";
const before = kept(FOR_TAB) ?? stored(FOR_ALL);
/** @type {Path} */
let chosen = isPath(before) ? before : props.value.path;
/** What the server says of it, once the model is loaded. @type {FastPath | null} */
let fast = null;
let searching = false; // with beams

const isOffered = () => !fast?.why_not;
const put = () => {
  props.value = { path: chosen };
  trigger("path"); // some knobs act on one path only
};
/** @param {Path} path */
const choose = (path) => {
  if (path === "fast" && !isOffered()) return;
  chosen = path;
  put();
  store(FOR_ALL, path);
  keep(FOR_TAB, path);
  draw();
};
const means = () => {
  if (fast?.why_not) return say(fast.why_not);
  if (searching) return t("path_beams");
  if (chosen === "exact") return t("path_exact_means");
  if (!fast) return "";
  const { weights, change } = fast;
  return change ? t("path_fast_measured", { weights, change }) : t("path_fast_means", { weights });
};
const drawFacts = () => {
  close.hidden = !fast || !isOffered();
  if (!isOffered()) facts.hidden = true;
  close.setAttribute("aria-expanded", String(!facts.hidden));
  const lines = (fast?.facts ?? []).map(({ label, value }) =>
    make("div", {}, make("dt", {}, say(label)), make("dd", {}, say(value))),
  );
  find(facts, "dl").replaceChildren(...lines);
  find(facts, "p").textContent = (fast?.notes ?? []).map(say).join(language() === "zh" ? "" : " ");
};
/** @param {boolean} [beams] whether the knobs ask for a search */
export const draw = (beams = searching) => {
  searching = beams;
  tell("path", isOffered() ? chosen : "exact"); // what the whole page writes on, where no beams search
  const shown = isOffered() && !searching ? chosen : "exact";
  for (const button of findAll(root, "[data-path]")) {
    const isShown = button.dataset.path === shown;
    button.setAttribute("aria-checked", String(isShown));
    button.tabIndex = isShown ? 0 : -1;
    button.hidden = button.dataset.path === "fast" && !isOffered();
  }
  find(root, ".path-means").textContent = means();
  drawFacts();
};

root.addEventListener("click", (event) => {
  const path = around(event, "[data-path]")?.dataset.path;
  if (isPath(path)) choose(path);
  if (!around(event, "[name=close]")) return;
  facts.hidden = !facts.hidden;
  draw();
});
root.addEventListener("keydown", (event) => {
  const button = around(event, "[data-path]");
  if (!button || !/^Arrow/.test(event.key)) return;
  event.preventDefault();
  choose(button.dataset.path === "exact" ? "fast" : "exact");
  find(root, "[data-path][aria-checked=true]").focus();
});
// Gradio may set an element back to what it was when the page came: then the choice is put in force again.
watch("value", () => {
  if (props.value?.path !== chosen) put();
});
on(
  "server",
  (status) => {
    fast = status.fast ?? null;
    draw();
  },
  "paths",
);
on(
  "connection",
  ({ again }) => {
    if (again) put(); // what has no effect was asked of nobody meanwhile
  },
  "paths",
);
put();
