// The versions of a card as a tree, and what was done to it, to be taken back. Nothing is ever deleted: a version that
// was pruned or undone is only `gone`. No drawing here.
//
// version: {id, run, row, parent, kind, position, offset, was, became, …} beside what the server told of the row.
// card: {versions: oldest first, at: the id of the one that is shown, gone: [ids]}.

const asVersion = (row, { id, run = null, at = 0, parted = null }) => ({
  ...row, id, run, row: at, parent: parted?.parent ?? null, kind: parted?.kind ?? "first",
  position: parted?.position ?? null, offset: parted?.offset ?? null, was: parted?.was ?? null, became: parted?.became ?? null,
});
const byId = (card, id) => card.versions.find((one) => one.id === id);
const version = (card) => byId(card, card.at);
const isGone = (card, one) => card.gone.includes(one.id);
const live = (card) => card.versions.filter((one) => !isGone(card, one));
const numberOf = (card, one) => live(card).indexOf(one) + 1;
const parentOf = (card, one) => (one.parent === null ? undefined : byId(card, one.parent));
/** The nearest version that is still there and from which this one grew; a new seed grows from the prompt alone. */
const branchedFrom = (card, one) => {
  if (one.kind === "regenerate") return undefined;
  let parent = parentOf(card, one);
  while (parent && isGone(card, parent)) parent = parent.kind === "regenerate" ? undefined : parentOf(card, parent);
  return parent;
};
/** [{one, depth}] in the order of a tree: behind each version what grew from it, oldest first. */
const treeOf = (card) => {
  const twigs = [];
  const add = (parent, depth) => {
    for (const one of live(card)) {
      if (branchedFrom(card, one) !== parent) continue;
      twigs.push({ one, depth });
      add(one, depth + 1);
    }
  };
  add(undefined, 1);
  return twigs;
};
/** This version and what grew from it, also through versions that are gone. */
const grownFrom = (card, root) => card.versions.filter((one) => {
  for (let at = one; at; at = at.kind === "regenerate" ? undefined : parentOf(card, at)) if (at === root) return true;
  return false;
});
/** Of what is gone, the versions that did not go with another one. */
const goneRoots = (card) => card.versions.filter((one) => isGone(card, one) && !card.versions.some(
  (root) => root !== one && isGone(card, root) && grownFrom(card, root).includes(one)));

// Where two texts part: never in the middle of a word or of a character.
const WORD = /[\p{L}\p{N}\p{M}]/u;
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const inWord = (before, after) => WORD.test(before) && WORD.test(after) && !(SPACELESS.test(before) || SPACELESS.test(after));
const partingOf = (one, two) => {
  const signs = [...one];
  const others = [...two];
  let at = 0;
  while (at < signs.length && signs[at] === others[at]) at += 1;
  const cuts = (list) => at > 0 && at < list.length && (inWord(list[at - 1], list[at]) || /\p{M}|\u200d|\ufe0f/u.test(list[at]));
  while (at > 0 && at < Math.max(signs.length, others.length) && (cuts(signs) || cuts(others))) at -= 1;
  return signs.slice(0, at).join("").length;
};
/** Where a version parts from the one it grew from, in its own text. */
const partedAt = (card, one) => {
  if (one.kind === "first" || one.kind === "regenerate") return 0;
  const parent = parentOf(card, one);
  return one.offset ?? (parent ? partingOf(parent.text, one.text) : 0);
};

// What was done, newest last: {run, card, what, show, hide, from, to}. `show` are versions that came, `hide` that went.
const past = { done: [], undone: [] };
const MOST_DONE = 200;
const without = (list, ids) => list.filter((id) => !ids.includes(id));
const apply = (card, { show, hide }, to) => {
  card.gone = [...without(card.gone, show), ...hide];
  card.at = to;
  if (isGone(card, version(card))) card.at = (live(card)[0] ?? card.versions[0]).id; // never something that is not there
};
/** Steps of the same kind on one card, such as walking through its versions, are one step for Undo. */
const did = (run, number, what, { show = [], hide = [], to }) => {
  const card = run.cards[number];
  const last = past.done.at(-1);
  const from = card.at;
  past.undone = [];
  if (what === "walk" && last?.what === "walk" && last.run === run.id && last.card === number) last.to = to;
  else past.done.push({ run: run.id, card: number, what, show, hide, from, to });
  past.done.splice(0, past.done.length - MOST_DONE);
  apply(card, { show, hide }, to);
};
const walkTo = (run, number, id) => { if (id !== run.cards[number].at) did(run, number, "walk", { to: id }); };
/** A version that was just generated or written becomes the one that is shown. */
const grew = (run, number, one) => {
  const card = run.cards[number];
  card.versions.push(one);
  did(run, number, one.kind, { show: [one.id], to: one.id });
};
/** What grew from a version that is taken away goes too; the last version of a card stays. */
const pruned = (card, one) => grownFrom(card, one).filter((other) => !isGone(card, other));
const mayPrune = (card, one) => pruned(card, one).length < live(card).length;
const prune = (run, number, one) => {
  const card = run.cards[number];
  const hide = pruned(card, one).map((other) => other.id);
  const left = live(card).filter((other) => !hide.includes(other.id));
  const near = branchedFrom(card, one) ?? left.findLast((other) => card.versions.indexOf(other) < card.versions.indexOf(one)) ?? left[0];
  did(run, number, "prune", { hide, to: hide.includes(card.at) ? near.id : card.at });
};
const bringBack = (run, number, one) => {
  const card = run.cards[number];
  const show = grownFrom(card, one).filter((other) => isGone(card, other)).map((other) => other.id);
  did(run, number, "restore", { show, to: one.id });
};
/** The last step taken back, or done again; tells which card it was. */
const takeBack = (runs) => {
  const step = past.done.pop();
  const card = runs.find((run) => run.id === step.run).cards[step.card];
  past.undone.push(step);
  apply(card, { show: step.hide, hide: step.show }, step.from);
  return step;
};
const doAgain = (runs) => {
  const step = past.undone.pop();
  past.done.push(step);
  apply(runs.find((run) => run.id === step.run).cards[step.card], step, step.to);
  return step;
};
