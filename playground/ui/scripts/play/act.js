// The buttons of the composer: Generate, Stop, the seed with its lock, how many candidates; and what is going on.
import { on, tell } from "../page/board.js";
import { around, COMMAND, find, icon } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { keep, kept } from "../page/kept.js";
import { drawLock, drawnSeed } from "../page/seed_lock.js";
import { apply, both, sentence, t } from "../page/words.js";
import * as pathChoice from "./path_choice.js";
import { asksForSeed, beginSeed, drawSeed, seedError } from "./seed_field.js";

/** @typedef {import("../topics").Complaint} Complaint */
/** @typedef {import("../topics").Connection} Connection */

const { element, props, trigger } = hostOf("act");
const CLOSE = "M4.5 4.5l7 7M11.5 4.5l-7 7";
const SEED = "playground-seed";
const SILENCE = 15_000; // milliseconds after which a server that does not stop is believed gone
const WISHING = 5000; // milliseconds for which a run waits for knobs
let knobs = { seed: -1, n: 1 };
let beams = false;
let running = false;
/** @type {number | null} */
let lastSeed = Number.isInteger(kept(SEED)) ? kept(SEED) : null;
/** Or why the server is not. @type {Connection["state"]} */
let reached = "there";
let cutOff = false; // a run, as the server went
/** @type {Complaint | null} */
let complaint = null;
/** @type {import("../types").Said} */
let notice = null;
let silence = 0;
let asked = false; // and nothing was heard of it yet
let talks = false; // a turn of a conversation is generated, not cards
let wishing = false; // the knobs of what was chosen are on their way
let waits = 0; // a run that was asked for meanwhile: the timer that has it begin without them

/** @param {string} name */
const button = (name) => find(element, `button[name=${name}]`, HTMLButtonElement);
const drawAway = () => {
  const away = reached !== "there";
  button("generate").disabled = running || away;
  button("stop").disabled = !running || away;
  for (const one of [button("generate"), button("stop")]) {
    one.title = away ? t(`${reached}_wait`) : "";
    if (away) one.setAttribute("aria-describedby", "act-notice");
    else one.removeAttribute("aria-describedby");
  }
};
const drawNotice = () => {
  const away = reached !== "there";
  const place = find(element, ".act-notice");
  const typed = away ? "" : seedError();
  const complains = complaint && !complaint.placed && !away ? complaint : typed ? { text: typed } : null;
  const shown = away ? t(`${reached}_wait`) : complains ? complains.text : notice;
  place.hidden = !shown;
  place.classList.toggle("complaint", Boolean(complains));
  const words = find(place, "p");
  if (words.textContent !== sentence(shown)) words.textContent = sentence(shown); // said again, it is heard again
  button("hush").hidden = away || Boolean(typed); // these end by themselves
};
/** Who pressed a key or a button for a run sees why there is none. */
const showRefusal = () => find(element, ".act-notice").scrollIntoView({ block: "nearest" });
const draw = () => {
  apply(element);
  pathChoice.draw(beams);
  const { seed, n } = knobs;
  const locked = seed >= 0;
  find(element, ".go kbd").textContent = `${COMMAND}↵`;
  drawSeed(seed);
  drawLock(button("lock"), locked);
  find(element, ".candidates").textContent = String(n);
  button("fewer").disabled = n <= 1;
  button("more").disabled = n >= props.most;
  drawAway();
  find(element, ".act").classList.toggle("running", running);
  drawNotice();
};
/** @param {string} name @param {number} value */
const turn = (name, value) => tell("knob", { name, value });
const giveUpWaiting = () => {
  clearTimeout(waits);
  waits = 0;
};
const begin = () => {
  giveUpWaiting();
  if (talks) tell("say", {});
  else trigger("generate");
};
const stop = () => {
  if (!running) return;
  if (waits) {
    giveUpWaiting();
    tell("run", { running: false, status: "" });
    return;
  }
  trigger("stop");
  // A server that says nothing any more cannot say that it stopped.
  clearTimeout(silence);
  silence = setTimeout(() => {
    if (running) tell("run", { running: false, status: "", notice: both("lost"), finish: "gone" });
  }, SILENCE);
};

/** @type {Record<string, (event: MouseEvent) => void>} */
const PRESSED = {
  generate: () => tell("generate", {}),
  stop,
  look: (event) => tell("look", { focus: event.detail === 0 }),
  lock: () => turn("seed", knobs.seed >= 0 ? -1 : (lastSeed ?? drawnSeed())),
  fewer: () => turn("n", knobs.n - 1),
  more: () => turn("n", knobs.n + 1),
  knobs: () => tell("drawer", true),
  hush: () => {
    complaint = null;
    notice = null;
    draw();
    button("generate").focus({ preventScroll: true });
  },
};
element.addEventListener("click", (event) => {
  PRESSED[around(event, "button", HTMLButtonElement)?.name ?? ""]?.(event);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running && !event.defaultPrevented) {
    event.preventDefault();
    stop();
  }
});
on(
  "generate",
  () => {
    if (running || reached !== "there" || asksForSeed()) return;
    tell("complaint", null);
    tell("run", { running: true, status: t("starting"), asked: true });
    if (wishing) waits = setTimeout(begin, WISHING);
    else begin();
  },
  "act",
);
on(
  "wishing",
  (now) => {
    wishing = now;
    // Once the panel has taken them.
    if (!wishing && waits) setTimeout(() => waits && begin());
  },
  "act",
);
on(
  "kind",
  (kind) => {
    talks = kind === "talk";
  },
  "act",
);
on("look", () => trigger("look"), "act");
on(
  "run",
  (news) => {
    running = news.running;
    asked = Boolean(news.asked);
    if (news.running) notice = news.notice ?? null;
    else if (news.notice) notice = news.notice;
    if (news.seed !== undefined && Number.isInteger(news.seed)) {
      lastSeed = news.seed;
      keep(SEED, lastSeed);
    }
    if (!running) clearTimeout(silence);
    draw();
  },
  "act",
);
// Nothing was taken, so nothing will be said of what was asked for.
on(
  "refused",
  (said) => {
    if (!asked) return;
    tell("run", { running: false, status: "", notice: said });
    showRefusal();
  },
  "act",
);
// What runs as the server goes has ended; its text is kept, and it is said once the server is back.
on(
  "connection",
  ({ state, again }) => {
    reached = state;
    if (reached !== "there" && running) {
      cutOff = true;
      giveUpWaiting();
      tell("run", { running: false, status: "", finish: "gone" });
    }
    if (again && cutOff) {
      cutOff = false;
      notice = both("run_cut_off");
    }
    draw();
  },
  "act",
);
on(
  "complaint",
  (news) => {
    complaint = news;
    queueMicrotask(() => {
      draw();
      if (complaint && !complaint.placed) showRefusal();
    });
  },
  "act",
);
on(
  "knobs",
  (values) => {
    const search = values.num_beams > 1;
    if (knobs.seed === values.seed && knobs.n === values.n && beams === search) return;
    knobs = { seed: values.seed, n: values.n };
    beams = search;
    draw();
  },
  "act",
);
on("language", draw, "act");
beginSeed((seed) => turn("seed", seed), draw);
button("hush").append(icon(CLOSE));
draw();
