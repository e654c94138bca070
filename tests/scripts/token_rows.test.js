import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenRows, unpacked } from "../../playground/ui/scripts/tokens/token_rows.js";

const token = (text, id = text.length) => ({
  id,
  text,
  special: false,
  logprob: null,
  p: null,
  rank: null,
  entropy: null,
  top: [],
});
const tokens = (words) => words.split(" ").map((word) => token(word));
const piece = (words, more = {}) => ({
  run: "one",
  rows: [{ row: 0, from: 0, tokens: words ? tokens(words) : [], done: false, ...more }],
});
const texts = (held, row = 0) => held.rows.get(row).tokens.map((one) => one.text);

test("a piece goes behind what is here", () => {
  const held = new TokenRows();
  assert.deepEqual(held.merge(piece("a b")), { fresh: true, changes: [{ row: 0, keep: 0, finished: false }] });
  assert.deepEqual(held.merge(piece("c", { from: 2 })), {
    fresh: false,
    changes: [{ row: 0, keep: 2, finished: false }],
  });
  assert.deepEqual(texts(held), ["a", "b", "c"]);
});

test("tokens that are told again stay the ones that are here", () => {
  const held = new TokenRows();
  held.merge(piece("a b c"));
  const [first] = held.rows.get(0).tokens;
  const { changes } = held.merge(piece("a b changed d"));
  assert.equal(changes[0].keep, 2);
  assert.equal(held.rows.get(0).tokens[0], first);
  assert.deepEqual(texts(held), ["a", "b", "changed", "d"]);
});

test("a row may step back", () => {
  const held = new TokenRows();
  held.merge(piece("a b c d"));
  assert.deepEqual(held.merge(piece("", { from: 2 })).changes, [{ row: 0, keep: 2, finished: false }]);
  assert.deepEqual(texts(held), ["a", "b"]);
});

test("a piece behind a gap changes no token and says that one is missing, until one fits", () => {
  const held = new TokenRows();
  held.merge(piece("a b"));
  assert.deepEqual(held.merge(piece("d", { from: 3 })).changes, []);
  assert.equal(held.gap, true);
  assert.deepEqual(texts(held), ["a", "b"]);
  held.merge(piece("c d", { from: 2 }));
  assert.equal(held.gap, false);
  assert.deepEqual(texts(held), ["a", "b", "c", "d"]);
});

test("a row ends once", () => {
  const held = new TokenRows();
  assert.equal(
    held.merge(piece("a", { done: true, numbers: [{ label: "x", value: "1", hint: "" }] })).changes[0].finished,
    true,
  );
  assert.equal(held.merge(piece("a", { done: true })).changes[0].finished, false);
  assert.equal(held.rows.get(0).numbers.length, 1);
});

test("another run takes the place of the one before", () => {
  const held = new TokenRows();
  held.merge({ run: "one", rows: [0, 1].map((row) => ({ row, from: 0, tokens: tokens("a"), done: true })) });
  assert.equal(held.merge({ ...piece("b"), run: "two" }).fresh, true);
  assert.deepEqual([...held.rows.keys()], [0]);
});

test("a value that was told before the newest one is old", () => {
  const held = new TokenRows();
  assert.deepEqual(
    [3, 2, 3, 4].map((number) => held.isOld({ run: "one", rows: [], number })),
    [false, true, false, false],
  );
  assert.equal(held.isOld({ run: "one", rows: [] }), false);
});

test("a token that was sent as a list is read by its places", () => {
  const sent = [
    7,
    " a",
    -0.5,
    0.9,
    1,
    2.5,
    [
      [7, " a", 0.6],
      [2, "<end>", 0.1, 1],
    ],
    3,
  ];
  assert.deepEqual(unpacked(sent), {
    id: 7,
    text: " a",
    logprob: -0.5,
    p: 0.9,
    rank: 1,
    entropy: 2.5,
    top: [
      { id: 7, text: " a", p: 0.6, special: false },
      { id: 2, text: "<end>", p: 0.1, special: true },
    ],
    special: true,
    context: true,
  });
  const whole = token("a");
  assert.equal(unpacked(whole), whole);
});
