// Which draft is open. Knows no element.
import { tabName } from "./kept_drafts.js";

/** @typedef {import("./draft.js").Draft} Draft */

/** As the server told it last; null while it has no key yet. @type {Draft | null} */
let draft = null;
export const openDraft = () => draft;
/** @param {Draft | null} now */
export const setDraft = (now) => {
  draft = now;
};
/** Under which name this browser keeps what belongs to it. */
export const place = () => draft?.key ?? tabName();
