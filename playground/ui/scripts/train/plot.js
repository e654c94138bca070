// One plot of a training: lines by step, with a grid, a legend, and what the values are where a pointer or a key stands.
// Colours are the page's; lines are told apart by their strokes as well.
import { find, make, svg } from "../page/dom.js";
import { saveFile } from "../page/save_file.js";
import { t } from "../page/words.js";
import * as plot from "./plot_scale.js";

/** @typedef {import("./plot_scale.js").Point} Point */
/** `look` is the number of its colour and stroke; `faint` stands behind the others.
 * @typedef {{ label: string, points: Point[], look: number, faint?: boolean, dots?: boolean }} Line */

const { HEIGHT, LEFT, BELOW, RIGHT } = plot;
const MOST = 1200; // points of a line that are drawn
const KEYS = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1, PageUp: 10, PageDown: -10 });
const TITLE_ROOM = 40; // above a downloaded picture, for its title and its legend
/** What a picture takes of the page's style to look the same without it. */
const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "font-size", "font-family"];

/** @param {Line} line */
const stroke = ({ look, faint }) => `tp-line tp-look-${look}${faint ? " tp-faint" : ""}`;
/** @param {Line} line */
const key = (line) =>
  make(
    "span",
    { class: "tp-key" },
    svg("svg", { width: 22, height: 8, "aria-hidden": "true" }, svg("path", { class: stroke(line), d: "M1 4H21" })),
    make("span", { dir: "auto" }, line.label),
  );
/** @param {string} name */
const fileName = (name) => `${name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "plot"}.svg`;

export class Plot {
  #title;
  #from;
  /** @type {Line[]} */
  #lines = [];
  /** Where the reader looks. @type {number | null} */
  #step = null;
  #figure;
  #plot;
  #read;
  /** @type {plot.Scale | null} */
  #scale = null;
  #waits = false;

