// The row of the stages' order: the named orders, the list of stages, and the same as text.
import { make } from "../page/dom.js";
import { say } from "../page/language.js";
import { writtenRow } from "./fields.js";
import { readOrder, wholeOrder } from "./order.js";
import { CHAIN, word } from "./registry.js";
import { spoken } from "./spoken.js";
import { wireDrag } from "./stage_drag.js";
import { wireKeys } from "./stage_keys.js";
import { StageList } from "./stages.js";
import { actsNow } from "./store.js";

/** @typedef {import("./row").Row} Row */

/** @param {Row} row */
export const orderRow = (row) => {
  const list = new StageList(row);
  const none = make("p", { class: "kn-stages-none" });
  const hint = make("p", { class: "kn-stages-hint", id: list.hintId });
  const own = make("span", { class: "kn-order-own" });
  const more = make("button", { class: "kn-link kn-stages-more", type: "button", "aria-expanded": "false" });
  const asText = make("button", { class: "kn-link kn-stages-text", type: "button", "aria-expanded": "false" });
  const buttons = Object.keys(CHAIN.orders).map((name) =>
    make("button", { class: "kn-order-name", type: "button", onclick: () => row.set(name) }, name),
  );
  const fold = make("button", { class: "kn-link kn-stages-fold", type: "button", "aria-expanded": "false" });
  const group = { class: "kn-orders", role: "group", "aria-labelledby": row.labelId };
  const names = make("span", group, ...buttons, own, fold);
  let unfolded = false;
  const foot = make("span", { class: "kn-stages-foot" }, more, asText);
  row.root.append(names, none, list.root, hint, foot, list.voice);
  const area = orderText(row);
  area.hidden = true;
  row.describe(...buttons);
  wireKeys(list);
  wireDrag(list);
  onToggle(fold, (open) => {
    unfolded = open;
    row.follow?.();
  });
  onToggle(more, (open) => {
    list.open = open;
    row.follow?.();
  });
  onToggle(asText, (open) => {
    area.hidden = !open;
    if (open) area.focus();
  });
  spoken(() => {
    const touched = window.matchMedia("(pointer: coarse)").matches;
    own.textContent = word("own_order");
    hint.textContent = word(touched ? "order_hint_touch" : "order_hint");
    fold.textContent = word("stages");
    more.textContent = word("all_stages", { n: CHAIN.stages.length });
    asText.textContent = word("order_text");
    none.textContent = word("no_stage");
    area.setAttribute("aria-label", say(row.knob.label));
  });
  const paintText = row.paint;
  row.paint = (/** @type {string} */ value) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.textContent === value));
    own.hidden = Object.hasOwn(CHAIN.orders, value);
    paintText(value);
  };
  row.follow = () => {
    const acting = CHAIN.stages.filter(actsNow).length;
    none.hidden = !unfolded || acting > 0 || list.open;
    hint.hidden = !unfolded || (acting < 2 && !list.open);
    foot.hidden = !unfolded;
    list.root.hidden = !unfolded;
    area.hidden = !unfolded || asText.getAttribute("aria-expanded") !== "true";
    list.draw();
  };
};

/**
 * @param {HTMLButtonElement} button
 * @param {(open: boolean) => void} act
 */
const onToggle = (button, act) => {
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    act(open);
  });
};
/**
 * The same order for pasting: a name, or stages separated by commas.
 * @param {Row} row
 */
const orderText = (row) =>
  writtenRow(row, {
    write: (/** @type {string} */ value) => wholeOrder(CHAIN, value).join(", "),
    read: (text) => readOrder(CHAIN, text),
    rows: 3,
    mono: true,
  });
