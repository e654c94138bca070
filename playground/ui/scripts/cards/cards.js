// The candidates of every run so far, on cards: what is pressed, chosen and typed there, and what the rest of the page tells.
// Versions and edits live here; the server only sends the run that grows. Says `again` {action, …} and `look` {run, row}.
import { on, tell } from "../page/board.js";
import { around, copy, find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { listen } from "../page/feed.js";
import { say } from "../page/language.js";
import { t } from "../page/words.js";
import { plainText } from "./answer.js";
import { choose, placeAt, takeTexts } from "./card_tokens.js";
import { cut, restore, save, turn, undo, walk } from "./changes.js";
import { edit } from "./editor.js";
import { showExample } from "./examples.js";
import { drawFavourites, favouriteOf } from "./favourites_view.js";
import { now } from "./form_now.js";
import { decideHidden, drawBodies, drawCard, drawCards, drawRun, seenCards, viewOf } from "./grid.js";
import { receive, settle } from "./growth.js";
import { past } from "./history.js";
import { isFavourite, keepFavourite, removeFavourite } from "./kept_favourites.js";
import { keptRuns } from "./kept_runs.js";
import { answered, look, lookAgain } from "./looks.js";
import { showStatus } from "./results_bar.js";
import { drawHead, foldAgain, haveComeBack, keepUnfolded, restoreRun, unfold } from "./run_head.js";
import { runs, shown, shownCard, shownRun } from "./shown_runs.js";
import { byId, live, mayPrune, version, versionAt } from "./versions.js";
import { openTrees } from "./versions_view.js";

/** @typedef {import("./runs").Card} Card */
/** @typedef {import("./runs").Version} Version */

const { element, trigger } = hostOf("cards");
const TOLD = 1200; // milliseconds

/** @param {"continue" | "regenerate"} action @param {number} number */
const ask = (action, number) => {
  const { id, request } = shownRun();
  const one = version(shownCard(number));
  tell("complaint", null);
  tell("run", { running: true, status: t("starting"), asked: true });
  const offset = action === "continue" ? one.text.length : 0;
  const target = { run: id, card: number };
  trigger("again", { action, text: one.text, request, target, parted: { parent: one.id, offset } });
};
/** @param {boolean} wanted */
const showAs = (wanted) => {
  choose(wanted);
  drawBodies();
};
/** @param {Version} one */
const plain = (one) => plainText(one, say);
/** @param {HTMLElement} button @param {Card} card */
const copyText = async (button, card) => {
  await copy(plain(version(card)));
  button.classList.add("done");
  button.title = t("copied");
  setTimeout(() => {
    button.classList.remove("done");
    button.title = t("copy");
  }, TOLD);
};
/** @param {HTMLElement} button */
const copyAll = async (button) => {
  const texts = seenCards().map((card) => plain(version(card)));
  await copy(texts.filter(Boolean).join("\n\n"));
  button.textContent = t("copied");
  setTimeout(() => {
    button.textContent = t("copy_all");
  }, TOLD);
};
/** @param {number} number @param {Card} card @param {number} by */
const step = (number, card, by) => walk(number, live(card)[live(card).indexOf(version(card)) + by]);
/** @param {number} number @param {Card} card */
const openTree = (number, card) => {
  if (!openTrees.delete(card)) openTrees.set(card, { against: null });
  drawCard(number);
  /** @type {HTMLElement | null} */ (viewOf(number).tree.querySelector("[aria-selected=true]"))?.focus({
    preventScroll: true,
  });
};
/**
 * The shown version of a card is compared with this one.
 * @param {number} number
 * @param {Card} card
 * @param {string | null} against an id, "auto" or null
 */
const compare = (number, card, against) => {
  openTrees.set(card, { against });
  drawCard(number);
};
/** The candidates that say nearly the same are shown, or hidden again. */
const turnAlike = () => {
  const run = shownRun();
  if (run.alike) delete run.alike;
  else run.alike = "shown";
  decideHidden();
  save();
};
/** @param {Card} card */
const turnFavourite = (card) => {
  const one = favouriteOf(shownRun(), version(card));
  if (isFavourite(one)) removeFavourite(one);
  else keepFavourite(one);
};

/** What stands above or below the cards. @type {Record<string, (button: HTMLElement) => void>} */
const ABOVE = {
  "run-back": () => turn(-1),
  "run-on": () => turn(1),
  undo: () => undo(false),
  redo: () => undo(true),
  unfold: () => {
    unfold();
    lookAgain();
  },
  restore: restoreRun,
  "as-text": () => showAs(false),
  "as-tokens": () => showAs(true),
  "copy-all": copyAll,
  alike: turnAlike,
};
/** What stands on a card. @type {Record<string, (number: number, card: Card, button: HTMLElement) => void>} */
const ON_CARD = {
  "version-back": (number, card) => step(number, card, -1),
  "version-on": (number, card) => step(number, card, 1),
  tree: openTree,
  compare: (number, card) => compare(number, card, openTrees.get(card)?.against ? null : "auto"),
  "compare-close": (number, card) => compare(number, card, null),
  prune: (number, card) => cut(number, version(card)),
  "bring-back": (number, card, button) => {
    const one = byId(card, button.dataset.version);
    if (one) restore(number, one);
  },
  copy: (_, card, button) => copyText(button, card),
  favourite: (_, card) => turnFavourite(card),
  edit,
  continue: (number) => ask("continue", number),
  regenerate: (number) => ask("regenerate", number),
  "keep-seed": (_, card) => tell("knob", { name: "seed", value: version(card).seed }),
  plain: (number, card) => {
    version(card).plain = !version(card).plain;
    drawCard(number);
  },
};
/**
 * The card around an event.
 * @param {Event} event
 * @returns {{number: number, card: Card} | null}
 */
const cardAround = (event) => {
  const holder = around(event, ".card");
  const number = Number(holder?.dataset.card);
  return holder ? { number, card: shownCard(number) } : null;
};
/**
 * Whoever uses the keyboard stays where he is, also where his button has gone.
 * @param {string} name
 * @param {HTMLElement} place
 */
const focusNear = (name, place) => {
  const here = document.activeElement;
  if (element.contains(here) && !(here instanceof HTMLButtonElement && here.disabled)) return;
  /** @type {HTMLElement | null} */ (
    place.querySelector(`[name="${name}"]:not(:disabled), button:not(:disabled)`)
  )?.focus({ preventScroll: true });
};
element.addEventListener("click", (event) => {
  const at = cardAround(event);
  const twig = around(event, ".twig", HTMLElement);
  const button = around(event, "button[name]", HTMLButtonElement);
  if (twig && at) {
    twig.focus({ preventScroll: true });
    const one = byId(at.card, twig.dataset.version);
    if (one) walk(at.number, one);
  } else if (button && !button.disabled) {
    const had = element.contains(document.activeElement);
    if (at) ON_CARD[button.name]?.(at.number, at.card, button);
    else ABOVE[button.name]?.(button);
    if (had) focusNear(button.name, at ? viewOf(at.number).node : find(element, ".results-head"));
  }
});
// A click on a word of a text shows its tokens and opens the one that was clicked; a selection is for copying.
element.addEventListener("click", (event) => {
  const body = around(event, ".card-body", HTMLElement);
  const at = cardAround(event);
  if (!body || !at || body.classList.contains("as-tokens") || String(window.getSelection())) return;
  const one = version(at.card);
  const place = placeAt(one, body, event);
  if (place === null || one.run === null) return;
  showAs(true);
  tell("word", { run: one.run, row: one.row, at: place });
  look(at.number);
});
element.addEventListener("change", (event) => {
  const at = cardAround(event);
  const chosen = event.target;
  if (!at || !(chosen instanceof HTMLSelectElement)) return;
  if (chosen.name === "compare-one") compare(at.number, at.card, chosen.value);
  const two = chosen.name === "compare-two" ? byId(at.card, chosen.value) : null;
  if (two) walk(at.number, two);
});
element.addEventListener("keydown", (event) => {
  const at = around(event, ".twig") ? cardAround(event) : null;
  if (!at || event.ctrlKey || event.metaKey || event.altKey) return;
  const one = version(at.card);
  const wanted = versionAt(at.card, event.key);
  if (wanted) walk(at.number, wanted);
  else if (event.key === "Delete" && !shown.growing && mayPrune(at.card, one)) cut(at.number, one);
  else return;
  event.preventDefault();
});
element.addEventListener("keydown", (event) => {
  const tree = event.key === "Escape" && !event.defaultPrevented ? around(event, ".card .tree", HTMLElement) : null;
  const at = tree && cardAround(event);
  if (!at) return;
  event.preventDefault(); // Escape closes what is inside before it ends a run
  openTree(at.number, at.card);
  find(viewOf(at.number).node, "[name=tree]").focus({ preventScroll: true });
});
const WRITES = "textarea, select, [contenteditable=true], input:not([type=range], [type=radio], [type=checkbox])";
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented || !element.offsetParent) return;
  const key = event.key.toLowerCase();
  if ((key !== "z" && key !== "y") || around(event, WRITES) || !(past.done.length || past.undone.length)) return;
  event.preventDefault(); // also where nothing is left: the browser would take back what was typed in some field
  undo(key === "y" || event.shiftKey);
});

