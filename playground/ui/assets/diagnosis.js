// What there is to say of a finished run: a sentence each, what its remedy would do, and a button that turns the knobs.
const pg = window.playground;
const section = element.querySelector("section");
const list = element.querySelector("ul");
let running = false;
let knobs = {};
let looked = null;
/** Under the head of the run that is looked at; of a conversation, below it. */
const looksAtCards = () => Boolean(looked && pg.cards?.holds(looked.run));

/** A remedy that somebody has followed, with the button or by hand, is not offered again. */
const followed = (fix) => Object.entries(fix).every(([name, value]) => knobs[name] === value);
const advice = ({ fix, remedy }) => {
  if (!Object.keys(fix).length) return null;
  if (followed(fix)) return pg.make("p", { class: "diagnosis-preview", role: "status" }, pg.t("diagnosis_followed", { remedy: pg.say(remedy) }));
  return pg.make("button", {
    type: "button", class: "quiet strong",
    onclick: () => Object.entries(fix).forEach(([name, value]) => pg.tell("knob", { name, value })),
  }, pg.t("diagnosis_apply", { remedy: pg.say(remedy) }));
};
const draw = () => {
  const place = document.querySelector(".results-findings");
  (looksAtCards() && place ? place : element.firstElementChild).append(section);
  pg.apply(section);
  const findings = props.value || [];
  section.hidden = running || findings.length === 0;
  list.replaceChildren(...findings.map((finding) => pg.make("li", {},
    pg.make("p", {}, pg.sentence(finding.sentence)),
    finding.preview && pg.make("p", { class: "diagnosis-preview" }, pg.sentence(finding.preview)),
    advice(finding))));
};
watch("value", () => { running = false; draw(); });
pg.on("language", draw, "diagnosis");
pg.on("looked", (where) => { looked = where; draw(); }, "diagnosis");
pg.on("run", (news) => {
  if (news.running) running = true; // what was said of another run is not shown until this one was looked at
  if (running) section.hidden = true;
}, "diagnosis");
pg.on("knobs", (now) => {
  const before = (props.value || []).map(({ fix }) => followed(fix)).join();
  knobs = now;
  if (before !== (props.value || []).map(({ fix }) => followed(fix)).join()) draw();
}, "diagnosis");
draw();
