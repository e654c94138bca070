// The top of the page: sections, theme, language, what model is loaded, and the public link where there is one.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const devices = (model) => [...new Set(model.placements.map((place) => place.device))]
  .map((device) => (device.startsWith("cuda") ? device.replace("cuda:", "GPU ") : device === "cpu" ? "CPU" : device)).join(" + ");
const AGAIN = 400; // milliseconds
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
  chip.classList.toggle("ready", Boolean(model));
  chip.classList.toggle("failed", Boolean(status.error));
  chip.style.setProperty("--done", `${Math.round((status.progress ?? 0) * 100)}%`);
  find(".chip-text").textContent = model
    ? [model.title, `${devices(model) || "CPU"} ${short[model.dtype] || model.dtype}`, pg.bytes(model.size)].join(" · ")
    : pg.say(status.loading) || (status.error ? pg.t("model_failed") : "");
  const notice = find(".server-notice");
  const text = status.error || model?.notice;
  notice.hidden = !text;
  notice.textContent = pg.say(text);
  drawShare(status.share);
};
const showTab = () => {
  const tab = ["#write", "#read", "#batch", "#model"].includes(location.hash) ? location.hash.slice(1) : "play";
  document.body.dataset.tab = tab;
  for (const link of element.querySelectorAll("nav [data-tab]")) {
    if (link.dataset.tab === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  window.scrollTo(0, 0);
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const link = event.target.closest("a[href^='#']");
  if (link) {
    event.preventDefault();
    history.replaceState(null, "", link.getAttribute("href"));
    showTab();
  }
  if (button?.name === "theme") pg.setTheme(pg.theme() === "dark" ? "light" : "dark");
  if (button?.name === "language") pg.setLanguage(pg.language === "en" ? "zh" : "en");
  if (button?.name === "copy-link") {
    pg.copy(props.value.share.url);
    button.textContent = pg.t("copied");
    setTimeout(() => { button.textContent = pg.t("copy_link"); }, 1200);
  }
});
window.addEventListener("hashchange", showTab);
pg.on("language", draw, "header");
pg.on("theme", draw, "header");
// Until the model is loaded and the link is open, the server is asked again and again.
const settled = ({ loading, share } = {}) => loading === null && share?.state !== "opening";
let asks = 0;
const askAgain = () => {
  clearTimeout(asks);
  if (!settled(props.value)) asks = setTimeout(() => { trigger("ask"); askAgain(); }, AGAIN);
};
watch("value", () => { draw(); pg.tell("server", props.value); askAgain(); });
pg.paintTheme();
pg.on("wake", () => trigger("wake"), "header");
showTab();
draw();
pg.tell("server", props.value || {});
askAgain();