  /**
   * @param {() => string} title in the language of the page
   * @param {{ from?: number }} [how] a value that is always shown
   */
  constructor(title, { from } = {}) {
    this.#title = title;
    this.#from = from;
    this.#plot = make("div", { class: "tp-plot", tabindex: "0" });
    this.#read = make("output", { class: "tp-read" });
    const save = make("button", { type: "button", class: "quiet tp-save", onclick: () => this.#save() }, "SVG");
    const head = make("figcaption", { class: "tp-head" }, make("b", {}), make("span", { class: "tp-keys" }), save);
    this.#figure = make("figure", { class: "tp" }, head, this.#read, this.#plot);
    this.#plot.addEventListener("pointermove", (event) => this.#follow(event));
    this.#plot.addEventListener("pointerdown", (event) => this.#follow(event));
    this.#plot.addEventListener("pointerleave", () => this.#look(null));
    this.#plot.addEventListener("keydown", (event) => this.#press(event));
    this.#plot.addEventListener("blur", () => this.#look(null));
    new ResizeObserver(() => this.#later()).observe(this.#plot);
  }
  get node() {
    return this.#figure;
  }
  /** @param {Line[]} lines */
  show(lines) {
    this.#lines = lines.filter(({ points }) => points.length);
    this.#later();
  }
  /** Growing lines are drawn at most once a frame. */
  #later() {
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => {
      this.#waits = false;
      this.draw();
    });
  }
  draw() {
    const title = this.#title();
    find(this.#figure, "b").textContent = title;
    const save = find(this.#figure, ".tp-save");
    save.title = t("train_svg");
    save.setAttribute("aria-label", t("train_svg_of", { title }));
    const empty = !this.#lines.length;
    save.hidden = empty;
    this.#plot.setAttribute("aria-label", t("train_plot_label", { title }));
    find(this.#figure, ".tp-keys").replaceChildren(...(this.#lines.length > 1 ? this.#lines.map(key) : []));
    this.#plot.setAttribute("role", empty ? "img" : "slider");
    if (empty) {
      this.#scale = null;
      this.#plot.replaceChildren(make("p", { class: "tp-empty" }, t("train_plot_empty")));
      return;
    }
    const lines = this.#lines.map(({ points }) => points);
    this.#scale = plot.scaleOf(lines, this.#plot.clientWidth, { from: this.#from });
    this.#plot.replaceChildren(this.#picture(this.#scale));
    this.#plot.setAttribute("aria-valuemin", String(this.#scale.first));
    this.#plot.setAttribute("aria-valuemax", String(this.#scale.last));
    this.#plot.setAttribute("aria-valuenow", String(this.#step ?? this.#scale.last));
    this.#look(this.#step);
  }
  /** @param {plot.Scale} scale */
  #picture(scale) {
    const { width, x, y, low, high } = scale;
    const size = { viewBox: `0 0 ${width} ${HEIGHT + BELOW}`, width, height: HEIGHT + BELOW };
    const grid = plot
      .levels(low, high)
      .flatMap((value) => [
        svg("line", { class: "tp-grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
        svg("text", { class: "tp-tick", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, plot.tick(value)),
      ]);
    const below = { class: "tp-tick", y: HEIGHT + 15, "text-anchor": "middle" };
    const steps = plot.stepTicks(scale).map((step) => svg("text", { ...below, x: x(step) }, String(step)));
    const drawn = [...this.#lines].sort((one, other) => Number(other.faint ?? false) - Number(one.faint ?? false));
    const paths = drawn.flatMap((line) => {
      const few = plot.thinned(line.points, MOST);
      const dots = line.dots || few.length === 1 ? few : [];
      return [
        svg("path", { class: stroke(line), d: plot.pathOf(few, scale) }),
        ...dots.map(([step, value]) =>
          svg("circle", { class: `tp-dot tp-look-${line.look}`, cx: x(step), cy: y(value), r: 2.5 }),
        ),
      ];
    });
    const cursor = svg("line", { class: "tp-cursor", x1: 0, x2: 0, y1: 4, y2: HEIGHT });
    return svg("svg", { ...size, "aria-hidden": "true" }, ...grid, ...steps, ...paths, cursor);
  }
  /** Says what the lines are at a step, or near it. @param {number | null} step */
  #look(step) {
    this.#step = step;
    const cursor = this.#plot.querySelector(".tp-cursor");
    if (!this.#scale || step === null) {
      cursor?.setAttribute("visibility", "hidden");
      this.#read.textContent = "";
      return;
    }
    const found = this.#lines.map((line) => ({ line, point: plot.nearest(line.points, step) }));
    const there = found.map(({ point }) => point).filter((point) => point !== null);
    if (!there.length) return;
    const at = there.reduce((one, other) => (Math.abs(other[0] - step) < Math.abs(one[0] - step) ? other : one))[0];
    const values = found.map(({ line, point }) => {
      if (!point) return "";
      const name = this.#lines.length > 1 ? `${line.label} ` : "";
      const where = point[0] === at ? "" : ` (${point[0]})`;
      return `${name}${plot.shown(point[1])}${where}`;
    });
    const said = [t("train_at_step", { step: at }), ...values.filter(Boolean)].join(" · ");
    this.#read.textContent = said;
    this.#plot.setAttribute("aria-valuenow", String(at));
    this.#plot.setAttribute("aria-valuetext", said);
    const x = this.#scale.x(at);
    cursor?.setAttribute("visibility", "visible");
    cursor?.setAttribute("x1", String(x));
    cursor?.setAttribute("x2", String(x));
  }
  /** @param {PointerEvent} event */
  #follow(event) {
    if (!this.#scale) return;
    const left = event.clientX - this.#plot.getBoundingClientRect().left;
    this.#look(plot.stepAt(this.#scale, left));
  }
  /** To the next point that any line has. @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.#scale) return;
    const steps = [...new Set(this.#lines.flatMap(({ points }) => points.map(([step]) => step)))].sort((a, b) => a - b);
    const now = this.#step ?? steps[0];
    const place = steps.findIndex((step) => step >= now);
    const here = place < 0 ? steps.length - 1 : place;
    const move = KEYS[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? steps.length - 1 : move && here + move;
    if (to === undefined) return;
    event.preventDefault();
    this.#look(steps[Math.min(Math.max(to, 0), steps.length - 1)]);
  }
  /** The picture as a file that looks the same everywhere. */
  #save() {
    const shown = this.#plot.querySelector("svg");
    if (!shown || !this.#scale) return;
    const copy = /** @type {SVGSVGElement} */ (shown.cloneNode(true));
    copy.querySelector(".tp-cursor")?.remove();
    const [from, to] = [shown, copy].map((one) => [...one.querySelectorAll("*")]);
    from
      .filter((node) => !node.classList.contains("tp-cursor"))
      .forEach((node, at) => {
        const style = getComputedStyle(node);
        for (const name of STYLES) to[at].setAttribute(name, style.getPropertyValue(name));
        to[at].removeAttribute("class");
      });
    const { width } = this.#scale;
    const page = getComputedStyle(this.#plot);
    const font = { fill: page.color, "font-family": page.fontFamily };
    const whole = svg("g", { transform: `translate(0 ${TITLE_ROOM})` }, ...copy.childNodes);
    copy.replaceChildren(
      svg("rect", { width: "100%", height: "100%", fill: getComputedStyle(document.body).backgroundColor }),
      svg("text", { ...font, x: 8, y: 16, "font-size": 13, "font-weight": 600 }, this.#title()),
      ...this.#legend(font),
      whole,
    );
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("viewBox", `0 0 ${width} ${HEIGHT + BELOW + TITLE_ROOM}`);
    copy.setAttribute("height", String(HEIGHT + BELOW + TITLE_ROOM));
    saveFile(fileName(this.#title()), new XMLSerializer().serializeToString(copy), "image/svg+xml");
  }
  /** @param {Record<string, any>} font */
  #legend(font) {
    if (this.#lines.length < 2) return [];
    let left = 8;
    return [...this.#figure.querySelectorAll(".tp-key")].flatMap((one, at) => {
      const style = getComputedStyle(find(one, "path", SVGPathElement));
      const x = left;
      left += 40 + one.getBoundingClientRect().width;
      const drawn = Object.fromEntries(STYLES.slice(1, 5).map((name) => [name, style.getPropertyValue(name)]));
      return [
        svg("path", { ...drawn, fill: "none", d: `M${x} 30H${x + 20}` }),
        svg("text", { ...font, x: x + 26, y: 34, "font-size": 12 }, this.#lines[at].label),
      ];
    });
  }
}
