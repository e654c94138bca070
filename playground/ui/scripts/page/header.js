// The top of the page: sections, theme, language, and what model is loaded. Asks the server for what it says of itself
// until the model is loaded and the link is open, and tells that as `server`.
import * as address from "./address.js";
import { latest, on, tell } from "./board.js";
import { around, find, findAll } from "./dom.js";
import { hostOf } from "./element.js";
import { language, say, setLanguage } from "./language.js";
import { bytes } from "./numbers.js";
import { expectToLeave } from "./reach.js";
import * as notice from "./server_notice.js";
import { drawShare } from "./share_link.js";
import { paintTheme, setTheme, theme } from "./theme.js";
import { apply, t } from "./words.js";

/** @typedef {import("../server").Server} Server */
/** @typedef {import("../server").LoadedModel} LoadedModel */

const { element, props, trigger, watch } = hostOf("header");
const AGAIN = 400; // milliseconds
const OF_SWITCH = 700; // the same while another model is loaded
/** @type {Record<string, string>} */
const SHORT = { float32: "fp32", bfloat16: "bf16", float16: "fp16" };
let asks = 0;

/** @returns {Server} */
const server = () => props.value || {};
const isReached = () => (latest("connection")?.state ?? "there") === "there";
/** @param {string} device */
const deviceName = (device) => {
  if (device.startsWith("cuda")) return device.replace("cuda:", "GPU ");
  return device === "cpu" ? "CPU" : device;
};
/** @param {LoadedModel} model */
const devices = (model) => [...new Set(model.placements.map((place) => place.device))].map(deviceName).join(" + ");
/** @param {LoadedModel} model @param {string | null} [engine] */
const described = (model, engine) => {
  if (engine) return [model.title, engine].join(" · ");
  const weights = `${devices(model) || "CPU"} ${SHORT[model.dtype] || model.dtype}`;
  return [model.title, weights, bytes(model.size)].join(" · ");
};
const drawChip = () => {
  const { model, engine, error, progress, loading } = server();
  const chip = find(element, ".chip");
  chip.classList.toggle("ready", Boolean(model) && isReached());
  chip.classList.toggle("failed", Boolean(error));
  chip.style.setProperty("--done", `${Math.round((progress ?? 0) * 100)}%`);
  find(chip, ".chip-text").textContent = model
    ? described(model, engine)
    : say(loading) || (error ? t("model_failed") : "");
};
const draw = () => {
  const { model, error, guarded, share, owner } = server();
  apply(element);
  const button = find(element, "[name=theme]");
  button.title = t(theme() === "dark" ? "to_light" : "to_dark");
  button.setAttribute("aria-label", button.title);
  for (const tongue of findAll(element, "[name=language] span")) {
    tongue.classList.toggle("chosen", tongue.lang === language());
  }
  find(element, ".logout").hidden = !guarded;
  find(element, "nav [data-tab=train]").hidden = !owner;
  drawChip();
  notice.show(error || model?.notice);
  drawShare(share);
};
/** @param {import("../topics").Place} place */
const showTab = ({ tab }) => {
  if (document.body.dataset.tab === tab) return;
  if (tab === "model") askAgain();
  document.body.dataset.tab = tab;
  const column = element.closest(".column");
  if (column instanceof HTMLElement) column.dataset.tab = tab; // for rules that cannot begin at the body (workspace.css)
  for (const link of findAll(element, "nav [data-tab]")) {
    if (link.dataset.tab === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
};
/**
 * Milliseconds until the server is asked again, 0 where that is not needed: of a switch, only who looks at it asks how far
 * it is; that it begins and ends, every page is told.
 * @param {Server} status
 */
const pause = ({ loading, share, pool }) => {
  if (loading !== null || share?.state === "opening") return AGAIN;
  return pool?.busy && address.here().tab === "model" ? OF_SWITCH : 0;
};
const askAgain = () => {
  clearTimeout(asks);
  const time = pause(server());
  if (!isReached() || !time) return;
  asks = setTimeout(() => {
    trigger("ask");
    askAgain();
  }, time);
};

element.addEventListener("click", (event) => {
  const link = around(event, "a[href^='#']");
  if (link) {
    event.preventDefault();
    address.open(link.getAttribute("href") ?? "");
  }
  const button = around(event, "button", HTMLButtonElement);
  if (button?.name === "theme") setTheme(theme() === "dark" ? "light" : "dark");
  if (button?.name === "language") setLanguage(language() === "en" ? "zh" : "en");
});
find(element, ".logout").addEventListener("submit", expectToLeave);
on("place", showTab, "header");
on("language", draw, "header");
on("theme", draw, "header");
watch("value", () => {
  draw();
  tell("server", props.value);
  askAgain();
});
paintTheme();
on("wake", () => trigger("wake"), "header");
on("news", () => trigger("ask"), "header");
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && isReached()) trigger("ask"); // what a sleeping browser may have missed
});
on(
  "connection",
  ({ again }) => {
    draw();
    if (!again) return;
    trigger("ask"); // another start may have another model, or load it still
    askAgain();
  },
  "header",
);
tell("place", address.here());
draw();
tell("server", server());
askAgain();
