// One card: its buttons, its text, its line of facts. Knows no run and no version beside the one that it draws.
import { make } from "../page/dom.js";
import { t } from "../page/words.js";
import { answerOf, isNothing, listOf, nothingKey, tableOf } from "./answer.js";
import { drawText, drawThought, makeList, makeTable, makeThought } from "./answer_view.js";
import { makeTool, STAR, TOOLS, TREE } from "./tools.js";

/** @typedef {import("./answer.js").Row} Row */
/** @typedef {import("./answer_view.js").TextView} TextView */
/** @typedef {import("./answer_view.js").ThoughtView} ThoughtView */
/**
 * `walk` holds the buttons that go through versions, `tree` is where they are drawn as one.
 * @typedef {TextView & {node: HTMLElement, walk: HTMLElement, tree: HTMLElement, thought: ThoughtView}} CardView
 */

/**
 * @param {string} name
 * @param {string} label
 * @param {string} sign
 */
const makeStep = (name, label, sign) =>
  make("button", { type: "button", class: "quiet", name, "aria-label": t(label) }, sign);
const makeWalk = () =>
  make(
    "div",
    { class: "walk" },
    makeTool("tree", t("versions"), TREE),
    makeStep("version-back", "previous_version", "‹"),
    make("output"),
    makeStep("version-on", "next_version", "›"),
  );
/** What asks the model once more says of what: the form may be about something else by now. */
const ASKS = ["continue", "regenerate"];
const makeTools = () => {
  const tools = Object.entries(TOOLS).map(([name, path]) => {
    const title = ASKS.includes(name) ? t("with_run", { deed: t(name) }) : t(name);
    return makeTool(name, t(name), path, { title, word: t(`tool_${name}`) });
  });
  const star = makeTool("favourite", t("favourite"), STAR, { title: t("favourite_hint") });
  return [...tools, star];
};
/**
 * @param {number} number its place in the run
 * @param {string} before the end of the prompt that it continues; "" where that is not to be seen
 * @returns {CardView}
 */
export const makeCard = (number, before) => {
  const body = make("div", { class: "card-body", tabindex: 0, dir: "auto" });
  const walk = makeWalk();
  const tree = make("div", { class: "tree", hidden: true });
  const thought = makeThought();
  const node = make(
    "article",
    { class: "card", "data-card": number, "aria-label": t("candidate_n", { n: number + 1 }) },
    make(
      "header",
      { class: "card-head" },
      make("span", { class: "card-number" }, String(number + 1)),
      make("div", { class: "tools" }, walk, ...makeTools()),
    ),
    tree,
    make("p", { class: "card-made", hidden: true }),
    thought.node,
    before ? make("p", { class: "card-prompt", dir: "auto", title: t("prompt_end") }, before) : null,
    body,
    make("p", { class: "remark", hidden: true }),
    make("div", { class: "card-line" }),
  );
  return { node, body, walk, tree, thought, shown: null };
};

/**
 * @template {Row} R
 * @param {CardView} view
 * @param {R} row
 * @param {(view: CardView, row: R) => boolean} drawTokens draws it as its tokens; false where it is to be drawn as text
 */
export const drawBody = (view, row, drawTokens) => {
  if (view.node.querySelector(".card-edit")) return;
  drawThought(view.thought, row);
  if (drawTokens(view, row)) return;
  const nothing = isNothing(row);
  view.body.classList.toggle("writing", !row.finish);
  view.body.classList.toggle("nothing", nothing);
  const [table, items] = [tableOf(row), listOf(row)];
  const drawn = nothing ? t(nothingKey(row)) : table ? makeTable(table) : items ? makeList(items, row.numbered) : null;
  if (drawn === null) {
    drawText(view, answerOf(row).trimStart()); // a completion often begins with the space behind its prompt
    return;
  }
  view.body.replaceChildren(drawn);
  view.shown = null;
};
