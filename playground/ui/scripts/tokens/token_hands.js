// What a hand does in a text of tokens: keys walk it, a click or Enter picks a token, pointing at one calls up its tip.
// Knows no server.
import { around } from "../page/dom.js";
import { beside, runsLeft } from "./token_lines.js";

/** @typedef {import("./row_text.js").RowText} RowText */
/**
 * What the view does for it: turn to a text, go to a token with the focus, pick one (`keyboard`: the panel about it takes
 * the focus), and call up its tip or take it away.
 * @typedef {{turn: (text: RowText) => void, go: (at: number) => void, pick: (at: number, keyboard: boolean) => void,
 *   tip: (text: RowText, at: number) => void, hush: () => void}} Deeds
 */

/** @param {RowText} text @param {Deeds} deeds @returns {Record<string, () => void>} */
const keysOf = (text, { go, pick }) => {
  // Behind a token stands the next one: on its left where the line runs from right to left.
  /** @param {number} way */
  const step = (way) => go(text.current + (runsLeft(text.spans[text.current]) ? -way : way));
  const enter = () => pick(text.current, true);
  return {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    ArrowUp: () => go(beside(text.spans, text.current, -1)),
    ArrowDown: () => go(beside(text.spans, text.current, 1)),
    Home: () => go(0),
    End: () => go(text.spans.length - 1),
    Enter: enter,
    " ": enter,
  };
};
/** @param {Event} event @returns {number | null} */
const tokenAt = (event) => {
  const span = around(event, ".tk-token");
  return span ? Number(span.dataset.at) : null;
};

/**
 * @param {RowText} text
 * @param {Deeds} deeds
 */
export const hearHands = (text, deeds) => {
  const { node } = text;
  const keys = keysOf(text, deeds);
  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !text.spans.length) return;
    if (event.key === "Escape") deeds.hush();
    const deed = keys[event.key];
    if (!deed) return;
    event.preventDefault();
    deeds.turn(text);
    deed();
  });
  node.addEventListener("click", (event) => {
    const at = tokenAt(event);
    if (at === null || String(window.getSelection())) return; // a selection is for copying
    deeds.turn(text);
    text.moveStop(at);
    text.spans[at].focus({ preventScroll: true });
    deeds.pick(at, false);
  });
  node.addEventListener("pointerover", (event) => {
    const at = tokenAt(event);
    if (at !== null && event.pointerType !== "touch") deeds.tip(text, at);
  });
  node.addEventListener("pointerleave", deeds.hush);
  node.addEventListener("scroll", deeds.hush, { passive: true });
  node.addEventListener("focusin", (event) => {
    const at = tokenAt(event);
    if (at === null) return;
    text.moveStop(at); // a screen reader may come here by itself
    deeds.tip(text, at);
  });
  node.addEventListener("focusout", deeds.hush);
};
