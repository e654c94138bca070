// The kinds of what can be written: a task, a free prompt, a chat, a conversation. Which of them the model can take, which
// is chosen, and its part of the form. Knows nothing of what stands in the fields.
import { go } from "../page/address.js";
import { tell } from "../page/board.js";
import { around, find, findAll } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { t } from "../page/words.js";
import { drawVariables, growAll } from "./fields_view.js";
import { change, form } from "./form.js";
import { pick } from "./wishes.js";

/** @typedef {import("../topics").Kind} Kind */

const { element } = hostOf("compose");
const CHATS = ["chat", "talk"]; // these need a chat template
/** @type {Record<string, number>} */
const WAYS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
let hasChat = true;
let model = "";

/** @param {{has_chat_template: boolean, title: string}} loaded */
export const setModel = (loaded) => {
  hasChat = loaded.has_chat_template;
  model = loaded.title;
};
/** @param {string | undefined} kind */
export const isOffered = (kind) => hasChat || !CHATS.includes(kind ?? "");

export const drawKind = () => {
  const { kind } = form();
  const missing = hasChat ? "" : t("no_chat", { model });
  for (const button of findAll(element, "[data-kind]")) {
    const chosen = button.dataset.kind === kind;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    if (CHATS.includes(button.dataset.kind ?? "")) {
      button.setAttribute("aria-disabled", String(!hasChat));
      button.title = missing;
    }
  }
  for (const part of findAll(element, ".compose-kind")) part.hidden = !part.dataset.for?.split(" ").includes(kind);
  find(element, ".task-picker").hidden = kind !== "task";
  drawVariables();
  document.body.dataset.writes = kind;
  tell("kind", kind);
  const note = find(element, ".compose-note");
  note.hidden = hasChat;
  note.textContent = missing;
  growAll(element, ".compose-kind:not([hidden]) textarea");
};
/** @param {HTMLElement} button */
const choose = (button) => {
  const kind = /** @type {Kind} */ (button.dataset.kind);
  if (kind === form().kind || !isOffered(kind)) return; // chosen again, it keeps what was turned since
  change({ kind });
  go({ kind, task: form().task });
  drawKind();
  pick();
};

element.addEventListener("click", (event) => {
  const button = around(event, "[data-kind]");
  if (button) choose(button);
});
element.addEventListener("keydown", (event) => {
  const button = around(event, "[data-kind]");
  const way = WAYS[event.key];
  if (!button || !way) return;
  event.preventDefault();
  const all = findAll(element, "[data-kind]").filter((one) => isOffered(one.dataset.kind));
  const next = all[(all.indexOf(button) + way + all.length) % all.length];
  choose(next);
  next.focus();
});
