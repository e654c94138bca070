// The panel of knobs: what stands above the groups, and what is painted anew when. Rows are made once and then only
// painted: focus, scroll and what is being typed or dragged stay as they are when Python sends values, reasons, badges,
// or the page gets another language.
import { on, tell } from "../page/board.js";
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { drawUndoLine } from "../page/undo_line.js";
import * as complaints from "./complaints.js";
import { paintCounts, paintReasons, sift } from "./groups.js";
import { closeHelp } from "./help.js";
import { paintPlaces } from "./places.js";
import { word } from "./registry.js";
import * as replaced from "./replaced.js";
import { allRows, clearErrors, paintNotes, rowOf } from "./rows.js";
import { sayAgain } from "./spoken.js";
import * as store from "./store.js";

const { element, props, trigger, watch } = hostOf("knobs");
const NARROW = 400; // pixels under which the panel stands in a drawer that has a title of its own
const search = find(element, ".kn-find", HTMLInputElement);
const count = find(element, ".kn-count", HTMLButtonElement);
const restore = find(element, ".kn-restore", HTMLButtonElement);
const neutral = find(element, ".kn-neutral", HTMLButtonElement);
const presets = find(element, ".kn-preset select", HTMLSelectElement);
let onlyActive = false;

const showAll = () => {
  if (search.value === "" && !onlyActive) return;
  search.value = "";
  onlyActive = false;
  filter();
  paintState();
};
const paintState = () => {
  for (const row of allRows()) row.paintState();
  count.setAttribute("aria-pressed", String(onlyActive));
  paintPlaces(showAll);
  count.textContent = word("active", { n: paintCounts() });
  count.title = word(onlyActive ? "show_all" : "show_active");
  const changed = store.isChanged();
  find(element, ".kn-changed").textContent = changed ? word("changed") : "";
  restore.disabled = !changed;
};
const paintAll = () => {
  for (const row of allRows()) {
    row.paint(row.value());
    paintNotes(row);
  }
  paintReasons();
  paintState();
};
/**
 * @param {string[]} names the knobs that have another value
 * @param {boolean} byHand one was turned
 */
const paintTurned = (names, byHand) => {
  for (const name of names) {
    const row = rowOf(name);
    row?.clear();
    row?.paint(row.value());
  }
  complaints.turned(names);
  paintState();
  replaced.heardValues(byHand);
};
const paintPresets = () => {
  /** @type {{id: string, title: import("../types").Said}[]} */
  const list = props.presets ?? [];
  const known = list.some(({ id }) => id === props.active_preset);
  presets.replaceChildren(
    ...(known ? [] : [make("option", { value: "" }, "—")]),
    ...list.map(({ id, title }) => make("option", { value: id }, say(title))),
  );
  presets.value = known ? props.active_preset : "";
  tell("preset", presets.value);
  const chosen = list.findIndex(({ id }) => id === presets.value);
  tell("preset_title", list[chosen > 0 ? chosen : -1]?.title ?? null); // the first one is the task's own
  find(element, ".kn-bar-preset").classList.toggle("has-presets", list.length > 0);
};
const speak = () => {
  find(element, ".kn-title").textContent = word("knobs");
  search.placeholder = word("find");
  search.setAttribute("aria-label", word("find_label"));
  find(element, ".kn-preset span").textContent = word("preset");
  restore.textContent = word("restore");
  restore.title = word("restore_hint");
  neutral.textContent = word("neutralize");
  neutral.title = word("neutralize_hint");
  find(element, ".kn-none").textContent = word("none");
};

const filter = () => sift(search.value, onlyActive);
search.addEventListener("input", filter);
search.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || search.value === "") return;
  event.preventDefault();
  event.stopPropagation();
  search.value = "";
  filter();
});
count.addEventListener("click", () => {
  onlyActive = !onlyActive;
  filter();
  paintState();
});
neutral.addEventListener("click", () => {
  clearErrors();
  replaced.awaitOthers();
  store.neutralize();
  replaced.awaitNoMore();
});
restore.addEventListener("click", () => {
  clearErrors();
  replaced.awaitOthers();
  store.restorePreset();
  replaced.awaitNoMore();
});
/** @param {string} id */
const choosePreset = (id) => {
  clearErrors();
  replaced.awaitOthers();
  store.awaitValues();
  trigger("preset", { id });
};
presets.addEventListener("change", () => {
  if (presets.value) choosePreset(presets.value);
});
new ResizeObserver(([{ contentRect }]) => {
  find(element, ".kn").classList.toggle("is-narrow", contentRect.width < NARROW);
}).observe(find(element, ".kn"));

speak();
paintPresets();
store.begin(paintTurned);
paintReasons();
paintState();
complaints.begin();
replaced.begin();
// Other elements of the page may turn a knob, as if by hand, or all of them.
on("wishing", (wishing) => wishing && store.awaitValues(), "knobs");
on("knob", ({ name, value }) => store.turn(name, value), "knobs");
on("preset_wanted", ({ id }) => choosePreset(id), "knobs");
on("replaced", (news) => drawUndoLine(find(element, ".kn-replaced"), news, () => presets.focus()), "knobs");
on(
  "language",
  () => {
    closeHelp();
    sayAgain();
    for (const row of allRows()) row.sayError();
    speak();
    paintPresets();
    paintAll();
    replaced.tellReplaced();
  },
  "knobs",
);
watch(["inert", "badges", "found", "preset_values"], paintAll);
watch(["presets", "active_preset"], () => {
  paintPresets();
  replaced.awaitNoMore();
});
