import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { bringBack, doAgain, grew, past, prune, takeBack, walkTo } from "../../playground/ui/scripts/cards/history.js";
import { partedAt, partingAt, partingOf } from "../../playground/ui/scripts/cards/partings.js";
import {
  addedNothing,
  asVersion,
  branchedFrom,
  byId,
  cardOf,
  goneRoots,
  grownFrom,
  live,
  mayPrune,
  numberOf,
  treeOf,
  version,
  versionAt,
} from "../../playground/ui/scripts/cards/versions.js";

const one = (id, text, parted) => asVersion({ text, tokens: 3, seed: 1 }, { id, run: id, parted });
const ids = (list) => list.map(({ id }) => id);
/** One run with one card: a is the first, b grew from a, c from b, d is a new seed, e from a. */
const grown = () => {
  const run = { id: "r", request: { prompt: "" }, cards: [cardOf(one("a", "The sea is calm."))] };
  const add = (id, text, kind, parent, more = {}) => grew(run, 0, one(id, text, { kind, parent, ...more }));
  add("b", "The sea was calm.", "branch", "a", { position: 2, offset: 8, was: "is", became: "was" });
  add("c", "The sea was calm. And then", "continue", "b", { offset: 17 });
  add("d", "A harbour", "regenerate", "c");
  add("e", "The lake is calm.", "edit", "a");
  return { run, card: run.cards[0], runs: [run] };
};
const undoAll = (runs) => {
  const steps = [];
  for (let step = takeBack(runs[0]); step; step = takeBack(runs[0])) steps.push(step.what);
  return steps;
};
beforeEach(() => {
  past.done = [];
  past.undone = [];
});

test("a version that came is shown, and stands behind the one it grew from", () => {
  const { card } = grown();
  assert.equal(version(card).id, "e");
  assert.deepEqual(
    treeOf(card).map(({ one: { id }, depth }) => [id, depth]),
    [
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["e", 2],
      ["d", 1],
    ],
  );
  assert.deepEqual(ids(live(card)), ["a", "b", "c", "d", "e"]);
  assert.equal(numberOf(card, byId(card, "d")), 4);
  assert.deepEqual(ids(grownFrom(card, byId(card, "a"))), ["a", "b", "c", "e"]); // a new seed grew from no text
});

test("steps are taken back one by one, and done again, to where it was", () => {
  const { card, runs } = grown();
  const before = JSON.stringify(card);
  assert.deepEqual(undoAll(runs), ["edit", "regenerate", "continue", "branch"]);
  assert.deepEqual(ids(live(card)), ["a"]);
  assert.equal(takeBack(runs[0]), undefined);
  while (doAgain(runs[0]));
  assert.deepEqual({ ...JSON.parse(before), gone: [] }, JSON.parse(JSON.stringify(card)));
});

test("what is done after an undo leaves nothing to be done again", () => {
  const { run, card, runs } = grown();
  takeBack(runs[0]);
  walkTo(run, 0, "a");
  assert.equal(doAgain(runs[0]), undefined);
  assert.equal(version(card).id, "a");
  assert.deepEqual(card.gone, ["e"]);
});

test("walking through versions is one step, and standing still none", () => {
  const { run, card, runs } = grown();
  const steps = past.done.length;
  walkTo(run, 0, "e");
  assert.equal(past.done.length, steps);
  for (const id of ["a", "b", "c"]) walkTo(run, 0, id);
  assert.equal(past.done.length, steps + 1);
  assert.equal(takeBack(runs[0]).what, "walk");
  assert.equal(version(card).id, "e");
  assert.equal(doAgain(runs[0]).what, "walk");
  assert.equal(version(card).id, "c");
});

test("only so many steps are remembered", () => {
  const { run, runs } = grown();
  for (let times = 0; times < 300; times += 1) {
    walkTo(run, 0, "a");
    prune(run, 0, byId(run.cards[0], "d"));
  }
  assert.equal(undoAll(runs).length, 200);
});

