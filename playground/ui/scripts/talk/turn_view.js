// One turn of a conversation: who, its buttons, what was thought, the text, a line of facts. Knows no turn beside it but
// their number.
import { isNothing, nothingKey } from "../cards/answer.js";
import { drawText, drawThought, makeThought } from "../cards/answer_view.js";
import { drawLine, drawRemark } from "../cards/card_line.js";
import { makeTool, TOOLS } from "../cards/tools.js";
import { make } from "../page/dom.js";
import { t } from "../page/words.js";
import { heardOf } from "./conversation.js";

/** @typedef {import("../cards/answer_view.js").TextView} TextView */
/** @typedef {import("../cards/answer_view.js").ThoughtView} ThoughtView */
/** @typedef {import("./conversation.js").Turn} Turn */
/** @typedef {{node: HTMLElement, thought: ThoughtView, remark: HTMLElement, line: HTMLElement, text: TextView}} TurnView */

const PATHS = { ...TOOLS, branch: "M4 2.5v11M4 9.5h4a4 4 0 0 0 4-4v-2M9.5 6L12 3.5 14.5 6" };
/** @type {Record<Turn["role"], (keyof typeof PATHS)[]>} */
const BUTTONS = {
  user: ["copy", "edit", "regenerate", "branch"],
  assistant: ["copy", "edit", "continue", "regenerate", "branch"],
};

/**
 * @param {keyof typeof PATHS} name
 * @param {Turn["role"]} role
 */
const makeButton = (name, role) => {
  const label = name === "branch" ? t("talk_branch") : role === "user" && name === "edit" ? t("talk_edit") : t(name);
  return makeTool(name, label, PATHS[name]);
};
/**
 * The buttons that go through what stands beside a turn.
 * @param {number} place of this turn
 * @param {number} count
 */
const makeWalk = (place, count) => {
  /** @param {string} name @param {string} label @param {string} sign @param {number} end */
  const step = (name, label, sign, end) =>
    make("button", { type: "button", class: "quiet", name, "aria-label": t(label), disabled: place === end }, sign);
  return make(
    "div",
    { class: "walk" },
    step("back", "previous_version", "‹", 0),
    make("output", {}, `${place + 1}/${count}`),
    step("on", "next_version", "›", count - 1),
  );
};
/**
 * @param {Turn} turn
 * @param {Turn[]} others those that could stand in its place, and itself
 * @returns {TurnView}
 */
export const makeTurn = (turn, others) => {
  const walk = others.length < 2 ? null : makeWalk(others.indexOf(turn), others.length);
  const buttons = BUTTONS[turn.role].map((name) => makeButton(name, turn.role));
  const text = make("div", { class: "turn-text", dir: "auto" });
  const thought = makeThought();
  const remark = make("p", { class: "remark", hidden: true });
  const line = make("div", { class: "card-line" });
  const node = make(
    "article",
    { class: "turn", "data-role": turn.role, "data-turn": turn.id },
    make(
      "header",
      { class: "turn-head" },
      make("span", { class: "turn-who" }, t(turn.role === "user" ? "talk_you" : "talk_model")),
      make("span", { class: "turn-gone" }, t("talk_gone")),
      make("div", { class: "tools" }, walk, ...buttons),
    ),
    ...(turn.role === "user" ? [text] : [thought.node, text, remark, line]),
  );
  return { node, thought, remark, line, text: { body: text, shown: null } };
};
/**
 * @param {TurnView} view
 * @param {Turn} turn
 */
export const drawTurn = (view, turn) => {
  const nothing = isNothing(turn);
  drawThought(view.thought, turn);
  view.text.body.classList.toggle("writing", turn.role === "assistant" && !turn.finish);
  view.text.body.classList.toggle("nothing", nothing);
  drawText(view.text, nothing ? t(nothingKey(turn)) : heardOf(turn).trimStart());
  if (turn.role !== "assistant") return;
  drawRemark(view.remark, turn);
  drawLine(view.line, turn);
};
