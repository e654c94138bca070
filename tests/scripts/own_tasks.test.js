import assert from "node:assert/strict";
import { test } from "node:test";
import { readable, twinOf, withOne } from "../../playground/ui/scripts/compose/own_tasks.js";

const one = { key: "own:1", yaml: "id: one", record: { id: "one", fields: [] } };
const two = { key: "own:2", yaml: "id: two", record: { id: "two", fields: [] } };

test("of what a browser kept, tasks are taken and nothing else", () => {
  const kept = [one, null, 3, { key: 1 }, { ...one, yaml: null }, { ...one, record: { fields: "x" } }, two];
  assert.deepEqual(readable(JSON.stringify(kept)), [one, two]);
  for (const text of [null, "", "{", "{}", "3"]) assert.deepEqual(readable(text), []);
});

test("a task takes the place of the one with its key, or the last", () => {
  const changed = { ...one, yaml: "id: changed" };
  assert.deepEqual(withOne([one, two], changed), [changed, two]);
  assert.deepEqual(withOne([one], two), [one, two]);
});

test("a task that is kept already is found by its text, another one by its id", () => {
  const windows = { ...two, key: "own:3", yaml: "id: two  \r\n\r\n" };
  assert.deepEqual(twinOf([one, two], windows), { same: two });
  assert.deepEqual(twinOf([one, two], { ...two, yaml: "id: two\ntitle: other" }), { alike: two });
  assert.deepEqual(twinOf([{ ...one, record: two.record }, two], two), { same: two });
  assert.equal(twinOf([one], two), null);
});