test("with a version goes what grew from it, and what is shown then is near", () => {
  const { run, card, runs } = grown();
  walkTo(run, 0, "c");
  prune(run, 0, byId(card, "b"));
  assert.deepEqual(ids(live(card)), ["a", "d", "e"]);
  assert.equal(version(card).id, "a");
  assert.deepEqual(ids(goneRoots(card)), ["b"]);
  takeBack(runs[0]);
  assert.deepEqual(ids(live(card)), ["a", "b", "c", "d", "e"]);
  assert.equal(version(card).id, "c");
  doAgain(runs[0]);
  bringBack(run, 0, byId(card, "b"));
  assert.deepEqual(card.gone, []);
  assert.equal(version(card).id, "b");
  assert.equal(takeBack(runs[0]).what, "restore");
  assert.deepEqual(card.gone, ["b", "c"]);
});

test("a version that goes without being shown changes nothing that is", () => {
  const { run, card } = grown();
  prune(run, 0, byId(card, "d"));
  assert.equal(version(card).id, "e");
});

test("the last version of a card stays", () => {
  const { run, card } = grown();
  prune(run, 0, byId(card, "d"));
  assert.equal(mayPrune(card, byId(card, "a")), false);
  assert.equal(mayPrune(card, byId(card, "b")), true);
});

test("what grew from a version that is gone hangs on the nearest that is there", () => {
  const { card } = grown();
  card.gone = ["b"];
  assert.equal(branchedFrom(card, byId(card, "c")).id, "a");
  card.gone = ["a", "b"];
  assert.equal(branchedFrom(card, byId(card, "c")), undefined);
  assert.deepEqual(ids(goneRoots(card)), ["a"]);
});

test("each card has versions of its own, and a step names its card", () => {
  const { run, runs } = grown();
  run.cards.push(cardOf(one("x", "x")));
  grew(run, 1, one("y", "y", { kind: "regenerate", parent: "x" }));
  walkTo(run, 0, "a");
  walkTo(run, 1, "x");
  walkTo(run, 0, "b");
  assert.deepEqual(
    [takeBack(runs[0]).card, takeBack(runs[0]).card, takeBack(runs[0]).card, takeBack(runs[0]).card],
    [0, 1, 0, 1],
  );
  assert.equal(version(run.cards[1]).id, "x");
});

test("keys lead through the tree and no further", () => {
  const { card } = grown();
  const to = (at, key) => {
    card.at = at;
    return versionAt(card, key)?.id;
  };
  assert.equal(to("a", "ArrowDown"), "b");
  assert.equal(to("a", "ArrowUp"), "a");
  assert.equal(to("d", "ArrowDown"), "d");
  assert.equal(to("b", "End"), "d");
  assert.equal(to("b", "Home"), "a");
  assert.equal(to("c", "ArrowLeft"), "b");
  assert.equal(to("a", "ArrowLeft"), "a");
  assert.equal(to("b", "ArrowRight"), "c");
  assert.equal(to("e", "ArrowRight"), "e");
  assert.equal(to("a", "x"), undefined);
});

test("texts part before a word and before a character that is joined to another", () => {
  assert.equal(partingOf("The sea is", "The seal is"), 4);
  assert.equal(partingOf("same", "same"), 4);
  assert.equal(partingOf("same", "same and more"), 4);
  assert.equal(partingOf("港口的清晨", "港口的夜晚"), 3); // Han has no spaces: it parts between any two
  assert.equal(partingOf("e\u0301!", "e\u0300!"), 0);
  assert.equal(partingOf("🚢 a", "🚢 b"), 3); // as a browser counts
  assert.equal(partingOf("", "x"), 0);
});

test("a version parts where it was told to, else where its text does", () => {
  const { card } = grown();
  const at = (id) => partedAt(card, byId(card, id));
  assert.deepEqual(["a", "b", "c", "d", "e"].map(at), [0, 8, 17, 0, 4]);
  assert.equal(partingAt(card, byId(card, "a"), byId(card, "b")), 8);
  assert.equal(partingAt(card, byId(card, "b"), byId(card, "a")), 8);
  assert.equal(partingAt(card, byId(card, "b"), byId(card, "e")), 4);
});

test("a continuation that the model ended at once is told from one that went on or was stopped", () => {
  const ended = { ...one("a", "A harbour.", { kind: "continue", offset: 10 }), finish: "end" };
  assert.equal(addedNothing(ended), true);
  assert.equal(addedNothing({ ...ended, text: "A harbour. And a lamp." }), false);
  for (const other of [{ finish: "stopped" }, { finish: null }, { kind: "regenerate" }, { offset: null }]) {
    assert.equal(addedNothing({ ...ended, ...other }), false);
  }
});