const kept = keptRuns();
if (kept) {
  runs.push(...kept.runs);
  shown.at = kept.at;
  if (kept.unfolded) keepUnfolded(shownRun().id);
}
window.addEventListener("pagehide", save);
listen("cards", receive);
on(
  "language",
  () => {
    drawRun();
    drawFavourites();
    showExample();
  },
  "cards",
);
on(
  "run",
  (news) => {
    showStatus(news.running ? news.status : null);
    if (!news.running && shown.growing) settle(news.finish);
  },
  "cards",
);
on("connection", drawCards, "cards"); // what they say of a server that was gone
on("looked", answered, "cards");
on(
  "texts",
  (news) => {
    takeTexts(news);
    drawBodies();
  },
  "cards",
);
on(
  "composed",
  (form) => {
    const other = form.kind !== now.form.kind || form.task?.id !== now.form.task?.id;
    if (other && now.form.kind) foldAgain();
    now.form = form;
    if (other) showExample();
    drawHead();
  },
  "cards",
);
on("wishing", (wishing) => haveComeBack(wishing) && lookAgain(), "cards");
on(
  "knobs",
  (knobs) => {
    now.knobs = knobs;
  },
  "cards",
);
on(
  "preset",
  (preset) => {
    now.preset = preset;
  },
  "cards",
);
on(
  "preset_title",
  (title) => {
    now.preset_title = title;
  },
  "cards",
);
on(
  "server",
  (status) => {
    now.model = status.model?.title ?? "";
  },
  "cards",
);
drawRun();
drawFavourites();
