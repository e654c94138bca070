// A candidate for the next section, drawn: a text that can be edited at any time but while it is being written. Knows no
// draft.
import { find, findAll, make } from "../page/dom.js";
import { say } from "../page/language.js";
import { number } from "../page/numbers.js";
import { ending, sentence, t } from "../page/words.js";
import { grow, press } from "./text_box.js";

/** @typedef {import("../types").Said} Said */
/**
 * @typedef {{text: string, finish: string | null, edited?: boolean, own?: boolean, seed?: number, tokens?: number,
 *   speed?: number, reason?: Said, remark?: Said, path?: string, weights?: string, model?: string, revision?: string}} Candidate as a row of a run tells it
 *   (card_updates.py); `own` is one that the author began, `edited` one that nothing is written into any more
 */

export const HIGHEST = 420; // pixels
const NEAR = 24; // pixels from its end at which a text that grows is followed

/** @param {Candidate} card */
const finish = (card) => {
  if (card.own) return t("write_own");
  return card.finish ? ending(card.finish) : t(card.text ? "writing" : "reading");
};
/** @param {Candidate} card */
const facts = (card) =>
  [
    card.tokens ? t("tokens", { count: number(card.tokens) }) : "",
    card.speed ? t("speed", { count: number(card.speed) }) : "",
    finish(card),
    card.reason && !card.edited ? say(card.reason) : "",
    card.path ? t(card.path === "fast" ? "card_fast" : "card_exact", { weights: card.weights }) : "",
  ]
    .filter(Boolean)
    .join(" · ");
/**
 * What stands in a candidate that has no text: why, once it has ended.
 * @param {Candidate} card
 */
const nothingIn = (card) => {
  if (card.own || card.edited) return t("write_own_hint");
  if (!card.finish) return "";
  return t(card.finish === "end" ? "empty_text" : "nothing_written");
};
/**
 * @param {number} at
 * @param {number} most characters
 */
export const makeCandidate = (at, most) => {
  const label = `${t("write_section_text")} ${at + 1}`;
  const text = { class: "write-text", dir: "auto", rows: 6, maxlength: most, "aria-label": label };
  return make(
    "article",
    { class: "write-card", "data-card": at },
    make("textarea", text),
    make("p", { class: "remark", hidden: true }),
    make("div", { class: "write-facts" }, make("span"), press("keep-seed", "seed")),
    make(
      "div",
      { class: "write-tools" },
      press("accept", "write_accept", { class: "halt" }),
      press("continue", "continue"),
      press("regenerate", "regenerate"),
    ),
  );
};
/**
 * @param {HTMLElement} node
 * @param {Candidate} card
 * @param {boolean} busy something is being written
 * @param {boolean} locked another one would have the same seed
 */
export const drawCandidate = (node, card, busy, locked) => {
  const area = find(node, "textarea", HTMLTextAreaElement);
  const below = area.scrollTop + area.clientHeight >= area.scrollHeight - NEAR;
  if (area.value !== card.text) {
    area.value = card.text;
    grow(area, HIGHEST);
    if (below) area.scrollTop = area.scrollHeight;
  }
  area.placeholder = nothingIn(card);
  area.readOnly = busy && !card.finish;
  node.classList.toggle("writing", busy && !card.finish);
  const remark = find(node, ".remark"); // of the text as it was written
  remark.hidden = !card.remark || Boolean(card.edited);
  remark.textContent = remark.hidden ? "" : sentence(card.remark);
  find(node, ".write-facts span").textContent = facts(card);
  const seed = find(node, "[name=keep-seed]");
  seed.hidden = Boolean(card.own);
  seed.textContent = t("card_seed", { count: card.seed });
  seed.title = t("lock_this_seed", { count: card.seed });
  for (const button of findAll(node, ".write-tools button", HTMLButtonElement)) {
    button.disabled = busy || (button.name === "accept" && !card.text.trim());
  }
  const again = find(node, "[name=regenerate]");
  again.hidden = Boolean(card.own);
  again.textContent = t(locked ? "write_same_seed" : "regenerate");
};
