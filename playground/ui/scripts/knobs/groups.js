// The groups of knobs, each once: the rows that everybody needs at once, its others closed under a line below them; groups
// that have no others closed under their headings. And which of them a search, or "only what is active", leaves, the best
// first.
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
   * @param {boolean} inner it is the rest of a group whose first knobs stand above it
   */
  constructor(group, knobs, more, inner = false) {
    this.knobs = knobs;
    this.more = more;
    this.inner = inner;
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
      : make("h3", { class: "kn-heading", tabindex: "-1" }, name, this.count);
    if (more) this.head.addEventListener("click", () => this.#toggle());
    this.root = make(
      "section",
      { class: `kn-group${more ? " kn-more" : ""}${inner ? " kn-inner" : ""}`, "data-group": group.id },
      this.head,
      this.rows,
    );
    spoken(() => {
      const label = say(group.label);
      name.textContent = inner ? word("more_of", { n: knobs.length }) : label;
      if (inner) this.head.setAttribute("aria-label", word("more_of_group", { label, n: knobs.length }));
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
    const all = this.more && !this.inner ? word("tally", { n: this.knobs.length }) : "";
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

/** @param {typeof GROUPS[number]} group */
const groupOf = (group) => {
  const mine = KNOBS.filter((knob) => knob.group === group.id);
  const [first, rest] = [mine.filter(({ level }) => level === "basic"), mine.filter(({ level }) => level !== "basic")];
  const parts = first.length ? [new Section(group, first, false)] : [];
  if (rest.length) parts.push(new Section(group, rest, true, first.length > 0));
  if (parts.length > 1) parts[0].root.append(parts[1].root);
  return { label: group.label, parts, isBasic: first.length > 0 };
};
/** @typedef {ReturnType<typeof groupOf>} Group */
const groups = GROUPS.map(groupOf).filter(({ parts }) => parts.length);
const sections = groups.flatMap(({ parts }) => parts);
/** @param {Group} group */
const rootOf = ({ parts }) => parts[0].root;
const more = groups.filter(({ isBasic }) => !isBasic).map(rootOf);
const inOrder = [...groups.filter(({ isBasic }) => isBasic).map(rootOf), ...(more.length ? [subtitle] : []), ...more];
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
  /** @param {Section} section */
  const siftOne = (section) => {
    const fitting = ranked(
      section.knobs.filter((knob) => rankOf(knob) < Number.POSITIVE_INFINITY),
      rankOf,
    );
    section.show(narrowed ? fitting.length > 0 : section.open);
    section.sift(fitting);
    return { section, best: fitting.length ? rankOf(fitting[0]) : Number.POSITIVE_INFINITY };
  };
  const found = groups.map((group) => {
    const parts = group.parts.map(siftOne);
    const best = Math.min(...parts.map((part) => part.best));
    const root = rootOf(group);
    root.hidden = best === Number.POSITIVE_INFINITY;
    if (parts.length > 1) {
      const [first, rest] = parts;
      const nodes = [first.section.rows, rest.section.root];
      putInOrder(root, [first.section.head, ...(narrowed && rest.best < first.best ? nodes.reverse() : nodes)]);
    }
    return { root, best };
  });
  body.classList.toggle("is-narrowed", narrowed);
  subtitle.hidden = narrowed;
  none.hidden = found.some(({ root }) => !root.hidden);
  putInOrder(body, narrowed ? ranked(found, ({ best }) => best).map(({ root }) => root) : inOrder);
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
/** How many knobs of each group are active, of those that have any. */
export const activeGroups = () =>
  groups
    .map((group) => ({ group, active: group.parts.flatMap(({ knobs }) => knobs).filter(isActive).length }))
    .filter(({ active }) => active);
/** Goes where a group stands, and opens it where an active knob of it would be hidden. @param {Group} group */
export const goToGroup = ({ parts }) => {
  const folded = parts.find((part) => part.more && part.knobs.some(isActive));
  if (folded) {
    folded.open = true;
    folded.show(true);
    paintReasons();
  }
  parts[0].root.scrollIntoView({ block: "start" });
  parts[0].head.focus({ preventScroll: true });
};
