// A card's versions drawn as a tree that is walked with the arrow keys, and two of them side by side.
// Runs inside the same function as cards.js.

const openTrees = new WeakMap(); // card -> {against: the id of the version it is compared with, "auto" or null}
const quoted = (text) => {
  const shown = onOneLine(text ?? "");
  return shown.length > 24 ? `${shown.slice(0, 23)}…` : shown || "◦";
};
const firstWords = (text) => onOneLine(text.trimStart().slice(0, 160));
/** How a version goes on where it parted; from the beginning, what was answered there. */
const wordsOf = (card, one) => {
  const at = partedAt(card, one);
  return firstWords(at ? one.text.slice(at) : answerOf(one));
};
/** Where a version parted from the one it grew from, in words. */
const partingWords = (card, one) => {
  const token = { n: one.position + 1, was: quoted(one.was), became: quoted(one.became) };
  switch (one.kind) {
    case "branch": return pg.t(one.became === null ? "version_token_open" : "version_token", token);
    case "continue": return pg.t("version_on");
    case "regenerate": return pg.t("version_seed", { seed: one.seed });
    case "edit": {
      const before = parentOf(card, one)?.text ?? "";
      const at = partedAt(card, one);
      return pg.t("version_hand", { was: quoted(before.slice(at, at + 18)), became: quoted(one.text.slice(at, at + 18)) });
    }
    default: return pg.t("version_first");
  }
};
const facts = (one) => [
  one.edited || one.tokens === null || one.tokens === undefined ? "" : pg.t("tokens", { count: pg.number(one.tokens) }),
  one.finish === "example" || one.edited ? "" : finishWords(one),
].filter(Boolean).join(" · ");

const twigOf = (card, { one, depth }) => {
  const shown = one.id === card.at;
  const words = wordsOf(card, one) || pg.t("compare_ends");
  return pg.make("div", {
    class: "twig", role: "treeitem", "data-version": one.id, "aria-level": depth, "aria-selected": String(shown),
    tabindex: shown ? 0 : -1, style: `--depth: ${Math.min(depth, 9) - 1}`,
  },
  pg.make("span", { class: "twig-number" }, String(numberOf(card, one))),
  pg.make("span", { class: "twig-words" }, pg.make("span", { class: "twig-from" }, partingWords(card, one)), pg.make("span", { class: "twig-text", dir: "auto" }, words)),
  pg.make("span", { class: "twig-facts" }, facts(one)));
};
const goneOf = (card) => {
  const roots = goneRoots(card);
  if (!roots.length) return [];
  const list = pg.make("ul", {}, ...roots.map((one) => pg.make("li", {},
    pg.make("span", { class: "twig-words" }, pg.make("span", { class: "twig-from" }, partingWords(card, one)),
      pg.make("span", { class: "twig-text", dir: "auto" }, wordsOf(card, one))),
    pg.make("button", { type: "button", class: "quiet strong", name: "bring-back", "data-version": one.id }, pg.t("bring_back")))));
  const count = card.versions.length - live(card).length;
  return [pg.make("details", { class: "gone" }, pg.make("summary", {}, pg.t("pruned", { count })), list)];
};
/** Drawn anew with every change of the tree; the focus stays on the version that is shown. */
const drawTree = (view, card, busy) => {
  const tree = view.tree;
  const open = openTrees.get(card);
  tree.hidden = !open;
  if (!open) return;
  const focused = tree.contains(document.activeElement) ? document.activeElement : null;
  const inTwigs = focused?.getAttribute("role") === "treeitem";
  const wasOpen = tree.querySelector(".gone")?.open;
  const twigs = pg.make("div", { class: "twigs", role: "tree", "aria-label": pg.t("versions") }, ...treeOf(card).map((twig) => twigOf(card, twig)));
  const bar = pg.make("div", { class: "twig-bar" },
    pg.make("button", { type: "button", class: "quiet strong", name: "compare", "aria-pressed": String(Boolean(open.against)), disabled: live(card).length < 2 }, pg.t("compare")),
    pg.make("button", { type: "button", class: "quiet strong", name: "prune", title: pg.t("prune_hint"), disabled: busy || !mayPrune(card, version(card)) }, pg.t("prune")));
  const gone = goneOf(card);
  tree.replaceChildren(twigs, bar, ...(open.against && live(card).length > 1 ? [comparison(card)] : []), ...gone);
  if (wasOpen && gone.length) gone[0].open = true;
  if (inTwigs) twigs.querySelector("[aria-selected=true]")?.focus({ preventScroll: true });
  else if (focused) {
    const same = focused.name && tree.querySelector(`[name="${focused.name}"]:not(:disabled)`);
    (same || twigs.querySelector("[aria-selected=true]"))?.focus({ preventScroll: true });
  }
  const box = twigs.querySelector("[aria-selected=true]");
  if (box && (box.offsetTop < twigs.scrollTop || box.offsetTop + box.offsetHeight > twigs.scrollTop + twigs.clientHeight)) {
    twigs.scrollTop = box.offsetTop - twigs.clientHeight / 2;
  }
};
/** While a version grows: only its own line, so that nothing is taken from under a hand. */
const drawTwig = (view, card, one) => {
  const twig = view.tree.querySelector(`.twig[data-version="${CSS.escape(one.id)}"]`);
  if (!twig) return;
  twig.querySelector(".twig-text").textContent = wordsOf(card, one);
  twig.querySelector(".twig-facts").textContent = facts(one);
};

