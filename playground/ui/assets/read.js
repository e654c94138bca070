// Any text for the model to read: says `read` for its tokens, which the elements behind this one show, and `detect`
// for the watermark, whose verdict comes back in the prop `verdict`. Everything typed is in `props.value` at once.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const verdict = find(".verdict");
const KEPT = "playground-read"; // over a reload; each of a browser's tabs has its own
let form = { prompt: "", text: "", special_tokens: false };
let knobs = {};
let shown = null; // what was read last, whose tokens stand below
let judged = null; // which question the verdict answers, and of what: {asked, of}

watch("value", () => { if (JSON.stringify(props.value) !== JSON.stringify(form)) props.value = form; });
const change = (changes) => {
  form = { ...form, ...changes };
  props.value = form;
  try { sessionStorage.setItem(KEPT, JSON.stringify(form)); } catch { /* private window, or too long */ }
};
const asking = () => JSON.stringify([form.prompt, form.text, form.special_tokens]);
const asked = () => JSON.stringify([form.text, form.special_tokens]);
/** Of another text than that in the form, tokens below are pale and said to be older, or gone where a verdict stands. */
const drawStrip = (state) => {
  document.getElementById("reading").dataset.strip = state;
  find(".read-changed").hidden = state !== "older";
};
const compareStrip = () => {
  if (shown === null || document.getElementById("reading").dataset.strip === "gone") return;
  drawStrip(shown === asking() ? "" : "older");
};
// Scripts whose words stand apart: where two of them meet without a space, one may have been forgotten.
const APART = "\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\p{Script=Arabic}\\p{Script=Hebrew}\\p{Script=Hangul}\\p{N}";
const BEFORE = new RegExp(`\\S*[${APART}.,;:!?)"'”’»]$`, "u");
const AFTER = new RegExp(`^[${APART}("“‘«]\\S*`, "u");
const NEAR = 20; // characters on each side that are shown
const drawJoin = () => {
  const before = BEFORE.exec([...form.prompt.slice(-2 * NEAR)].slice(-NEAR).join(""));
  const after = AFTER.exec([...form.text.slice(0, 2 * NEAR)].slice(0, NEAR).join(""));
  find(".read-join").hidden = !(before && after);
  if (before && after) find(".read-join span").textContent = pg.t("read_joined", { joined: before[0] + after[0] });
};
const grow = (area) => {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 420)}px`;
};
const facts = (list, name) => pg.make("dl", { class: name }, ...list.map((one) => pg.make("div", {},
  pg.make("dt", {}, pg.say(one.label)), pg.make("dd", {}, pg.say(one.value)))));
const drawVerdict = () => {
  const told = props.verdict;
  verdict.hidden = !told || told.asked !== judged?.asked;
  if (verdict.hidden) return;
  verdict.classList.toggle("wrong", Boolean(told.error));
  verdict.classList.toggle("found", Boolean(told.found));
  verdict.classList.toggle("stale", judged.of !== asked());
  verdict.replaceChildren(pg.make("p", {}, pg.sentence(told.error ?? told.sentence)));
  if (told.error) return;
  verdict.append(facts(told.numbers, "verdict-numbers"),
    pg.make("p", { class: "verdict-note" }, pg.t("detect_figures")),
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
  drawJoin();
};
const changed = (changes) => {
  change(changes);
  drawVerdict();
  drawJoin();
  compareStrip();
};
const fill = (texts) => {
  for (const area of element.querySelectorAll("textarea")) {
    area.value = texts[area.name] ?? area.value;
    grow(area);
  }
  changed(texts);
};
const restore = () => {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem(KEPT)); } catch { /* private window */ }
  if (!kept) return;
  find("[name=special_tokens]").checked = Boolean(kept.special_tokens);
  fill({ prompt: String(kept.prompt ?? ""), text: String(kept.text ?? ""), special_tokens: Boolean(kept.special_tokens) });
};
const read = () => {
  shown = asking();
  if (judged?.of !== asked()) judged = null;
  drawVerdict();
  drawStrip("");
  trigger("read");
};
const detect = () => {
  judged = { asked: Date.now(), of: asked() };
  change({ asked: judged.asked });
  drawVerdict();
  if (shown !== asking()) drawStrip("gone");
  trigger("detect");
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
  const { name, type, checked, value } = event.target;
  if (type !== "checkbox") grow(event.target);
  changed({ [name]: type === "checkbox" ? checked : value });
});
element.addEventListener("click", (event) => {
  const pressed = event.target.closest("button, a");
  switch (pressed?.name || pressed?.className) {
    case "read": case "again": read(); break;
    case "example": fill({ prompt: "", text: pg.t("read_example_text") }); read(); break;
    case "space": fill({ text: ` ${form.text}` }); break;
    case "detect": detect(); break;
    case "read-change": toKnobs(); break;
  }
});
element.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  read();
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
restore();
