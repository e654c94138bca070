// What there is to say of a finished run: a sentence each, what its remedy would do, and a button that turns the knobs. It
// stands under the head of the run that is looked at; of a conversation, below it.
import { on, tell } from "../page/board.js";
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { apply, sentence, t } from "../page/words.js";
import { holds } from "./shown_runs.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {{sentence: Said, preview: Said, fix: import("../topics").Knobs, remedy: Said}} Finding */

const { element, props, watch } = hostOf("diagnosis");
const place = find(element, "div"); // what is said of a conversation stands here
const section = find(element, "section");
const list = find(element, "ul");
let running = false;
/** @type {import("../topics").Knobs} */
let knobs = {};
/** @type {import("../topics").Topics["looked"]} */
let looked = null;

/** @returns {Finding[]} */
const findings = () => props.value || [];
/**
 * Whether somebody has followed a remedy, with the button or by hand: it is not offered again.
 * @param {Finding} finding
 */
const isFollowed = ({ fix }) => Object.entries(fix).every(([name, value]) => knobs[name] === value);
/** @param {Finding} finding */
const makeAdvice = (finding) => {
  const fix = Object.entries(finding.fix);
  const remedy = say(finding.remedy);
  if (!fix.length) return null;
  if (isFollowed(finding)) {
    return make("p", { class: "diagnosis-preview", role: "status" }, t("diagnosis_followed", { remedy }));
  }
  const follow = () => {
    for (const [name, value] of fix) tell("knob", { name, value });
  };
  return make("button", { type: "button", class: "quiet strong", onclick: follow }, t("diagnosis_apply", { remedy }));
};
/** @param {Finding} finding */
const makeFinding = (finding) =>
  make(
    "li",
    {},
    make("p", {}, sentence(finding.sentence)),
    finding.preview ? make("p", { class: "diagnosis-preview" }, sentence(finding.preview)) : null,
    makeAdvice(finding),
  );
const draw = () => {
  const head = looked && holds(looked.run) ? document.querySelector(".results-findings") : null;
  (head ?? place).append(section);
  apply(section);
  section.hidden = running || findings().length === 0;
  list.replaceChildren(...findings().map(makeFinding));
};
watch("value", () => {
  running = false;
  draw();
});
on("language", draw, "diagnosis");
on(
  "looked",
  (where) => {
    looked = where;
    draw();
  },
  "diagnosis",
);
on(
  "run",
  (news) => {
    if (news.running) running = true; // what was said of another run is not shown until this one was looked at
    if (running) section.hidden = true;
  },
  "diagnosis",
);
on(
  "knobs",
  (now) => {
    const before = findings().map(isFollowed).join();
    knobs = now;
    if (before !== findings().map(isFollowed).join()) draw();
  },
  "diagnosis",
);
draw();
