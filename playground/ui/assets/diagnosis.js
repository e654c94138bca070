// What there is to say of a finished run: a sentence each, what its remedy would do, and a button that turns the knobs.
const pg = window.playground;
const section = element.querySelector("section");
const list = element.querySelector("ul");
let looked = null;
/** Under the head of the run that is looked at; of a conversation, below it. */
const looksAtCards = () => Boolean(looked && pg.cards?.holds(looked.run));

const remedy = (fix) => Object.entries(fix).map(([name, value]) => `${name} ${value}`).join(", ");
const draw = () => {
  const place = document.querySelector(".results-findings");
  (looksAtCards() && place ? place : element.firstElementChild).append(section);
  pg.apply(section);
  const findings = props.value || [];
  section.hidden = findings.length === 0;
  list.replaceChildren(...findings.map((finding) => {
    const item = pg.make("li", {}, pg.make("p", {}, pg.sentence(finding.sentence)));
    if (finding.preview) item.append(pg.make("p", { class: "diagnosis-preview" }, pg.sentence(finding.preview)));
    if (Object.keys(finding.fix).length) {
      item.append(pg.make("button", {
        type: "button", class: "quiet strong",
        onclick: () => Object.entries(finding.fix).forEach(([name, value]) => pg.tell("knob", { name, value })),
      }, pg.t("diagnosis_apply", { remedy: remedy(finding.fix) })));
    }
    return item;
  }));
};
watch("value", draw);
pg.on("language", draw, "diagnosis");
pg.on("looked", (where) => { looked = where; draw(); }, "diagnosis");
pg.on("run", (news) => { if (news.running) section.hidden = true; }, "diagnosis");
draw();
