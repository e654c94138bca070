// The versions of a card as a tree. Nothing is ever deleted: a version that was pruned or undone is only `gone`. Knows
// no drawing, and not how a version came to be.

/** @typedef {import("./answer").Row} Row */
/** @typedef {import("./runs").Version} Version */
/** @typedef {import("./runs").Card} Card */
/** @typedef {import("./runs").Parting} Parting */

/**
 * What the server, or a hand, told of a text, as a version of a card.
 * @param {Row} row
 * @param {{id: string, run?: string | null, at?: number, parted?: Partial<Parting> | null}} where `at` is the row of its run
 * @returns {Version}
 */
export const asVersion = (row, { id, run = null, at = 0, parted = null }) => ({
  ...row,
  id,
  run,
  row: at,
  parent: parted?.parent ?? null,
  kind: parted?.kind ?? "first",
  position: parted?.position ?? null,
  offset: parted?.offset ?? null,
  was: parted?.was ?? null,
  became: parted?.became ?? null,
});
/**
 * The model that wrote it, with its revision; "" where nobody said.
 * @param {Row} row
 */
export const writerOf = ({ model, revision }) => (model && revision ? `${model} (${revision})` : (model ?? ""));
/**
 * A card with this one version.
 * @param {Version} one
 * @returns {Card}
 */
export const cardOf = (one) => ({ versions: [one], at: one.id, gone: [] });
/** @param {Card} card @param {string | null | undefined} id */
export const byId = (card, id) => card.versions.find((one) => one.id === id);
/**
 * The version that is shown.
 * @param {Card} card
 */
export const version = (card) => /** @type {Version} */ (byId(card, card.at));
/** Whether it was to go on with a text that the model ended at once. @param {Version} one */
export const addedNothing = ({ kind, finish, text, offset }) =>
  kind === "continue" && finish === "end" && text.length <= (offset ?? -1);
/** @param {Card} card @param {Version} one */
export const isGone = (card, one) => card.gone.includes(one.id);
/** @param {Card} card */
export const live = (card) => card.versions.filter((one) => !isGone(card, one));
/**
 * As it is counted on the card, from 1.
 * @param {Card} card
 * @param {Version} one
 */
export const numberOf = (card, one) => live(card).indexOf(one) + 1;
/** @param {Card} card @param {Version} one */
export const parentOf = (card, one) => (one.parent === null ? undefined : byId(card, one.parent));
/**
 * The nearest version that is still there and from which this one grew; a new seed grows from the prompt alone.
 * @param {Card} card
 * @param {Version} one
 */
export const branchedFrom = (card, one) => {
  if (one.kind === "regenerate") return undefined;
  let parent = parentOf(card, one);
  while (parent && isGone(card, parent)) parent = parent.kind === "regenerate" ? undefined : parentOf(card, parent);
  return parent;
};
/**
 * In the order of a tree: behind each version what grew from it, oldest first.
 * @param {Card} card
 * @returns {{one: Version, depth: number}[]}
 */
export const treeOf = (card) => {
  /** @type {{one: Version, depth: number}[]} */
  const twigs = [];
  /** @param {Version | undefined} parent @param {number} depth */
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
/**
 * This version and what grew from it, also through versions that are gone.
 * @param {Card} card
 * @param {Version} root
 */
export const grownFrom = (card, root) =>
  card.versions.filter((one) => {
    /** @type {Version | undefined} */
    let at = one;
    while (at && at !== root) at = at.kind === "regenerate" ? undefined : parentOf(card, at);
    return at === root;
  });
/**
 * Of what is gone, the versions that did not go with another one.
 * @param {Card} card
 */
export const goneRoots = (card) =>
  card.versions.filter(
    (one) =>
      isGone(card, one) &&
      !card.versions.some((root) => root !== one && isGone(card, root) && grownFrom(card, root).includes(one)),
  );
/**
 * What goes where a version is taken away: also what grew from it.
 * @param {Card} card
 * @param {Version} one
 */
export const pruned = (card, one) => grownFrom(card, one).filter((other) => !isGone(card, other));
/**
 * The last version of a card stays.
 * @param {Card} card
 * @param {Version} one
 */
export const mayPrune = (card, one) => pruned(card, one).length < live(card).length;

/** @type {Record<string, number>} */
const STEPS = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };
/**
 * Which version a key leads to in the tree; undefined where it is no key of it.
 * @param {Card} card
 * @param {string} key
 */
export const versionAt = (card, key) => {
  const versions = treeOf(card).map(({ one }) => one);
  const here = version(card);
  if (STEPS[key]) return versions[Math.min(Math.max(versions.indexOf(here) + STEPS[key], 0), versions.length - 1)];
  if (key === "ArrowLeft") return branchedFrom(card, here) ?? here;
  if (key === "ArrowRight") return versions.find((one) => branchedFrom(card, one) === here) ?? here;
  return undefined;
};
