// One line below the top of the page: whether the server is there, or what it said last, or what there is to say of the
// model. Belongs to the header, which tells it of the model.
import { on } from "./board.js";
import { around, find } from "./dom.js";
import { hostOf } from "./element.js";
import { say } from "./language.js";
import { t } from "./words.js";

/** @typedef {import("../types").Said} Said */

const SAID = 20_000; // milliseconds for which a line that will not be true for long stands there
const notice = find(hostOf("header").element, ".server-notice");
/** @type {import("../topics").Connection["state"]} */
let state = "there";
/** Such a line. @type {(() => string) | null} */
let passing = null;
let passes = 0;
let asked = false; // a run, which says itself why it was refused
/** @type {Said} */
let ofModel = null;

const draw = () => {
  const said = state !== "there" ? t(`connection_${state}`) : passing ? passing() : say(ofModel);
  notice.hidden = !said;
  notice.classList.toggle("passing", state === "there" && Boolean(passing));
  const line = find(notice, "span");
  if (line.textContent !== said) line.textContent = said; // what is set again would be read aloud again
  const reload = find(notice, "[name=reload]");
  reload.hidden = state !== "login" && state !== "other";
  reload.textContent = reload.hidden ? "" : t(state === "login" ? "log_in_again" : "reload");
};
/**
 * In the language of the page, as it is now.
 * @param {Said} text of the model
 */
export const show = (text) => {
  ofModel = text;
  draw();
};
/** @param {(() => string) | null} line */
const pass = (line) => {
  clearTimeout(passes);
  passing = line;
  if (line) passes = setTimeout(pass, SAID, null);
  draw();
};

notice.addEventListener("click", (event) => {
  if (around(event, "[name=reload]")) location.reload();
});
on(
  "run",
  (news) => {
    asked = Boolean(news.asked);
    if (asked && passing) pass(null);
  },
  "server notice",
);
on(
  "refused",
  (sentence) => {
    if (!asked && state === "there") pass(() => sentence);
  },
  "server notice",
);
on(
  "connection",
  (now) => {
    state = now.state;
    if (now.again) pass(() => t(now.restarted ? "connection_restarted" : "connection_back"));
    else draw();
  },
  "server notice",
);
