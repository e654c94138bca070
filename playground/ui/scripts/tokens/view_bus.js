// What the token views of one scope (the prop `scope`) tell each other: where the reader is, and which tokens there are.
// Each says `pick` to the server by itself. Knows no view.
import { on } from "../page/board.js";
import { isNarrow } from "../page/screen.js";

/** @typedef {import("./token_rows.js").Piece} Piece */
/** @typedef {import("../types").Host} Host */
/** @typedef {{run: string | undefined, row: number}} RowAt */
/** @typedef {RowAt & {position: number}} TokenAt */
/**
 * `picked`: the reader went to a token, with the keyboard where `focus`. `row`: he turned to another row. `panel`: the panel
 * about one token opened or closed. `closed`: the one about this row did; it had the focus. `news`: tokens that were told
 * to a view, for those that are not fed by themselves. `hello`: one of these begins.
 * @typedef {{kind: "picked", focus?: boolean} & TokenAt | {kind: "row"} & RowAt | {kind: "panel", open: boolean}
 *   | {kind: "closed", focus: boolean} & RowAt | {kind: "news", value: Piece} | {kind: "hello"}} News
 */
/** @typedef {{tell: (news: News) => void, hear: (listener: (news: News) => void) => void}} ViewBus */

const BUS = "playground-token";

/**
 * Hears of the token views of every scope.
 * @param {(news: News & {scope: string, source: HTMLElement}) => void} listener
 * @param {HTMLElement} element while this is on the page
 */
export const hearAll = (listener, element) => {
  /** @param {Event} event */
  const heard = (event) => {
    if (!element.isConnected) document.removeEventListener(BUS, heard);
    else listener(/** @type {CustomEvent} */ (event).detail);
  };
  document.addEventListener(BUS, heard);
};
/**
 * @param {Pick<Host, "element" | "props">} host
 * @returns {ViewBus} of the other views of its scope
 */
export const busOf = ({ element, props }) => {
  const scope = props.scope ?? "";
  return {
    tell: (news) => {
      document.dispatchEvent(new CustomEvent(BUS, { detail: { ...news, scope, source: element } }));
    },
    hear: (listener) =>
      hearAll((news) => {
        if (news.source !== element && news.scope === scope) listener(news);
      }, element),
  };
};

/**
 * Of the sheets only one is open.
 * @param {HTMLElement} element the one whose sheet this is
 * @param {() => void} close
 */
export const onlySheet = (element, close) =>
  on(
    "sheet",
    (other) => {
      if (other !== element && isNarrow()) close();
    },
    element,
  );
