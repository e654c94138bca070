// Reads Gradio's stream of answers beside Gradio's page: what is told while something runs goes to its elements from here,
// each update in its turn, since the page drops some. And it sees to it that every wish is answered: Gradio's server ends
// its stream once nothing is pending; a wish that it takes just then is told to nobody, since the page believes the old
// stream open and opens no other until the next wish. So a wish of which nothing has been heard when no stream is left is
// followed by an empty one.
import { tell } from "./board.js";
import { feed } from "./feed.js";
import { eachMessage, eventsOf, isCompleted, jsonAnswer, purposeOf, urlOf } from "./gradio.js";
import { translate } from "./words.js";

const AGAIN = 300; // milliseconds
const MOST = 20; // a server that answers none of so many has forgotten the wish
const KEPT = 200; // the server may tell of an event before the page knows its id
const REFUSALS = ["open_many", "open_many_in_all"];
const FEED = JSON.stringify('{"feed":').slice(1, -1); // inside a text of JSON
const FAILED = '"success":false'; // what a handler raised; Gradio's toasts are hidden
const fetched = window.fetch;
/** @type {Set<string>} */
const heard = new Set();
/** @type {Set<string>} */
const unheard = new Set();
let streams = 0;
let wishes = 0; // on their way to the server
let wakes = 0;
let timer = 0;

const look = () => {
  timer = 0;
  if (!unheard.size || streams) return;
  if (wishes) {
    soon();
    return;
  }
  wakes += 1;
  if (wakes > MOST) {
    unheard.clear();
    wakes = 0;
    return;
  }
  tell("wake", null);
  soon();
};
const soon = () => {
  if (!timer) timer = setTimeout(look, AGAIN);
};

/** @param {Response} answer */
const joined = async (answer) => {
  const { event_id: id } = await answer.json();
  if (!id || heard.has(id)) return;
  unheard.add(id);
  soon();
};
/**
 * Whoever has too much open already is told so in his own language, here and by Gradio's page.
 * @param {Response} answer
 */
const refused = async (answer) => {
  const { detail } = await answer.json();
  const said = translate(detail, REFUSALS);
  tell("refused", said);
  return jsonAnswer({ detail: said }, answer.status);
};
/** @param {string} id */
const hear = (id) => {
  if (unheard.delete(id)) wakes = 0;
  heard.delete(id);
  heard.add(id);
  const [oldest] = heard;
  if (heard.size > KEPT) heard.delete(oldest);
};
/** @param {string} message */
const take = (message) => {
  for (const id of eventsOf(message)) hear(id);
  const failed = isCompleted(message) && message.includes(FAILED);
  if (!failed && !message.includes(FEED)) return;
  try {
    const { success, output } = JSON.parse(message.slice(message.indexOf("{")));
    if (success === false && typeof output?.error === "string") tell("refused", output.error);
    for (const one of output?.data ?? []) {
      const told = Array.isArray(one) ? one[0][2] : one; // what replaces the update before it stands in a list
      if (typeof told === "string") feed(JSON.parse(told)?.feed ?? []);
    }
  } catch (error) {
    console.error(error);
  }
};
/** @param {Response} answer */
const listen = async (answer) => {
  if (answer.body) await eachMessage(answer.body, take);
};

window.fetch = async (asked, init) => {
  const purpose = purposeOf(urlOf(asked));
  const stream = purpose === "data";
  const wish = purpose === "join";
  const over = () => {
    if (stream) {
      streams -= 1;
      soon();
    }
  };
  if (stream) streams += 1;
  if (wish) wishes += 1;
  try {
    const answer = await fetched(asked, init);
    if (stream)
      listen(answer.clone())
        .catch(() => {})
        .finally(over); // leaving the page ends it with an error
    else if (wish && answer.ok) joined(answer.clone()).catch(() => {});
    else if (wish && answer.status === 429) return refused(answer);
    return answer;
  } catch (error) {
    over();
    throw error;
  } finally {
    if (wish) wishes -= 1;
  }
};
