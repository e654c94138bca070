// The top of the page: sections, theme, language, what model is loaded, and the public link where there is one.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const devices = (model) => [...new Set(model.placements.map((place) => place.device))]
  .map((device) => (device.startsWith("cuda") ? device.replace("cuda:", "GPU ") : device === "cpu" ? "CPU" : device)).join(" + ");
const AGAIN = 400; // milliseconds
const SAID = 20_000; // milliseconds for which a line that will not be true for long stands there
let connection = { state: "there" };
let passing = null; // such a line, said by key or as it stands
let passes = 0;
let asked = false; // a run, which says itself why it was refused
const short = { float32: "fp32", bfloat16: "bf16", float16: "fp16" };

const drawShare = (share) => {
  const bar = find(".share");
  bar.hidden = !share;
  if (!share) return;
  bar.classList.toggle("failed", share.state === "failed");
  const link = find(".share-link");
  link.hidden = find("[name=copy-link]").hidden = share.state !== "open";
  link.textContent = share.url || "";
  if (share.url) link.href = share.url;
  const words = {
    opening: () => pg.t("share_opening"),
    failed: () => pg.t("share_failed", { address: share.local }),
    open: () => [pg.t("share_public"), pg.t(share.guarded ? "share_guarded" : "share_open")].join(pg.language === "zh" ? "" : " "),
  };
  find(".share-text").textContent = words[share.state]();
};
const draw = () => {
  const status = props.value || {};
  pg.apply(element);
  const theme = find("[name=theme]");
  theme.title = pg.t(pg.theme() === "dark" ? "to_light" : "to_dark");
  theme.setAttribute("aria-label", theme.title);
  for (const tongue of element.querySelectorAll("[name=language] span")) {
    tongue.classList.toggle("chosen", tongue.lang === pg.language);
  }
  find(".logout").hidden = !status.guarded;
  const chip = find(".chip");
  const model = status.model;
  chip.classList.toggle("ready", Boolean(model) && connection.state === "there");
  chip.classList.toggle("failed", Boolean(status.error));
  chip.style.setProperty("--done", `${Math.round((status.progress ?? 0) * 100)}%`);
  find(".chip-text").textContent = model
    ? [model.title, `${devices(model) || "CPU"} ${short[model.dtype] || model.dtype}`, pg.bytes(model.size)].join(" · ")
    : pg.say(status.loading) || (status.error ? pg.t("model_failed") : "");
  drawNotice(status.error || model?.notice);
  drawShare(status.share);
};
// One line: whether the server is there, or what it said last, or what there is to say of the model.
const drawNotice = (text) => {
  const { state } = connection;
  const said = state !== "there" ? pg.t(`connection_${state}`) : passing ? passing() : pg.say(text);
  const notice = find(".server-notice");
  notice.hidden = !said;
  notice.classList.toggle("passing", state === "there" && Boolean(passing));
  if (notice.firstChild.textContent !== said) notice.firstChild.textContent = said;
  const reload = find("[name=reload]");
  reload.hidden = state !== "login" && state !== "other";
  reload.textContent = reload.hidden ? "" : pg.t(state === "login" ? "log_in_again" : "reload");
};
const pass = (line) => {
  clearTimeout(passes);
  passing = line;
  if (line) passes = setTimeout(() => { passing = null; draw(); }, SAID);
  draw();
};
const showTab = ({ tab }) => {
  if (document.body.dataset.tab === tab) return;
  document.body.dataset.tab = tab;
  for (const link of element.querySelectorAll("nav [data-tab]")) {
    if (link.dataset.tab === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const link = event.target.closest("a[href^='#']");
  if (link) {
    event.preventDefault();
    pg.address.open(link.getAttribute("href"));
  }
  if (button?.name === "theme") pg.setTheme(pg.theme() === "dark" ? "light" : "dark");
  if (button?.name === "language") pg.setLanguage(pg.language === "en" ? "zh" : "en");
  if (button?.name === "reload") location.reload();
  if (button?.name === "copy-link") {
    pg.copy(props.value.share.url);
    button.textContent = pg.t("copied");
    setTimeout(() => { button.textContent = pg.t("copy_link"); }, 1200);
  }
});
pg.on("place", showTab, "header");
pg.on("language", draw, "header");
pg.on("theme", draw, "header");
// Until the model is loaded and the link is open, the server is asked again and again.
const settled = ({ loading, share } = {}) => loading === null && share?.state !== "opening";
let asks = 0;
const askAgain = () => {
  clearTimeout(asks);
  if (connection.state === "there" && !settled(props.value)) asks = setTimeout(() => { trigger("ask"); askAgain(); }, AGAIN);
};
watch("value", () => { draw(); pg.tell("server", props.value); askAgain(); });
pg.paintTheme();
pg.on("wake", () => trigger("wake"), "header");
pg.on("run", (news) => {
  asked = Boolean(news.asked);
  if (asked && passing) pass(null);
}, "header");
pg.on("refused", (sentence) => { if (!asked && connection.state === "there") pass(() => sentence); }, "header");
pg.on("connection", (now) => {
  connection = now;
  if (!now.again) { draw(); return; }
  pass(() => pg.t(now.restarted ? "connection_restarted" : "connection_back"));
  trigger("ask"); // another start may have another model, or load it still
  askAgain();
}, "header");
pg.tell("place", pg.address.now);
draw();
pg.tell("server", props.value || {});
askAgain();
