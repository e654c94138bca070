// What the model will see: the rendered prompt as text, or as the tokens that the element behind this one shows, and
// how much of the context window it takes; before it, what speaks against the model. Says `read` when the tokens are
// wanted; that asks the model once.
import { on, tell } from "../page/board.js";
import { around, find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { number } from "../page/numbers.js";
import { drawModelRemark } from "../page/remark.js";
import { apply, sentence, t } from "../page/words.js";

const { element, props, trigger, watch } = hostOf("seen");
const details = find(element, "details");
let asTokens = false;
/** The prompt whose tokens are shown. @type {string | null} */
let read = null;
/** What was typed for the prompt whose tokens are shown, until it was counted. @type {string | null} */
let coming = null;
let typed = "";
let refused = false; // this prompt was sent, and is said to be too long where it was typed
let changing = false; // the text has changed, and what it makes of the prompt has not come
let looked = 0; // which asking for the count was the last

const prompt = () => {
  const { text, tail, used } = props.value || {};
  return text === undefined ? null : JSON.stringify([text, tail ?? "", used]);
};
/**
 * A text with the control tokens that act in it; one that was typed, and is read as text, looks like any text.
 * @param {string} text
 * @param {[number, number][]} [controls] where each begins and ends
 * @returns {(string | HTMLElement)[]}
 */
const marked = (text, controls = []) => {
  /** @type {(string | HTMLElement)[]} */
  const nodes = [];
  let last = 0;
  for (const [begins, ends] of controls) {
    nodes.push(text.slice(last, begins), make("mark", { title: t("seen_control") }, text.slice(begins, ends)));
    last = ends;
  }
  return [...nodes, text.slice(last)];
};
/** Whether the tokens that are shown are those of another prompt: from the first key on, not once it was counted. */
const areOld = () => {
  if (!asTokens) return false;
  return coming === null ? read !== null && (changing || read !== prompt()) : coming !== typed;
};
const drawOld = () => {
  find(element, ".seen-changed").hidden = !areOld();
};
const drawText = () => {
  const seen = props.value || {};
  const text = find(element, ".seen-text");
  text.hidden = asTokens;
  if (seen.text === undefined) {
    text.textContent = seen.reason ? sentence(seen.reason) : t("seen_waits");
    return;
  }
  text.replaceChildren(...marked(seen.text, seen.controls));
  if (seen.cut) {
    const cut = make("em", {}, t("seen_cut", { count: number(seen.cut) }));
    text.append(cut, ...marked(seen.tail, seen.tail_controls));
  }
};
/** @param {Record<string, any>} seen */
const drawNote = (seen) => {
  const note = find(element, ".seen-note");
  const plain = seen.as_text?.length ? t("seen_as_plain", { tokens: seen.as_text.join(" ") }) : "";
  const parts = [say(seen.notice), plain].filter(Boolean);
  note.hidden = !parts.length;
  note.textContent = parts.join(" ");
};
const draw = () => {
  const seen = props.value || {};
  apply(element);
  const warning = find(element, ".seen-warning");
  warning.hidden = !seen.warning || refused;
  warning.textContent = sentence(seen.warning);
  drawModelRemark(find(element, ".remark"), seen.remark);
  const count = find(element, ".seen-count");
  const figures = () => t("count", { used: number(seen.used), context: number(seen.context) });
  count.textContent = seen.used === undefined ? say(seen.uncounted) : figures();
  count.classList.toggle("over", Boolean(seen.over));
  find(element, ".seen-mode").textContent = seen.mode ? t(`as_${seen.mode}`) : "";
  details.dataset.as = asTokens ? "tokens" : "text";
  find(element, "[name=text]").setAttribute("aria-pressed", String(!asTokens));
  find(element, "[name=tokens]").setAttribute("aria-pressed", String(asTokens));
  drawOld();
  drawNote(seen);
  drawText();
};
const ask = () => {
  coming = changing ? typed : null;
  read = prompt();
  draw();
  trigger("read");
};

element.addEventListener("click", (event) => {
  const pressed = around(event, "button", HTMLButtonElement);
  if (!pressed) return;
  asTokens = pressed.name !== "text";
  if (pressed.name === "again" || (asTokens && read === null && coming === null)) ask();
  else draw();
});
watch("value", () => {
  const seen = props.value || {};
  if (!(seen.looked < looked)) {
    find(element, ".seen").classList.remove("stale");
    changing = false;
    if (coming === typed) {
      read = prompt();
      coming = null;
    }
  }
  tell("window", seen);
  draw();
});
on(
  "counting",
  (now) => {
    ({ looked, typed } = now);
    find(element, ".seen").classList.add("stale");
    if (now.turned !== "text") return;
    changing = true;
    refused = false;
    drawOld();
  },
  "seen",
);
on(
  "complaint",
  (complaint) => {
    refused = Boolean(complaint?.parameter === "prompt" && props.value?.over);
    draw();
  },
  "seen",
);
on("language", draw, "seen");
draw();
