// Gradio's page as our scripts meet it: where its requests go and what its server says. And the list of what is worked
// around there, each where its subject is; tests/ui/test_gradio_workarounds.py shows it on Gradio 6.31 as it comes.
//   reach.js, connection.js  A server that is gone is "Connection to the server was lost", and its return reloads the
//                            page: so Gradio's fetch is ours, which answers in the server's place.
//   stream.js                A wish that is taken just as the stream of answers ends is told to nobody: an empty one
//                            follows (tests/ui/test_play.py). Updates may be drawn together: they are read off the
//                            stream.
//   play/path_choice.js      What a script sets as it begins is set back to what the configuration says: it is put again.
//   address.js               The title is written after our scripts have begun: it is written again with each place.
//   page.css                 Whatever fails is a toast: these are hidden, and the page has lines of its own.

/** @typedef {{ id: number, targets: unknown, inputs: number[], outputs: number[] }} Dependency */
/** @typedef {{ id: number, type: string }} Component */
/**
 * @typedef {{ root?: string, api_prefix?: string, app_id?: number | string, dependencies?: Dependency[],
 *   components?: Component[] }} GradioConfig
 */
/** @typedef {RequestInfo | URL} Asked what fetch takes first */

/** What stands for an output that does not change. */
export const NOTHING = { __type__: "update" };
const ID = /"event_id":"(\w+)"/g;

/** @returns {GradioConfig} */
export const config = () => window.gradio_config ?? {};
/** Where Gradio's routes begin. */
export const root = () => `${config().root ?? ""}${config().api_prefix ?? ""}`;
/** @param {Asked} asked */
export const urlOf = (asked) => (asked instanceof Request ? asked.url : String(asked));
/**
 * What a request is for: "join" is a wish, "data" the stream of answers, "call" goes past the queue, "heartbeat" is open
 * for as long as both are there.
 * @param {string} url
 */
export const purposeOf = (url) => {
  if (url.includes("/queue/join?")) return "join";
  if (url.includes("/queue/data?")) return "data";
  if (url.includes("/run/predict")) return "call";
  return url.includes("/heartbeat/") ? "heartbeat" : null;
};
/** @param {unknown} told */
export const jsonAnswer = (told, status = 200) =>
  new Response(JSON.stringify(told), { status, headers: { "Content-Type": "application/json" } });

/**
 * The messages of a stream, one after the other, as they come.
 * @param {ReadableStream<Uint8Array>} body
 * @param {(message: string) => void} take
 */
export const eachMessage = async (body, take) => {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const messages = (rest + decoder.decode(part.value, { stream: true })).split("\n\n");
    rest = messages.pop() ?? "";
    messages.forEach(take);
  }
};
/**
 * The events that a message tells of.
 * @param {string} message
 */
export const eventsOf = (message) => [...message.matchAll(ID)].map(([, id]) => id);
/** @param {string} message */
export const isCompleted = (message) => message.includes('"process_completed"');
/**
 * What the events of a page are, by number: the same for every start of one version.
 * @param {GradioConfig} config
 */
export const wiresOf = ({ dependencies = [], components = [] }) =>
  JSON.stringify([
    dependencies.map(({ id, targets, inputs, outputs }) => [id, targets, inputs, outputs]),
    components.map(({ id, type }) => [id, type]),
  ]);
