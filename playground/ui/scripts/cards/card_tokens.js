// A card as text or as tokens: the tokens of the run that is looked at, and of those that were before, stand in their own
// cards, drawn by whoever told the topic `texts`. Knows no run.
import { find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { store, stored } from "../page/kept.js";
import { answerOf, tableOf } from "./answer.js";

/** @typedef {import("./runs").Version} Version */
/** @typedef {import("./card_view.js").CardView} CardView */
/** @typedef {import("../topics").Topics["texts"]} Texts */

const SHOW = "playground-show";
const { element } = hostOf("cards");
let asTokens = stored(SHOW) === "tokens";
const MOST_RUNS = 8; // whose tokens are held
/** The tokens that are here, by run. @type {Map<string | undefined, Texts>} */
const texts = new Map();
/** The run that is looked at. @type {string | undefined} */
let open;

/** @param {Texts} news */
export const takeTexts = (news) => {
  open = news.run;
  texts.delete(open);
  texts.set(open, news);
  for (const run of texts.keys()) if (texts.size > MOST_RUNS) texts.delete(run);
};
/**
 * Where in the text of a version its own tokens begin: a continuation has what it goes on from before them.
 * @param {Version} one
 */
const startOf = (one) => (one.offset ?? 0) + (one.kind === "branch" ? (one.became ?? "").length : 0);
/**
 * Whether a click on a word of a version opens its inside: of an example and of what was written by hand there are no
 * tokens, and a record shows values that stand otherwise in its text.
 * @param {Version} one
 */
const opens = (one) => one.run !== null && !one.edited && one.finish !== "example" && tableOf(one)?.head.length !== 0;
/**
 * The tokens of a version, as one node; null where it is shown as text.
 * @param {Version} one
 */
const tokensOf = (one) => {
  const known = one.run === null ? undefined : texts.get(one.run);
  const row = known?.rows.get(one.row);
  if (!asTokens || !known || !row || one.edited) return null;
  return one.run === open || row.done ? known.take(one.row) : null; // of what nobody looked at, some may be missing
};
/**
 * Draws a version as its tokens; false where it is to be drawn as text.
 * @param {CardView} view
 * @param {Version} one
 */
export const drawTokens = (view, one) => {
  const node = tokensOf(one);
  view.body.classList.toggle("as-tokens", Boolean(node));
  view.body.classList.toggle("opens", opens(one));
  if (!node) return false;
  view.body.classList.toggle("writing", !one.finish);
  view.body.classList.remove("nothing");
  if (node.parentNode !== view.body) {
    const before = make("span", { class: "card-before" }, one.text.slice(0, startOf(one)));
    view.body.replaceChildren(before, node);
  }
  view.shown = null;
  return true;
};
export const drawSwitch = () => {
  find(element, "[name=as-text]").setAttribute("aria-pressed", String(!asTokens));
  find(element, "[name=as-tokens]").setAttribute("aria-pressed", String(asTokens));
  find(element, ".results-tokens").classList.toggle("of-text", !asTokens);
};
/** @param {boolean} wanted */
export const choose = (wanted) => {
  asTokens = wanted;
  store(SHOW, asTokens ? "tokens" : "text");
  drawSwitch();
};

/**
 * The node and the place in it where a click fell.
 * @param {MouseEvent} event
 * @returns {[Node | undefined, number | undefined]}
 */
const caretAt = (event) => {
  const found = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  if (found) return [found.offsetNode, found.offset];
  const range = document.caretRangeFromPoint?.(event.clientX, event.clientY);
  return [range?.startContainer, range?.startOffset];
};
/**
 * Where in a version's own tokens a click on its text fell, in characters; null where that is in none of them.
 * @param {Version} one
 * @param {HTMLElement} body
 * @param {MouseEvent} event
 */
export const placeAt = (one, body, event) => {
  const [node, offset] = caretAt(event);
  if (!opens(one) || !(node instanceof Text) || offset === undefined) return null;
  const begins = node === body.firstChild ? one.text.length - node.length : beginOf(one, body, node);
  const place = begins === null ? -1 : begins + offset - startOf(one);
  return place < 0 ? null : place; // of what the text goes on from
};
/**
 * Where in the text of a version a part of its list or table begins; null where it is none of them. They stand in their
 * order in the text.
 * @param {Version} one
 * @param {HTMLElement} body
 * @param {Text} node
 */
const beginOf = (one, body, node) => {
  let from = one.text.length - answerOf(one).length;
  for (const part of findAll(body, "li, tbody :is(td, th)")) {
    const at = one.text.indexOf(part.textContent ?? "", from);
    if (at < 0) return null;
    if (part.contains(node)) return at;
    from = at + (part.textContent ?? "").length;
  }
  return null;
};
