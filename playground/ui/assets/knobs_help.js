// The help of a knob: one popover for the whole panel, opened by hover, focus, click or touch.
// Runs inside the same function as knobs.js.

let helped = null;
let pinned = false;
let waiting = 0;

function writeHelp(knob) {
  const box = part("help");
  const title = h("p", "kn-help-title");
  title.textContent = say(knob.label);
  if (say(knob.label) !== knob.name) title.append(Object.assign(h("code"), { textContent: knob.name }));
  const text = Object.assign(h("p"), { textContent: say(knob.help) });
  const formula = Object.assign(h("p", "kn-formula"), { textContent: knob.formula });
  const facts = h("dl");
  const fact = (word, content) => {
    if (!content) return;
    facts.append(Object.assign(h("dt"), { textContent: say(word) }), Object.assign(h("dd"), { textContent: content }));
  };
  fact(WORDS.range, say(knob.range));
  fact(WORDS.neutral, neutralText(knob));
  if (knob.needs) fact(WORDS.master, knob.needs);
  const places = Object.entries(knob.elsewhere);
  fact(WORDS.elsewhere, places.map(([engine, name]) => `${engine}: ${name}`).join("\n"));
  fact(WORDS.source, knob.source);
  box.replaceChildren(title, text, ...(knob.formula ? [formula] : []), facts);
}

function neutralText(knob) {
  const value = knob.neutral;
  if (typeof value === "boolean") return say(value ? WORDS.on : WORDS.off);
  if (typeof value === "number") return String(value);
  if (value === "" || same(value, []) || same(value, {})) return say(WORDS.empty);
  if (Array.isArray(value)) return value.map((item) => (typeof item === "string" ? showText(item) : String(item))).join("  ");
  return knob.choice_labels[value] ? say(knob.choice_labels[value]) : String(value);
}

/** Left of the panel where there is room, else below the row, else above it. */
function placeHelp(row) {
  const box = part("help");
  const panel = element.getBoundingClientRect();
  const line = row.root.querySelector(".kn-label").getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const beside = panel.left - width - 12;
  const left = beside >= 8 ? beside : Math.min(Math.max(8, line.left), innerWidth - width - 8);
  let top = beside >= 8 ? line.top - 8 : line.bottom + 4;
  if (top + height > innerHeight - 8) top = beside >= 8 ? innerHeight - 8 - height : line.top - height - 4;
  box.style.left = `${left}px`;
  box.style.top = `${Math.max(8, top)}px`;
}

function openHelp(row) {
  clearTimeout(waiting);
  if (helped !== row) closeHelp();
  helped = row;
  writeHelp(row.knob);
  const box = part("help");
  box.id = `${uid}-help`;
  if (!box.matches(":popover-open")) box.showPopover();
  placeHelp(row);
  const button = row.root.querySelector(".kn-q");
  button.setAttribute("aria-expanded", "true");
  button.setAttribute("aria-describedby", box.id);
}

function closeHelp() {
  clearTimeout(waiting);
  pinned = false;
  if (!helped) return;
  const button = helped.root.querySelector(".kn-q");
  button.setAttribute("aria-expanded", "false");
  button.removeAttribute("aria-describedby");
  helped = null;
  const box = part("help");
  if (box.matches(":popover-open")) box.hidePopover();
}

function soon(act, wait) {
  clearTimeout(waiting);
  waiting = setTimeout(act, wait);
}

function wireHelp(row, label, button) {
  label.addEventListener("pointerenter", (event) => {
    if (event.pointerType === "mouse" && !pinned) soon(() => openHelp(row), 350);
  });
  label.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && !pinned) soon(closeHelp, 200);
  });
  button.addEventListener("focus", () => { if (button.matches(":focus-visible")) openHelp(row); });
  button.addEventListener("blur", closeHelp);
  button.addEventListener("click", () => {
    if (helped === row && pinned) return closeHelp();
    openHelp(row);
    pinned = true;
  });
}

const openedHelp = () => part("help").matches(":popover-open");

function wirePopover() {
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !openedHelp()) return;
    event.stopPropagation();
    closeHelp();
  });
  part("help").addEventListener("pointerenter", () => clearTimeout(waiting));
  part("help").addEventListener("pointerleave", () => { if (!pinned) soon(closeHelp, 200); });
  document.addEventListener("pointerdown", (event) => {
    if (openedHelp() && !part("help").contains(event.target) && !event.target.closest?.(".kn-q")) closeHelp();
  });
  document.addEventListener("scroll", (event) => {
    if (helped && event.target !== part("help")) closeHelp();
  }, { capture: true, passive: true });
}
