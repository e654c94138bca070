// Any text for the model to read: says `read` for its tokens, which the elements behind this one show, and `detect`
// for the watermark, whose verdict comes back in the prop `verdict`. Everything typed is in `props.value` at once.
import { on, tell } from "../page/board.js";
import { around, COMMAND, find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { keep, kept } from "../page/kept.js";
import { say } from "../page/language.js";
import { apply, t } from "../page/words.js";
import { joined } from "./joined.js";
import { drawVerdict } from "./verdict.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {{prompt: string, text: string, special_tokens: boolean, asked?: number}} Form */
/** @typedef {{name: string, label: Said, choices: Record<string, Said>}} Knob of the watermark */

const { element, props, trigger, watch } = hostOf("read");
const verdict = find(element, ".verdict");
const KEPT = "playground-read"; // over a reload; each of a browser's tabs has its own
/** @type {Form} */
let form = { prompt: "", text: "", special_tokens: false };
/** @type {import("../topics").Knobs} */
let knobs = {};
/** What was read last, whose tokens stand below. @type {string | null} */
let shown = null;
/** Which question the verdict answers, and of what. @type {{asked: number, of: string} | null} */
let judged = null;

/** @param {Partial<Form>} changes */
const change = (changes) => {
  form = { ...form, ...changes };
  props.value = form;
  keep(KEPT, form);
};
const asking = () => JSON.stringify([form.prompt, form.text, form.special_tokens]);
const asked = () => JSON.stringify([form.text, form.special_tokens]);

/**
 * Of another text than that in the form, tokens below are pale and said to be older, or gone where a verdict stands.
 * @param {"" | "older" | "gone"} state
 */
const drawStrip = (state) => {
  find(document, "#reading").dataset.strip = state;
  find(element, ".read-changed").hidden = state !== "older";
};
const compareStrip = () => {
  if (shown === null || find(document, "#reading").dataset.strip === "gone") return;
  drawStrip(shown === asking() ? "" : "older");
};
const drawJoin = () => {
  const words = joined(form.prompt, form.text);
  find(element, ".read-join").hidden = !words;
  if (words) find(element, ".read-join span").textContent = t("read_joined", { joined: words });
};
const drawFound = () => {
  /** @type {import("./verdict.js").Verdict | null} */
  const told = props.verdict;
  verdict.hidden = !told || told.asked !== judged?.asked;
  if (told && judged && !verdict.hidden) drawVerdict(verdict, told, judged.of !== asked());
};
const drawKnobs = () => {
  /** @type {Knob[]} */
  const of = props.watermark;
  const said = of.map(({ name, label, choices }) => {
    const value = knobs[name];
    return value === undefined ? "" : `${say(label)} ${choices[value] ? say(choices[value]) : value}`;
  });
  find(element, ".read-knobs").textContent = said.filter(Boolean).join(" · ");
};
const draw = () => {
  apply(element);
  find(element, ".go kbd").textContent = `${COMMAND}↵`;
  drawKnobs();
  drawFound();
  drawJoin();
};

/** @param {HTMLTextAreaElement} area */
const grow = (area) => {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 420)}px`;
};
/** @param {Partial<Form>} changes */
const changed = (changes) => {
  change(changes);
  drawFound();
  drawJoin();
  compareStrip();
};
/** @param {Partial<Form>} texts */
const fill = (texts) => {
  for (const area of findAll(element, "textarea", HTMLTextAreaElement)) {
    area.value = texts[/** @type {"prompt" | "text"} */ (area.name)] ?? area.value;
    grow(area);
  }
  changed(texts);
};
const restore = () => {
  const before = kept(KEPT);
  if (!before) return;
  const special = Boolean(before.special_tokens);
  find(element, "[name=special_tokens]", HTMLInputElement).checked = special;
  fill({ prompt: String(before.prompt ?? ""), text: String(before.text ?? ""), special_tokens: special });
};
const read = () => {
  shown = asking();
  if (judged?.of !== asked()) judged = null;
  drawFound();
  drawStrip("");
  trigger("read");
};
const detect = () => {
  judged = { asked: Date.now(), of: asked() };
  change({ asked: judged.asked });
  drawFound();
  if (shown !== asking()) drawStrip("gone");
  trigger("detect");
};

// The knobs of the watermark stand in the panel on Play; the panel knows nothing of this page, so both ways are laid here.
const toKnobs = () => {
  /** @type {HTMLInputElement | null} */
  const search = document.querySelector("#knobs input[type=search]");
  if (!search) return;
  search.value = "watermark";
  search.dispatchEvent(new Event("input", { bubbles: true }));
  tell("drawer", true);
};
const layPointer = () => {
  const rows = document.querySelector("#knobs [data-group=watermark] .kn-rows");
  if (!rows || rows.querySelector(".read-pointer")) return;
  const pointer = {
    class: "read-pointer",
    href: "#read",
    "data-t": "detect_pointer",
    onclick: () => tell("drawer", false),
  };
  rows.append(make("a", pointer, t("detect_pointer")));
};

element.addEventListener("input", (event) => {
  const field = event.target;
  if (field instanceof HTMLTextAreaElement) {
    grow(field);
    changed({ [field.name]: field.value });
  } else if (field instanceof HTMLInputElement) changed({ [field.name]: field.checked });
});
const example = () => {
  fill({ prompt: "", text: t("read_example_text") });
  read();
};
/** @type {Record<string, () => void>} */
const DEEDS = { read, again: read, example, space: () => fill({ text: ` ${form.text}` }), detect };
element.addEventListener("click", (event) => {
  if (around(event, ".read-change")) toKnobs();
  else DEEDS[around(event, "button", HTMLButtonElement)?.name ?? ""]?.();
});
element.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  read();
});
watch("value", () => {
  if (JSON.stringify(props.value) !== JSON.stringify(form)) props.value = form;
});
watch("verdict", drawFound);
on(
  "knobs",
  (values) => {
    knobs = values;
    layPointer();
    drawKnobs();
  },
  "read",
);
on(
  "language",
  () => {
    draw();
    const pointer = document.querySelector(".read-pointer");
    if (pointer) pointer.textContent = t("detect_pointer");
  },
  "read",
);
draw();
restore();
