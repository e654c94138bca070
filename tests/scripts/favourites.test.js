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

test("a text is kept once, and one that is removed is gone", () => {
  const list = withOne(withOne(withOne([], one("a")), one("b")), one("a", { seed: 8 }));
  assert.deepEqual(
    list.map(({ text, seed }) => [text, seed]),
    [
      ["a", 8],
      ["b", 7],
    ],
  );
  assert.equal(has(without(list, "a"), "a"), false);
  assert.equal(has(without(list, "a"), "b"), true);
});

test("of too many the oldest fall out", () => {
  let list = [];
  for (let at = 0; at <= MOST; at += 1) list = withOne(list, one(String(at)));
  assert.equal(list.length, MOST);
  assert.deepEqual([has(list, "0"), has(list, "1"), has(list, String(MOST))], [false, true, true]);
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
