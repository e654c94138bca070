// Whether the server is there: it is looked for as soon as something ended that should not, until it answers. The page is
// told as `connection`, where the state is
//   there (`again` after it was gone), gone, login (it asks for its password), other (its page is another one by now).
// To be loaded before anything takes the place of fetch.
import { tell as tellAll } from "./board.js";
import { config, root, wiresOf } from "./gradio.js";
import { finish } from "./owed.js";

/** @typedef {import("../topics").Connection} Connection */

const WAITS = [500, 1000, 1000, 2000, 2000, 5000]; // milliseconds before each look for the server; then as the last
const NEWS = ": news"; // announcements.py
const LOOK = 10_000; // milliseconds that one look may take
const fetched = window.fetch;
/** @type {Connection["state"]} */
let state = "there";
const LEAVES = 5000; // milliseconds that the way to another page may take
let leaving = false;
let looking = false;
/** Ends the wait before the next look. @type {(() => void) | null} */
let hasten = null;
/** The address of the heartbeat. @type {string | null} */
let beats = null;
let beating = false;
/** Which server it is: each start has another id. @type {unknown} */
let serving = null;
/** @type {string | null} */
let wires = null;
const begin = () => {
  wires = wiresOf(config());
  serving = config().app_id;
};
if (document.readyState === "loading") window.addEventListener("DOMContentLoaded", begin);
else begin();

export const reached = () => state;
export const isLeft = () => leaving;

/**
 * @param {Connection["state"]} now
 * @param {Partial<Connection>} [more]
 */
const tell = (now, more = {}) => {
  state = now;
  tellAll("connection", { state, restarted: false, again: false, ...more });
};
/** @param {number} time @returns {Promise<void>} */
const sleep = (time) =>
  new Promise((wake) => {
    hasten = wake;
    setTimeout(wake, time);
  });
/**
 * The id of the server's process, "login", or null where nobody answers.
 * @returns {Promise<unknown>}
 */
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
/** @param {unknown} found */
const back = async (found) => {
  if (found === "login") {
    if (state !== "login") tell("login");
    return false;
  }
  const restarted = found !== serving;
  if (restarted && !(await sameWires())) {
    tell("other");
    return true;
  }
  serving = found;
  listen();
  if (state !== "there") tell("there", { restarted, again: true });
  return true;
};
/** Something ended that should not: looks until the server answers. */
export const suspect = async () => {
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
/** It was there, and has let go of what it did for this page: said also where it is back at once. */
export const lost = () => {
  if (state === "there") tell("gone");
  suspect();
};

/**
 * The heartbeat is open for as long as both are there.
 * @param {Response} answer
 */
const beat = async (answer) => {
  beating = true;
  try {
    const reader = answer.body?.getReader();
    const decoder = new TextDecoder();
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      if (decoder.decode(read.value).includes(NEWS)) tellAll("news", {});
    }
  } catch {
    // the server is gone
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
/**
 * A heartbeat that Gradio has opened.
 * @param {string} url
 * @param {Response} answer
 */
export const heard = (url, answer) => {
  beats = url;
  if (answer.ok && !beating) beat(answer.clone());
};
/**
 * Gradio may have opened its own heartbeat before this script ran: then nothing tells of its end.
 * @param {string} session
 */
export const listenFor = (session) => {
  beats ??= `${root()}/heartbeat/${encodeURIComponent(session)}`;
  if (state === "there") listen();
};

/** The page is about to be left, as by logging out, which ends its streams at once: nobody needs to look why. */
export const expectToLeave = () => {
  leaving = true;
  setTimeout(() => {
    leaving = false;
  }, LEAVES);
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
