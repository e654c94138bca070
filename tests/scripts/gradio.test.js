// What the page's scripts read of Gradio's streams, and what they end in the server's place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachMessage, eventsOf, purposeOf, wiresOf } from "../../playground/ui/scripts/page/gradio.js";
import { addStream, finish, handOn, hasStream, isOwed, owe } from "../../playground/ui/scripts/page/owed.js";

/** @param {(string | Uint8Array)[]} parts */
const stream = (parts) => new Blob(parts).stream();
/** A stream's controller that keeps what it gets. */
const reader = () => {
  /** @type {string[]} */
  const got = [];
  const controller = {
    desiredSize: 1,
    enqueue: (/** @type {Uint8Array} */ bytes) => got.push(new TextDecoder().decode(bytes)),
    close: () => got.push("closed"),
    error: () => {},
  };
  return { got, controller: /** @type {any} */ (controller) };
};

test("messages are told whole, however the bytes of a stream are cut", async () => {
  const bytes = new TextEncoder().encode('data: {"text":"日本"}\n\ndata: 2\n\ndata: cut');
  for (let at = 1; at < bytes.length; at += 1) {
    /** @type {string[]} */
    const told = [];
    const source = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, at));
        controller.enqueue(bytes.slice(at));
        controller.close();
      },
    });
    await eachMessage(source, (message) => told.push(message));
    assert.deepEqual(told, ['data: {"text":"日本"}', "data: 2"]);
  }
});
test("the events that a message tells of", () => {
  assert.deepEqual(eventsOf('{"event_id":"a1","x":{"event_id":"b2"}}'), ["a1", "b2"]);
  assert.deepEqual(eventsOf('{"event_id":null}'), []);
});
test("requests by what they are for", () => {
  assert.equal(purposeOf("http://x/gradio_api/queue/join?__theme=light"), "join");
  assert.equal(purposeOf("/gradio_api/queue/data?session_hash=x"), "data");
  assert.equal(purposeOf("/gradio_api/run/predict"), "call");
  assert.equal(purposeOf("/gradio_api/heartbeat/x"), "heartbeat");
  assert.equal(purposeOf("/theme.css"), null);
});
test("a page has other wires where an event has other outputs", () => {
  const event = { id: 0, targets: [[1, "click"]], inputs: [1], outputs: [2] };
  const page = { dependencies: [event], components: [{ id: 1, type: "html" }] };
  assert.equal(wiresOf(page), wiresOf({ ...page, root: "elsewhere" }));
  assert.notEqual(wiresOf(page), wiresOf({ ...page, dependencies: [{ ...event, outputs: [1, 2] }] }));
});
test("a stream that ends before its time leaves what is owed, which then ends without a change", async () => {
  const { got, controller } = reader();
  addStream(controller);
  owe("done", 1);
  owe("open", 2);
  const told = ['data: {"msg":"process_completed","event_id":"done"}\n\n', 'data: {"msg":"heartbeat"}\n\n'];
  assert.equal(await handOn(stream(told), controller), false);
  assert.deepEqual(got, told);
  assert.ok(isOwed() && hasStream(controller));
  finish();
  assert.equal(got.length, 5);
  const { event_id: id, success, output } = JSON.parse(got[2].slice("data: ".length));
  assert.deepEqual([id, success, output.data.length], ["open", true, 2]);
  assert.match(got[3], /close_stream/);
  assert.equal(got[4], "closed");
  assert.ok(!isOwed() && !hasStream(controller));
});
test("a server that knows nothing of this page's events is not heard", async () => {
  const { got, controller } = reader();
  const told = ['data: {"session_not_found":true}\n\n', 'data: {"msg":"close_stream"}\n\n'];
  assert.equal(await handOn(stream(told), controller), false);
  assert.deepEqual(got, []);
});
