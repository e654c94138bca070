// What Play's form asks the server for: how many tokens it takes, and the knobs that go with what is chosen. One event
// for all knobs, so that answers come in order. A run that is asked for before the answer has come waits for it, or it
// would be made with the knobs of another task.
import { on, tell } from "../page/board.js";
import { hostOf } from "../page/element.js";
import { isNumber } from "../page/numbers.js";
import { change, form, leaveKnobs } from "./form.js";
import { toKeep } from "./form_kept.js";

/** @typedef {import("../tasks").LeftKnobs} LeftKnobs */

const { props, trigger, watch } = hostOf("compose");
const PAUSE = 300; // milliseconds behind the last key
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let looked = 0; // how often the count was asked for
let turned = ""; // the knobs that were told last
let asked = 0; // how often knobs were asked for
let wishing = false; // and have not come yet
/** The knobs that were left here, until the server has taken them. @type {LeftKnobs | null} */
let restoring = null;
/** By the panel. @type {{knobs: import("../topics").Knobs | null, preset: string}} */
let held = { knobs: null, preset: "" };

/** The knobs are those of what is written here, and not of what was chosen before. */
const note = () => {
  if (!wishing && held.knobs) leaveKnobs({ knobs: held.knobs, preset: held.preset });
};
const lookSoon = () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    timer = undefined;
    trigger("look");
  }, PAUSE);
};
/** @param {import("../topics").Topics["counting"]["turned"]} [turned] what has changed */
export const look = (turned = "text") => {
  looked += 1;
  change({ looked });
  const { talk, ...now } = form();
  tell("counting", { turned, looked, typed: JSON.stringify([toKeep(now), talk]) });
  lookSoon();
};
/**
 * Asks for the knobs of what was picked.
 * @param {{seen?: boolean}} [how] whether anybody has seen the knobs that they replace
 */
export const pick = ({ seen = true } = {}) => {
  restoring = null;
  if (seen) tell("replacing", null);
  wish(true);
};
/**
 * Asks for the knobs of what stands here, where something about it has changed that nobody picked. What is coming back
 * still comes.
 */
export const ask = () => wish(false);
/**
 * Asks for knobs that were left here before; until something is picked they come back.
 * @param {LeftKnobs} knobs
 */
export const bringBack = (knobs) => {
  restoring = knobs;
  wish(false);
};
/** @param {boolean} picked */
const wish = (picked) => {
  asked += 1;
  // Of wishes that wait only the last is sent: what was picked stays picked until it is answered.
  const stays = wishing && form().picked && !restoring;
  change({ picked: picked || stays, asked, restored: restoring });
  wishing = true;
  tell("wishing", true);
  trigger("pick");
  look();
};

watch("answered", () => {
  if (props.answered !== asked || !wishing) return;
  wishing = false;
  restoring = null;
  change({ restored: null });
  tell("wishing", false);
  note();
});
/** From here on it hears of the panel's knobs, of the server's coming back and of what it has counted. */
export const hear = () => {
  // Of two looks that were under way at once the older may be answered last, or alone.
  on("window", (seen) => timer === undefined && isNumber(seen.looked) && seen.looked < looked && lookSoon(), "compose");
  // The window that is left depends on the knobs too, and a negative prompt is part of what is sent.
  on(
    "knobs",
    (values) => {
      const now = JSON.stringify(values);
      if (now !== turned) look("knobs");
      turned = now;
      held = { ...held, knobs: values };
      note();
    },
    "compose",
  );
  on(
    "preset",
    (preset) => {
      held = { ...held, preset };
      note();
    },
    "compose",
  );
  on(
    "connection",
    (now) => {
      if (!now.again) return;
      if (wishing) trigger("pick"); // nobody has heard of it
      look("knobs");
    },
    "compose",
  );
};
