import assert from "node:assert/strict";
import { test } from "node:test";
import { has, MOST, readFavourites, withOne, without } from "../../playground/ui/scripts/cards/favourites.js";

const one = (text, more = {}) => ({
  text,
  task: { en: "Slogans", zh: "广告语" },
  kind: "task",
  model: "m",
  seed: 7,
  day: "2026-01-31",
  ...more,
});

test("favourites are read as they were kept, newest first", () => {
  const list = withOne(withOne([], one("a")), one("b", { task: null, kind: "complete", seed: null }));
  assert.deepEqual(readFavourites(JSON.stringify(list)), list);
  assert.deepEqual(
    list.map(({ text }) => text),
    ["b", "a"],
  );
});

test("a text of a seed is kept once, and one that is removed is gone", () => {
  const list = withOne(withOne(withOne([], one("a")), one("b")), one("a", { day: "2026-02-01" }));
  assert.deepEqual(
    list.map(({ text, day }) => [text, day]),
    [
      ["a", "2026-02-01"],
      ["b", "2026-01-31"],
    ],
  );
  assert.equal(has(list, one("a", { seed: 8 })), false); // another candidate that says the same
  assert.equal(has(without(list, one("a")), one("a")), false);
  assert.equal(has(without(list, one("a")), one("b")), true);
});

test("of too many the oldest fall out", () => {
  let list = [];
  for (let at = 0; at <= MOST; at += 1) list = withOne(list, one(String(at)));
  assert.equal(list.length, MOST);
  assert.deepEqual(
    [one("0"), one("1"), one(String(MOST))].map((each) => has(list, each)),
    [false, true, true],
  );
});

test("of what is not sound nothing is believed", () => {
  for (const kept of [null, "nonsense", "null", "{}", '[{"text": 3}]', '[{"text": " "}]', "[null, 5]"]) {
    assert.deepEqual(readFavourites(kept), [], String(kept));
  }
  const odd = { text: "a", task: { en: 1 }, kind: "script", model: {}, seed: "7", day: "tomorrow", more: "<b>" };
  assert.deepEqual(readFavourites(JSON.stringify([odd, odd])), [
    { text: "a", task: null, kind: null, model: "", seed: null, day: "" },
  ]);
});
