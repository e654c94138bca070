// The buttons of the composer: Generate, Stop, the seed with its lock, how many candidates; and what is going on.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const button = (name) => find(`button[name=${name}]`);
let knobs = { seed: -1, n: 1 };
let beams = false;
let running = false;
const SEED = "playground-seed";
let lastSeed = Number.isInteger(pg.kept(SEED)) ? pg.kept(SEED) : null;
let reached = "there"; // or why the server is not
let cutOff = false; // a run, as the server went
let complaint = null;
let notice = null;
let silence = 0;
let asked = false; // and nothing was heard of it yet
let talks = false; // a turn of a conversation is generated, not cards
let wishing = false; // the knobs of what was chosen are on their way
let waits = 0; // a run that was asked for meanwhile: the timer that has it begin without them
const paths = pathChoice(element.querySelector(".path"));

const draw = () => {
  pg.apply(element);
  paths.draw(beams);
  const { seed, n } = knobs;
  const locked = seed >= 0;
  find(".go kbd").textContent = `${pg.command}↵`;
  find(".seed-value").textContent = locked ? seed : pg.t("fresh");
  drawLock(button("lock"), locked);
  find(".candidates").textContent = n;
  button("fewer").disabled = n <= 1;
  button("more").disabled = n >= props.most;
  const away = reached !== "there";
  button("generate").disabled = running || away;
  button("stop").disabled = !running || away;
  for (const name of ["generate", "stop"]) {
    button(name).title = away ? pg.t(`${reached}_wait`) : "";
    if (away) button(name).setAttribute("aria-describedby", "act-notice");
    else button(name).removeAttribute("aria-describedby");
  }
  find(".act").classList.toggle("running", running);
  const place = find(".act-notice");
  const complains = Boolean(complaint && !complaint.placed) && !away;
  const shown = away ? pg.t(`${reached}_wait`) : complains ? complaint.text : notice;
  place.hidden = !shown;
  place.classList.toggle("complaint", complains);
  place.textContent = pg.sentence(shown);
};
const turn = (name, value) => pg.tell("knob", { name, value });
const begin = () => {
  clearTimeout(waits);
  waits = 0;
  if (talks) pg.tell("say", {});
  else trigger("generate");
};
const stop = () => {
  if (!running) return;
  if (waits) {
    clearTimeout(waits);
    waits = 0;
    pg.tell("run", { running: false, status: "" });
    return;
  }
  trigger("stop");
  // A server that says nothing any more cannot say that it stopped.
  clearTimeout(silence);
  silence = setTimeout(() => { if (running) pg.tell("run", { running: false, status: "", notice: pg.both("lost"), finish: "gone" }); }, 15000);
};

element.addEventListener("click", (event) => {
  const pressed = event.target.closest("button");
  switch (pressed?.name) {
    case "generate": pg.tell("generate", {}); break;
    case "stop": stop(); break;
    case "look": pg.tell("look", { focus: event.detail === 0 }); break;
    case "lock": turn("seed", knobs.seed >= 0 ? -1 : lastSeed ?? drawnSeed()); break;
    case "fewer": turn("n", knobs.n - 1); break;
    case "more": turn("n", knobs.n + 1); break;
    case "knobs": pg.tell("drawer", true); break;
    case "close": paths.toggle(); break;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running && !event.defaultPrevented) {
    event.preventDefault();
    stop();
  }
});
pg.on("generate", () => {
  if (running || reached !== "there") return;
  pg.tell("complaint", null);
  pg.tell("run", { running: true, status: pg.t("starting"), asked: true });
  if (wishing) waits = setTimeout(begin, 5000);
  else begin();
}, "act");
pg.on("wishing", (now) => {
  wishing = now;
  if (!wishing && waits) setTimeout(() => { if (waits) begin(); }); // once the panel has taken them
}, "act");
pg.on("kind", (kind) => { talks = kind === "talk"; }, "act");
pg.on("look", () => trigger("look"), "act");
pg.on("run", (news) => {
  running = news.running;
  asked = Boolean(news.asked);
  if (news.running) notice = news.notice ?? null;
  else if (news.notice) notice = news.notice;
  if (Number.isInteger(news.seed)) pg.keep(SEED, lastSeed = news.seed);
  if (!running) clearTimeout(silence);
  draw();
}, "act");
// Nothing was taken, so nothing will be said of what was asked for.
pg.on("refused", (sentence) => {
  if (asked) pg.tell("run", { running: false, status: "", notice: sentence });
}, "act");
// What runs as the server goes has ended; its text is kept, and it is said once the server is back.
pg.on("connection", (now) => {
  reached = now.state;
  if (reached !== "there" && running) {
    cutOff = true;
    clearTimeout(waits);
    waits = 0;
    pg.tell("run", { running: false, status: "", finish: "gone" });
  }
  if (now.again && cutOff) {
    cutOff = false;
    notice = pg.both("run_cut_off");
  }
  draw();
}, "act");
pg.on("complaint", (news) => { complaint = news; queueMicrotask(draw); }, "act");
pg.on("knobs", (values) => {
  const search = values.num_beams > 1;
  if (knobs.seed === values.seed && knobs.n === values.n && beams === search) return;
  knobs = { seed: values.seed, n: values.n };
  beams = search;
  draw();
}, "act");
pg.on("language", draw, "act");
draw();