/** The other version of a comparison: the one that was chosen, else what the shown one grew from, else the first. */
const against = (card) => {
  const chosen = byId(card, openTrees.get(card).against);
  const one = version(card);
  if (chosen && chosen !== one && !isGone(card, chosen)) return chosen;
  return branchedFrom(card, one) ?? live(card).find((other) => other !== one);
};
// What comes behind the parting: marked is the token where that is known, else the first word.
const FIRST = /^\s*(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}\p{M}'’]+|\S)?/u;
const behind = (text, label, token) => {
  const first = token && text.startsWith(token) ? token : FIRST.exec(text)[0];
  const words = text === "" ? [pg.make("i", {}, pg.t("compare_ends"))] : [pg.make("mark", {}, first), text.slice(first.length)];
  return pg.make("p", { class: "compare-side", dir: "auto", role: "group", "aria-label": label }, ...words);
};
/** Where two versions part: where one says it left the other, else where their texts do. */
const partingAt = (card, one, two) => {
  const [older, newer] = branchedFrom(card, one) === two ? [two, one] : [one, two];
  const told = branchedFrom(card, newer) === older && newer.offset;
  return told && older.text.slice(0, told) === newer.text.slice(0, told) ? told : partingOf(one.text, two.text);
};
const comparison = (card) => {
  const [one, two] = [against(card), version(card)];
  const choose = (name, chosen, label) => pg.make("label", {}, pg.make("span", {}, pg.t(label)), pg.make("select", { name },
    ...live(card).map((other) => pg.make("option", { value: other.id, selected: other === chosen },
      `${pg.t("version_n", { n: numberOf(card, other) })} · ${partingWords(card, other)}`))));
  const [text, other] = [one.text, two.text];
  const at = partingAt(card, one, two);
  const thought = text.length - answerOf(one).length; // the same in both where they part behind it, and folded on the card
  const shared = pg.make("p", { class: "compare-shared", dir: "auto", "aria-label": pg.t("compare_shared") },
    text.slice(thought <= at ? thought : 0, at).trimStart());
  const tokens = branchedFrom(card, two) === one ? [two.was, two.became] : branchedFrom(card, one) === two ? [one.became, one.was] : [];
  const name = (which) => pg.t("version_n", { n: numberOf(card, which) });
  return pg.make("section", { class: "compare", "aria-label": pg.t("compare") },
    pg.make("div", { class: "compare-heads" }, choose("compare-one", one, "compare_one"), choose("compare-two", two, "compare_with"),
      pg.make("button", { type: "button", class: "quiet", name: "compare-close", "aria-label": pg.t("compare_close") }, "×")),
    ...(shared.textContent ? [shared] : []),
    text === other ? pg.make("p", { class: "compare-same" }, pg.t("compare_same"))
      : pg.make("div", { class: "compare-sides" }, behind(text.slice(at), name(one), tokens[0]), behind(other.slice(at), name(two), tokens[1])));
};

const TWIG_STEPS = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };
/** Which version a key leads to; undefined where it is no key of the tree. */
const twigAt = (card, key) => {
  const twigs = treeOf(card).map(({ one }) => one);
  const here = version(card);
  if (TWIG_STEPS[key]) return twigs[Math.min(Math.max(twigs.indexOf(here) + TWIG_STEPS[key], 0), twigs.length - 1)];
  if (key === "ArrowLeft") return branchedFrom(card, here) ?? here;
  if (key === "ArrowRight") return twigs.find((one) => branchedFrom(card, one) === here) ?? here;
  return undefined;
};
