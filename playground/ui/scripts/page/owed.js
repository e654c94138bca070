// What Gradio's page waits for: its streams of answers, and the events of which it has heard no end. Where the server goes,
// each of them ends here without a change. Knows no server.
import { eachMessage, eventsOf, isCompleted, NOTHING } from "./gradio.js";

/** @typedef {ReadableStreamDefaultController<Uint8Array>} Controller */

const encoder = new TextEncoder();
/** How many outputs an event has, by its id. @type {Map<string, number>} */
const pending = new Map();
/** Of the streams that Gradio reads. @type {Set<Controller>} */
const streams = new Set();

/** @param {string} id @param {number} outputs */
export const owe = (id, outputs) => {
  pending.set(id, outputs);
};
export const isOwed = () => pending.size > 0;
/** @param {Controller} controller */
export const addStream = (controller) => {
  streams.add(controller);
};
/** @param {Controller} controller */
export const dropStream = (controller) => streams.delete(controller);
/** @param {Controller} controller */
export const hasStream = (controller) => streams.has(controller);

/**
 * What Gradio waits for ends without a change; false where Gradio has no stream yet that could say so. A stream on which
 * nothing is left to be said is closed: as long as Gradio believes it open, it reads no other.
 * @param {string[]} [ids] of events; all that it waits for
 */
export const finish = (ids) => {
  const stream = [...streams].at(-1);
  const ending = (ids ?? [...pending.keys()]).filter((id) => pending.has(id));
  if (!ending.length && (ids || !stream)) return true;
  if (!stream) return false;
  /** @param {unknown} message */
  const say = (message) => stream.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
  for (const id of ending) {
    const outputs = pending.get(id) ?? 0;
    pending.delete(id);
    say({ msg: "process_completed", event_id: id, success: true, output: { data: Array(outputs).fill(NOTHING) } });
  }
  if (!pending.size) {
    say({ msg: "close_stream", event_id: null });
    streams.delete(stream);
    stream.close();
  }
  return true;
};

/**
 * Hands on a stream of messages; true where it ends as the server wanted it to.
 * @param {ReadableStream<Uint8Array>} body
 * @param {Controller} controller
 */
export const handOn = async (body, controller) => {
  let closed = false;
  let forgotten = false; // the server does not know this page's events any more
  await eachMessage(body, (message) => {
    forgotten ||= message.includes('"session_not_found":true');
    if (forgotten) return;
    if (isCompleted(message)) pending.delete(eventsOf(message)[0] ?? "");
    closed ||= message.includes('"close_stream"');
    controller.enqueue(encoder.encode(`${message}\n\n`));
  });
  return closed;
};
