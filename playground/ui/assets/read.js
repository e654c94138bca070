// Any text for the model to read: says `read` for its tokens, which the elements behind this one show, and `detect`
// for the watermark, whose verdict comes back in the prop `verdict`. Everything typed is in `props.value` at once.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const verdict = find(".verdict");
let form = { prompt: "", text: "" };
let knobs = {};
let judged = null; // the text that the verdict is about

watch("value", () => { if (JSON.stringify(props.value) !== JSON.stringify(form)) props.value = form; });
const change = (changes) => {
  form = { ...form, ...changes };
  props.value = form;
};
const grow = (area) => {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 420)}px`;
};
const facts = (list, name) => pg.make("dl", { class: name }, ...list.map((one) => pg.make("div", {},
  pg.make("dt", {}, pg.say(one.label)), pg.make("dd", {}, pg.say(one.value)))));
const drawVerdict = () => {
  const told = props.verdict;
  verdict.hidden = !told;
  if (!told) return;
  verdict.classList.toggle("wrong", Boolean(told.error));
  verdict.classList.toggle("found", Boolean(told.found));
  verdict.classList.toggle("stale", judged !== form.text);
  verdict.replaceChildren(pg.make("p", {}, pg.sentence(told.error ?? told.sentence)));
  if (told.error) return;
  verdict.append(facts(told.numbers, "verdict-numbers"),
    pg.make("p", { class: "verdict-note" }, pg.t("detect_used"), " ", told.used.map((one) => `${pg.say(one.label)} ${pg.say(one.value)}`).join(" · ")),
    pg.make("p", { class: "verdict-note" }, pg.t("detect_note")));
};
const drawKnobs = () => {
  find(".read-knobs").textContent = props.watermark.map(({ name, label, choices }) => {
    const value = knobs[name];
    return value === undefined ? "" : `${pg.say(label)} ${choices[value] ? pg.say(choices[value]) : value}`;
  }).filter(Boolean).join(" · ");
};
const draw = () => {
  pg.apply(element);
  find(".go kbd").textContent = `${pg.command}↵`;
  drawKnobs();
  drawVerdict();
};
const fill = (changes) => {
  change(changes);
  for (const [name, text] of Object.entries(changes)) {
    find(`textarea[name=${name}]`).value = text;
    grow(find(`textarea[name=${name}]`));
  }
  drawVerdict();
};
// The knobs of the watermark stand in the panel on Play; the panel knows nothing of this page, so both ways are laid here.
const toKnobs = () => {
  const search = document.querySelector("#knobs input[type=search]");
  if (!search) return;
  search.value = "watermark";
  search.dispatchEvent(new Event("input", { bubbles: true }));
  pg.tell("drawer", true);
};
const layPointer = () => {
  const rows = document.querySelector("#knobs [data-group=watermark] .kn-rows");
  if (!rows || rows.querySelector(".read-pointer")) return;
  rows.append(pg.make("a", { class: "read-pointer", href: "#read", "data-t": "detect_pointer" }, pg.t("detect_pointer")));
  rows.lastChild.addEventListener("click", () => pg.tell("drawer", false));
};

element.addEventListener("input", (event) => {
  change({ [event.target.name]: event.target.value });
  grow(event.target);
  drawVerdict();
});
element.addEventListener("click", (event) => {
  const pressed = event.target.closest("button, a");
  switch (pressed?.name || pressed?.className) {
    case "read": trigger("read"); break;
    case "example": fill({ prompt: "", text: pg.t("read_example_text") }); trigger("read"); break;
    case "detect": judged = form.text; trigger("detect"); break;
    case "read-change": toKnobs(); break;
  }
});
element.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  trigger("read");
});
pg.on("knobs", (values) => {
  knobs = values;
  layPointer();
  drawKnobs();
}, "read");
watch("verdict", drawVerdict);
pg.on("language", () => {
  draw();
  const pointer = document.querySelector(".read-pointer");
  if (pointer) pointer.textContent = pg.t("detect_pointer");
}, "read");
draw();
