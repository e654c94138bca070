import assert from "node:assert/strict";
import { test } from "node:test";
import { addStream, finish, isOwed, owe } from "../../playground/ui/scripts/page/owed.js";

const stream = () => {
  const said = [];
  const decoder = new TextDecoder();
  return {
    said,
    enqueue: (bytes) => said.push(JSON.parse(decoder.decode(bytes).slice("data: ".length))),
    close: () => said.push("closed"),
  };
};

test("an event that nobody answers ends once there is a stream to say so, and no other with it", () => {
  owe("nobody", 2);
  owe("asked", 1);
  assert.equal(finish(["nobody"]), false); // Gradio has not opened its stream yet
  const late = stream();
  addStream(late);
  assert.equal(finish(["nobody"]), true);
  assert.deepEqual(
    late.said.map((message) => [message.msg, message.event_id, message.output?.data.length]),
    [["process_completed", "nobody", 2]],
  );
  assert.equal(finish(["nobody"]), true); // it has ended
  assert.equal(isOwed(), true);
  assert.equal(finish(), true);
  assert.deepEqual(
    late.said.slice(1).map((message) => message.event_id ?? message.msg ?? message),
    ["asked", "close_stream", "closed"],
  );
  assert.equal(isOwed(), false);
  assert.equal(finish(), true);
});

test("a stream that is opened once all was said is closed: Gradio would wait on it and read no other", () => {
  owe("quick", 1);
  const first = stream();
  addStream(first);
  assert.equal(finish(["quick"]), true);
  const late = stream();
  addStream(late); // a busy browser opens one more for what it was told already
  assert.equal(finish(["quick"]), true);
  assert.deepEqual(late.said, []); // by itself an event that has ended closes nothing
  assert.equal(finish(), true);
  assert.deepEqual(
    late.said.map((message) => message.msg ?? message),
    ["close_stream", "closed"],
  );
});
