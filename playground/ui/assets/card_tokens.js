// A card as text or as tokens: the tokens of the run that is looked at stand in their own cards (tokens.js draws them). A
// click on a word of a text shows its tokens and opens the one that was clicked. Runs inside the same function as cards.js.
const SHOW = "playground-show";
let asTokens = window.playground.stored(SHOW) === "tokens";
let tokenTexts = null; // {run, rows, take}: the tokens that are here

/** Where in the text of a version its own tokens begin: a continuation has what it goes on from before them. */
const startOf = (one) => (one.offset ?? 0) + (one.kind === "branch" ? (one.became ?? "").length : 0);
/** The tokens of a version, as one node; null where it is shown as text. */
const tokensOf = (one) => {
  const here = asTokens && tokenTexts?.run === one.run && tokenTexts.rows.has(one.row) && !one.edited;
  return here ? tokenTexts.take(one.row) : null;
};
/** Draws a version as its tokens; false where it is to be drawn as text. */
const drawTokens = (view, one) => {
  const node = tokensOf(one);
  view.body.classList.toggle("as-tokens", Boolean(node));
  if (!node) return false;
  view.body.classList.toggle("writing", !one.finish);
  view.body.classList.remove("nothing");
  const before = one.text.slice(0, startOf(one));
  if (node.parentNode !== view.body) view.body.replaceChildren(pg.make("span", { class: "card-before" }, before), node);
  view.shown = null;
  return true;
};
const drawSwitch = () => {
  for (const name of ["as-text", "as-tokens"]) {
    find(`[name=${name}]`).setAttribute("aria-pressed", String((name === "as-tokens") === asTokens));
  }
  find(".results-tokens").classList.toggle("of-text", !asTokens);
};
const drawBodies = () => shownCards.forEach((view, number) => drawBody(view, version(runs[at].cards[number])));
const showAs = (wanted) => {
  asTokens = wanted;
  pg.store(SHOW, asTokens ? "tokens" : "text");
  drawSwitch();
  drawBodies();
};
/** The place of a click in the text of a body, in characters. */
const placeIn = (body, event) => {
  const found = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  const range = found ? null : document.caretRangeFromPoint?.(event.clientX, event.clientY);
  const [node, offset] = found ? [found.offsetNode, found.offset] : [range?.startContainer, range?.startOffset];
  return node === body.firstChild && node?.nodeType === Node.TEXT_NODE ? offset : null;
};
/** The rest of the page may now ask and tell. */
const hearTokens = () => {
  element.addEventListener("click", (event) => {
    const body = event.target.closest(".card-body");
    if (!body || asTokens || String(window.getSelection())) return; // a selection is for copying
    const number = Number(body.closest(".card").dataset.card);
    const one = version(runs[at].cards[number]);
    const offset = placeIn(body, event);
    if (offset === null || one.edited || one.finish === "example") return;
    const place = one.text.length - body.firstChild.length + offset - startOf(one);
    if (place < 0) return; // of what the text goes on from
    showAs(true);
    pg.tell("word", { run: one.run, row: one.row, at: Math.max(0, place) });
    look(number);
  });
  pg.cards = { holds: (run) => runs.some(({ cards }) => cards.some((card) => card.versions.some((one) => one.run === run || one.id === run))) };
  pg.on("texts", (news) => {
    tokenTexts = news;
    drawBodies();
  }, "cards");
};
