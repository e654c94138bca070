// Whether the server is there. Gradio's page, once it hears that its server is gone, says so in words of its own and loads
// itself anew as soon as it is back; so it never hears of it: what it asks for meanwhile is answered here with nothing, and
// what was not answered yet ends. The page is told as `connection`: {state, restarted, again}, where the state is
//   there (`again` after it was gone), gone, login (it asks for its password), other (its page is another one by now).
import { tell as tellAll } from "./board.js";
import { t } from "./words.js";

const WAITS = [500, 1000, 1000, 2000, 2000, 5000]; // milliseconds before each look for the server; then as the last
const LOOK = 10_000; // milliseconds that one look may take
const SOON = 20; // milliseconds in which Gradio opens its stream, once its wish was taken
const AWAY = [502, 503, 504]; // what a proxy or a tunnel says in its place, and a server that stops
const NOTHING = { __type__: "update" };
const ID = /"event_id":"(\w+)"/;
const fetched = window.fetch;
const encoder = new TextEncoder();
const pending = new Map(); // event id -> how many outputs it has
const streams = new Set(); // controllers of the streams that Gradio reads
let state = "there";
let leaving = false;
let looking = false;
let hasten = null; // ends the wait before the next look
let beats = null; // the address of the heartbeat
let beating = false;
let process = null; // which server it is: each start has another id
let unanswered = 0;

const config = () => window.gradio_config ?? {};
const root = () => `${config().root ?? ""}${config().api_prefix ?? ""}`;
/** What the events of a page are, by number: the same for every start of one version. */
const wiresOf = ({ dependencies = [], components = [] }) =>
  JSON.stringify([
    dependencies.map(({ id, targets, inputs, outputs }) => [id, targets, inputs, outputs]),
    components.map(({ id, type }) => [id, type]),
  ]);
let wires = null;
const begin = () => {
  wires = wiresOf(config());
  process = config().app_id;
};
if (document.readyState === "loading") window.addEventListener("DOMContentLoaded", begin);
else begin();

const tell = (now, more = {}) => {
  state = now;
  tellAll("connection", { state, restarted: false, again: false, ...more });
};
// Everything that Gradio waits for ends without a change.
const finish = () => {
  const stream = [...streams].at(-1);
  if (!stream || !pending.size) return;
  const say = (message) => stream.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
  for (const [id, outputs] of pending) {
    say({ msg: "process_completed", event_id: id, success: true, output: { data: Array(outputs).fill(NOTHING) } });
  }
  pending.clear();
  say({ msg: "close_stream", event_id: null });
  streams.delete(stream);
  stream.close();
};

const sleep = (time) =>
  new Promise((wake) => {
    hasten = wake;
    setTimeout(wake, time);
  });
/** The id of the server's process, "login", or null where nobody answers. */
const look = async () => {
  try {
    const answer = await fetched(`${root()}/app_id`, { cache: "no-store", signal: AbortSignal.timeout(LOOK) });
    if (answer.status === 401) return "login";
    return answer.ok ? (await answer.json()).app_id : null;
  } catch {
    return null;
  }
};
const sameWires = async () => {
  try {
    const answer = await fetched(`${config().root ?? ""}/config`, { cache: "no-store" });
    return answer.ok && wiresOf(await answer.json()) === wires;
  } catch {
    return false;
  }
};
const back = async (found) => {
  if (found === "login") {
    if (state !== "login") tell("login");
    return false;
  }
  const restarted = found !== process;
  if (restarted && !(await sameWires())) {
    tell("other");
    return true;
  }
  process = found;
  listen();
  if (state !== "there") tell("there", { restarted, again: true });
  return true;
};
// Something ended that should not: looks until the server answers.
const suspect = async () => {
  if (looking || leaving || state === "other") return;
  looking = true;
  for (let times = 0; ; times += 1) {
    const found = await look();
    if (leaving) break;
    if (found !== null && (await back(found))) break;
    if (found === null && state !== "gone") {
      tell("gone");
      finish();
    }
    await sleep(WAITS[Math.min(times, WAITS.length - 1)]);
  }
  looking = false;
};

// The heartbeat is open for as long as both are there.
const beat = async (answer) => {
  beating = true;
  try {
    const reader = answer.body.getReader();
    while (!(await reader.read()).done);
  } catch {
    /* the server is gone */
  }
  beating = false;
  suspect();
};
const listen = () => {
  if (!beats || beating) return;
  beating = true;
  fetched(beats)
    .then(beat)
    .catch(() => {
      beating = false;
      suspect();
    });
};

