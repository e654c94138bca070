// Under the text on a wide screen: how the picked token came about, and the figures of the run. Opens with a picked
// token; its height is kept in this browser. On a narrow screen the parts stand by themselves, and this does nothing.
const pg = window.playground;
const dock = document.getElementById("dock");
const find = (selector) => element.querySelector(selector);
const HEIGHT = "playground-dock"; // share of the window, in percent
const [LEAST, MOST, STEP] = [20, 85, 5];
const isWide = window.matchMedia("(min-width: 1100px)");
let leaf = null; // inside, run, or null where it is closed
let largest = false;

const heightOf = () => {
  const kept = Number(pg.stored(HEIGHT));
  return kept >= LEAST && kept <= MOST ? kept : 42;
};
const draw = () => {
  pg.apply(element);
  dock.dataset.leaf = leaf ?? "";
  dock.classList.toggle("largest", Boolean(leaf) && largest);
  dock.style.setProperty("--dock", `${heightOf()}dvh`);
  for (const name of ["inside", "run"]) find(`[name=${name}]`).setAttribute("aria-pressed", String(leaf === name));
  const maximize = find("[name=maximize]");
  maximize.textContent = largest ? "⤓" : "⤒";
  maximize.title = pg.t(largest ? "dock_smaller" : "dock_larger");
  maximize.setAttribute("aria-label", maximize.title);
  maximize.setAttribute("aria-pressed", String(largest));
  maximize.hidden = find("[name=close]").hidden = !leaf;
  find(".dock-hint").hidden = leaf !== "inside" || Boolean(document.querySelector("#waterfall .wf:not([hidden]), #next .wf:not([hidden])"));
  const grip = find(".dock-grip");
  grip.hidden = !leaf;
  grip.setAttribute("aria-valuenow", String(heightOf()));
  grip.setAttribute("aria-valuemin", String(LEAST));
  grip.setAttribute("aria-valuemax", String(MOST));
};
const show = (wanted) => {
  leaf = wanted;
  if (!leaf) largest = false;
  draw();
};
const resize = (share) => {
  largest = false;
  pg.store(HEIGHT, String(Math.round(Math.min(Math.max(share, LEAST), MOST))));
  draw();
};
const close = () => {
  show(null);
  for (const button of dock.querySelectorAll(".wf:not([hidden]) [name=close]")) button.click();
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[name]");
  if (!button) return;
  if (button.name === "close") close();
  else if (button.name === "maximize") { largest = !largest; draw(); }
  else show(leaf === button.name ? null : button.name);
});
// What is open belongs to what the form was about.
let about = "";
pg.on("composed", ({ kind, task }) => {
  const now = kind === "task" ? `task/${task?.id}` : kind;
  if (about && now !== about && leaf) close();
  about = now;
}, "dock");
find(".dock-grip").addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const grip = event.currentTarget;
  grip.setPointerCapture(event.pointerId);
  const move = ({ clientY }) => resize((100 * (window.innerHeight - clientY)) / window.innerHeight);
  grip.addEventListener("pointermove", move);
  grip.addEventListener("lostpointercapture", () => grip.removeEventListener("pointermove", move), { once: true });
});
find(".dock-grip").addEventListener("keydown", (event) => {
  const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!way) return;
  event.preventDefault();
  resize(heightOf() + way * STEP);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || leaf !== "run" || !isWide.matches || !element.offsetParent) return;
  event.preventDefault();
  close();
});
// A panel that opens or closes says so to the views beside it.
document.addEventListener("playground-token", ({ detail }) => {
  if (detail.kind !== "panel" || !dock.contains(detail.source)) return;
  if (detail.open) show("inside");
  else if (leaf === "inside" && !dock.querySelector(".wf:not([hidden])")) show(null);
  else draw();
});
pg.on("run", (news) => { if (news.running && leaf === "inside" && !dock.querySelector(".wf:not([hidden])")) show(null); }, "dock_head");
pg.on("dock", show, "dock_head");
pg.on("language", draw, "dock_head");
draw();
