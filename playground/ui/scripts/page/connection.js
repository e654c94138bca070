// Gradio's page, once it hears that its server is gone, says so in words of its own and loads itself anew as soon as it is
// back; so it never hears of it: what it asks for meanwhile is answered here with nothing, and what was not answered yet
// ends. Whether the server is there, reach.js knows.
import { tell } from "./board.js";
import { config, jsonAnswer, NOTHING, purposeOf, urlOf } from "./gradio.js";
import { addStream, dropStream, finish, handOn, hasStream, isOwed, owe } from "./owed.js";
import { heard, isLeft, listenFor, lost, reached, suspect } from "./reach.js";
import { t } from "./words.js";

/** @typedef {import("./gradio.js").Asked} Asked */

const SOON = 20; // milliseconds in which Gradio mostly opens its stream, once its wish was taken
const AWAY = [502, 503, 504]; // what a proxy or a tunnel says in its place, and a server that stops
const fetched = window.fetch;
let unanswered = 0;

/**
 * How many outputs the event has that is wished for.
 * @param {RequestInit | undefined} init
 * @returns {number}
 */
const outputsOf = (init) => {
  try {
    const { fn_index: index, session_hash: session } = JSON.parse(String(init?.body));
    listenFor(session);
    return config().dependencies?.find((one) => one.id === index)?.outputs.length ?? 0;
  } catch {
    return 0;
  }
};
/** @param {number} outputs */
const nobody = (outputs) => {
  unanswered += 1;
  const id = `unanswered${unanswered}`;
  owe(id, outputs);
  const end = () => finish([id]) || setTimeout(end, SOON); // a busy browser takes longer to open its stream
  setTimeout(end, SOON);
  return jsonAnswer({ event_id: id });
};
/**
 * What the server answers to an event, or null where nobody takes it, which is said.
 * @param {Asked} asked
 * @param {RequestInit} [init]
 */
const post = async (asked, init) => {
  let answer = null;
  try {
    if (reached() === "there") answer = await fetched(asked, init);
  } catch {
    // nobody is there
  }
  if (answer && answer.status !== 401 && !AWAY.includes(answer.status)) return answer;
  suspect();
  const said = await answer?.json().catch(() => null);
  const state = reached();
  tell(
    "refused",
    typeof said?.detail === "string" ? said.detail : t(state === "there" ? "gone_wait" : `${state}_wait`),
  );
  return null;
};
/** @param {Asked} asked @param {RequestInit} [init] */
const join = async (asked, init) => {
  const outputs = outputsOf(init);
  const answer = await post(asked, init);
  if (answer?.ok) owe((await answer.clone().json()).event_id, outputs);
  return answer ?? nobody(outputs);
};
/**
 * What goes past the queue, as Stop does.
 * @param {Asked} asked
 * @param {RequestInit} [init]
 */
const call = async (asked, init) =>
  (await post(asked, init)) ?? jsonAnswer({ data: Array(outputsOf(init)).fill(NOTHING) });

const cutOff = () => {
  if (isLeft()) return;
  lost();
  setTimeout(() => finish(), SOON);
};
/**
 * A stream of answers; where it ends before its time, what it owes ends too.
 * @param {Asked} asked
 * @param {RequestInit} [init]
 */
const open = async (asked, init) => {
  const aborted = () => Boolean((asked instanceof Request ? asked.signal : init?.signal)?.aborted);
  /** @type {Response | null} */
  let answer = null;
  if (reached() === "there") {
    try {
      answer = await fetched(asked, init);
    } catch (error) {
      if (aborted()) throw error;
    }
  }
  const source = answer?.ok ? answer.body : null;
  /** @type {ReadableStream<Uint8Array>} */
  const body = new ReadableStream({
    start(controller) {
      addStream(controller);
      if (!source) {
        cutOff();
        return;
      }
      /** @param {boolean} cut */
      const end = (cut) => {
        if (!hasStream(controller)) return; // it was closed already
        if (cut) {
          cutOff();
          return;
        }
        dropStream(controller);
        controller.close();
      };
      handOn(source, controller)
        .then((closed) => end(!closed && isOwed()))
        .catch((error) => {
          if (!aborted() && !isLeft()) {
            end(true);
            return;
          }
          dropStream(controller);
          controller.error(error);
        });
    },
    cancel() {
      answer?.body?.cancel().catch(() => {});
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
};

window.fetch = async (asked, init) => {
  const url = urlOf(asked);
  switch (purposeOf(url)) {
    case "join":
      return join(asked, init);
    case "data":
      return open(asked, init);
    case "call":
      return call(asked, init);
    case "heartbeat": {
      const answer = await fetched(asked, init);
      heard(url, answer);
      return answer;
    }
    default:
      return fetched(asked, init);
  }
};