const outputsOf = (body) => {
  try {
    const { fn_index: index, session_hash: session } = JSON.parse(body);
    // Gradio may have opened its own heartbeat before this script ran: then nothing tells of its end.
    beats ??= `${root()}/heartbeat/${encodeURIComponent(session)}`;
    if (state === "there") listen();
    return config().dependencies.find((one) => one.id === index).outputs.length;
  } catch {
    return 0;
  }
};
const says = (told) => new Response(JSON.stringify(told), { headers: { "Content-Type": "application/json" } });
const nobody = (outputs) => {
  unanswered += 1;
  const id = `unanswered${unanswered}`;
  pending.set(id, outputs);
  setTimeout(finish, SOON);
  return says({ event_id: id });
};
/** What the server answers to an event, or null where nobody takes it, which is said. */
const post = async (asked, more) => {
  let answer = null;
  try {
    if (state === "there") answer = await fetched(asked, ...more);
  } catch {
    /* nobody is there */
  }
  if (answer && answer.status !== 401 && !AWAY.includes(answer.status)) return answer;
  suspect();
  const said = await answer?.json().catch(() => null);
  tellAll(
    "refused",
    typeof said?.detail === "string" ? said.detail : t(state === "there" ? "gone_wait" : `${state}_wait`),
  );
  return null;
};
const join = async (asked, more) => {
  const outputs = outputsOf(more[0]?.body);
  const answer = await post(asked, more);
  if (answer?.ok) pending.set((await answer.clone().json()).event_id, outputs);
  return answer ?? nobody(outputs);
};
/** What goes past the queue, as Stop does. */
const call = async (asked, more) =>
  (await post(asked, more)) ?? says({ data: Array(outputsOf(more[0]?.body)).fill(NOTHING) });

/** Hands on a stream of messages; where it ends before its time, what it owes ends too. */
const handOn = async (answer, controller) => {
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let closed = false;
  let forgotten = false; // the server does not know this page's events any more
  const take = (message) => {
    forgotten ||= message.includes('"session_not_found":true');
    if (forgotten) return;
    if (message.includes('"process_completed"')) pending.delete(ID.exec(message)?.[1]);
    closed ||= message.includes('"close_stream"');
    controller.enqueue(encoder.encode(`${message}\n\n`));
  };
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const messages = (rest + decoder.decode(part.value, { stream: true })).split("\n\n");
    rest = messages.pop();
    messages.forEach(take);
  }
  return closed;
};
const cutOff = () => {
  if (leaving) return;
  if (state === "there") tell("gone"); // also where it is back at once: what ran for this page has ended
  suspect();
  setTimeout(finish, SOON);
};
const open = async (asked, more) => {
  const aborted = () => Boolean((asked?.signal ?? more[0]?.signal)?.aborted);
  let answer = null;
  if (state === "there") {
    try {
      answer = await fetched(asked, ...more);
    } catch (error) {
      if (aborted()) throw error;
    }
  }
  const body = new ReadableStream({
    start(controller) {
      streams.add(controller);
      if (!answer?.ok) {
        cutOff();
        return;
      }
      const ended = (cut) => {
        if (!streams.has(controller)) return; // it was closed already
        if (cut) {
          cutOff();
          return;
        }
        streams.delete(controller);
        controller.close();
      };
      handOn(answer, controller)
        .then((closed) => ended(!closed && pending.size > 0))
        .catch((error) => {
          if (!aborted() && !leaving) {
            ended(true);
            return;
          }
          streams.delete(controller);
          controller.error(error);
        });
    },
    cancel() {
      answer?.body.cancel().catch(() => {});
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
};

window.fetch = async (asked, ...more) => {
  const url = String(asked?.url ?? asked);
  if (url.includes("/queue/join?")) return join(asked, more);
  if (url.includes("/queue/data?")) return open(asked, more);
  if (url.includes("/run/predict")) return call(asked, more);
  if (!url.includes("/heartbeat/")) return fetched(asked, ...more);
  beats = url;
  const answer = await fetched(asked, ...more);
  if (answer.ok && !beating) beat(answer.clone());
  return answer;
};
window.addEventListener("pagehide", () => {
  leaving = true;
});
window.addEventListener("pageshow", (event) => {
  leaving = false;
  if (event.persisted) suspect();
});
window.addEventListener("offline", () => suspect());
window.addEventListener("online", () => hasten?.());
document.addEventListener("visibilitychange", () => hasten?.());
