// Ways through the page by the keyboard: links that skip to the texts, the knobs and the dock, the keys that do the same
// from anywhere on Play, and the list of all keys. A key that is typed into a field is text.
const pg = window.playground;
const list = element.querySelector("dialog");
const WIDE = window.matchMedia("(min-width: 1100px)");
const part = (selector) => document.querySelector(selector);
const onPlay = () => document.body.dataset.tab === "play";

const focus = (target) => {
  if (!target) return;
  if (target.tabIndex < 0) target.tabIndex = -1; // what takes no focus by itself
  target.focus();
  target.scrollIntoView({ block: "nearest" });
};
const openKnobs = () => { if (part("#side [name=close]")?.offsetParent || !part("#knobs")?.offsetParent) pg.tell("drawer", true); };
const go = {
  text: () => focus(part(".card [name=copy]")?.closest(".card")?.offsetParent ? part(".card [name=copy]") : part(".compose-kind:not([hidden]) :is(input, textarea)")),
  knobs: () => { openKnobs(); focus([...document.querySelectorAll("#knobs .kn-row:not([hidden]) :is(input, textarea, select)")].find((one) => one.offsetParent)); },
  find: () => { openKnobs(); focus(part("#knobs .kn-find")); },
  dock: () => { if (WIDE.matches) pg.tell("dock", "inside"); else part(".wf:not([hidden])")?.scrollIntoView(); focus(part("#dock .wf:not([hidden]) button, #dock .dock-leaves button")); },
};
const KEYS = [["K", "skip_knobs"], ["/", "key_find"], ["I", "skip_dock"], [`${pg.command}↵`, "key_generate"], ["Esc", "key_escape"], ["?", "keys_title"]];
const show = () => {
  pg.apply(element);
  list.querySelector("dl").replaceChildren(...KEYS.flatMap(([key, word]) => [
    pg.make("dt", {}, pg.make("kbd", {}, key)), pg.make("dd", {}, pg.t(word)),
  ]));
  list.showModal();
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.name === "close" || event.target === list) list.close();
  else if (button) go[button.dataset.skip]();
});
document.addEventListener("keydown", (event) => {
  const typed = event.target.closest?.("input:not([type=range], [type=checkbox]), textarea, select, [contenteditable], dialog");
  if (typed || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const way = { k: go.knobs, "/": go.find, i: go.dock, "?": show }[event.key.toLowerCase()];
  if (!way || !(onPlay() || way === show)) return;
  event.preventDefault();
  way();
});
pg.on("place", ({ tab }) => { element.querySelector(".skips").hidden = tab !== "play"; }, "keys");
pg.on("language", () => pg.apply(element), "keys");
pg.apply(element);
