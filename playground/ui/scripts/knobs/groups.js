// The groups of knobs: those that everybody needs with their rows at once, all others closed under their headings; and
// which of them a search, or "only what is active", leaves, the best first.
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { GROUPS, KNOBS, word } from "./registry.js";
import { icon } from "./row.js";
import { makeRow, rowOf } from "./rows.js";
import { rank, ranked } from "./search.js";
import { spoken } from "./spoken.js";
import { isActive } from "./store.js";

/** @typedef {import("./knob").Knob} Knob */

const { element } = hostOf("knobs");
const body = find(element, ".kn-body");
const none = find(element, ".kn-none");
const subtitle = make("p", { class: "kn-subtitle" });

class Section {
  #made = false;

  /**
   * @param {typeof GROUPS[number]} group
   * @param {Knob[]} knobs
   * @param {boolean} more it can be opened and closed
   */
  constructor(group, knobs, more) {
    this.knobs = knobs;
    this.more = more;
    this.open = !more;
    const name = make("span");
    this.count = make("span", { class: "kn-tally" });
    this.rows = make("div", { class: "kn-rows", id: `kn-${group.id}-${more ? "more" : "basic"}` });
    this.head = more
      ? make(
          "button",
          { class: "kn-heading", type: "button", "aria-controls": this.rows.id },
          icon("caret"),
          name,
          this.count,
        )
      : make("h3", { class: "kn-heading" }, name, this.count);
    if (more) this.head.addEventListener("click", () => this.#toggle());
    this.root = make(
      "section",
      { class: more ? "kn-group kn-more" : "kn-group", "data-group": group.id },
      this.head,
      this.rows,
    );
    spoken(() => {
      name.textContent = say(group.label);
    });
    this.show(this.open);
  }

  #toggle() {
    this.open = Boolean(this.rows.hidden);
    this.show(this.open);
    paintReasons();
  }

  /** @param {boolean} open */
  show(open) {
    if (open) this.make();
    this.rows.hidden = !open;
    if (this.more) this.head.setAttribute("aria-expanded", String(open));
  }

  /** In front of what another element of the page has put here. */
  make() {
    if (this.#made) return;
    this.#made = true;
    this.rows.prepend(...this.knobs.map((knob) => makeRow(knob).root));
  }

  /**
   * Shows only these of its rows, in this order.
   * @param {Knob[]} fitting
   */
  sift(fitting) {
    this.root.hidden = fitting.length === 0;
    const order = [...fitting, ...this.knobs.filter((knob) => !fitting.includes(knob))];
    const nodes = order.map((knob) => rowOf(knob.name)?.root).filter((node) => node !== undefined);
    nodes.forEach((node, at) => {
      node.hidden = at >= fitting.length;
    });
    putInOrder(this.rows, nodes);
  }

  /** How many of its knobs are active. */
  paintCount() {
    const active = this.knobs.filter(isActive).length;
    const all = this.more ? word("tally", { n: this.knobs.length }) : "";
    this.count.textContent = this.more && active ? word("active", { n: active }) : all;
    this.count.classList.toggle("is-active", active > 0);
    return active;
  }
}
/**
 * These nodes first, in this order; nothing is moved that stands right.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} nodes
 */
const putInOrder = (parent, nodes) => {
  nodes.forEach((node, at) => {
    if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at]);
  });
};

const sectionsOf = (/** @type {Knob["level"]} */ level) =>
  GROUPS.map((group) => ({ group, knobs: KNOBS.filter((knob) => knob.group === group.id && knob.level === level) }))
    .filter(({ knobs }) => knobs.length)
    .map(({ group, knobs }) => new Section(group, knobs, level !== "basic"));
const basic = sectionsOf("basic");
const more = sectionsOf("advanced");
const sections = [...basic, ...more];
const inOrder = [...basic.map(({ root }) => root), ...(more.length ? [subtitle] : []), ...more.map(({ root }) => root)];
spoken(() => {
  subtitle.textContent = word("more");
});
body.append(...inOrder);

/** @param {string} name a row that stands in a closed group is made too */
export const madeRowOf = (name) => {
  sections.find(({ knobs }) => knobs.some((knob) => knob.name === name))?.make();
  return rowOf(name);
};

/**
 * @param {string} typed
 * @param {boolean} onlyActive
 */
export const sift = (typed, onlyActive) => {
  const narrowed = typed.trim() !== "" || onlyActive;
  /** @type {(knob: Knob) => number} */
  const rankOf = (knob) => (onlyActive && !isActive(knob) ? Number.POSITIVE_INFINITY : rank(knob, typed));
  const found = sections.map((section) => {
    const fitting = ranked(
      section.knobs.filter((knob) => rankOf(knob) < Number.POSITIVE_INFINITY),
      rankOf,
    );
    return { section, fitting, best: fitting.length ? rankOf(fitting[0]) : Number.POSITIVE_INFINITY };
  });
  for (const { section, fitting } of found) {
    section.show(narrowed ? fitting.length > 0 : section.open);
    section.sift(fitting);
  }
  subtitle.hidden = narrowed;
  none.hidden = found.some(({ fitting }) => fitting.length);
  putInOrder(body, narrowed ? ranked(found, ({ best }) => best).map(({ section }) => section.root) : inOrder);
  paintReasons();
};

/** A reason that neighbours share is shown once, above the first of them. */
export const paintReasons = () => {
  for (const { rows } of sections) {
    const shown = /** @type {HTMLElement[]} */ ([...rows.querySelectorAll(":scope > .kn-row:not([hidden])")]);
    const reasons = shown.map((row) => row.querySelector(".kn-why")?.textContent ?? "");
    shown.forEach((row, at) => {
      const shared = reasons[at] !== "";
      const told = shared && reasons[at - 1] === reasons[at];
      row.classList.toggle("is-told", told);
      row.classList.toggle("says-above", shared && !told && reasons[at + 1] === reasons[at]);
    });
  }
};
/** @returns {number} how many knobs are active */
export const paintCounts = () => sections.reduce((sum, section) => sum + section.paintCount(), 0);
