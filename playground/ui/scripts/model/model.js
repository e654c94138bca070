// The tab Model: what is loaded, choosing another model, and what becomes of that; only the owner has the buttons, and the
// server asks anew who wants it.
import { here, open } from "../page/address.js";
import { on, tell } from "../page/board.js";
import { around, find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { bytes } from "../page/numbers.js";
import { apply, t } from "../page/words.js";
import { drawDevices } from "./devices.js";
import { drawEstimate, expectEstimate, showEstimate } from "./estimate.js";
import { choice, choose, complain, copyCommand, drawAdapters, drawForm, runningTexts, setTemplate } from "./form.js";
import { drawLoaded } from "./loaded.js";
import { drawSwitch } from "./switching.js";

/** @typedef {import("../server").Server} Server */
/** @typedef {import("../server").KnownModel} KnownModel */

const { element, props, trigger, watch } = hostOf("model");
const IDLE = 20_000; // milliseconds after which it is asked how long others have been idle
/** @type {Server} */
let status = {};
/** When the newest wish was sent: an older answer is not shown. */
let wished = 0;
/** What is loaded, to ask for the list again once it is another. */
let held = "";

/** @param {KnownModel} one */
const knownRow = (one) => {
  const button = make(
    "button",
    { type: "button", class: "quiet strong", name: "choose", "data-id": one.id },
    t("model_choose"),
  );
  button.setAttribute("aria-label", t("model_choose_named", { title: one.title }));
  return make(
    "tr",
    {},
    make("td", {}, one.title, one.id === one.title ? null : make("small", {}, one.id)),
    make(
      "td",
      {},
      say(one.note),
      make("small", {}, [one.licence, one.here && t("model_here")].filter(Boolean).join(" · ")),
    ),
    make("td", { class: "count", "data-label": t("model_size") }, one.size ? bytes(one.size) : ""),
    make("td", { class: "count", "data-label": t("model_memory") }, one.memory ? bytes(one.memory) : ""),
    make("td", { class: "count" }, status.owner ? button : null),
  );
};
const drawList = () => {
  const help = status.owner ? t("models_owner") : `${t("models_visitor")} ${t("models_visitor_link")}`;
  find(element, ".models-help").textContent = status.pool ? help : "";
  find(element, ".known tbody").replaceChildren(.../** @type {KnownModel[]} */ (props.models).map(knownRow));
};
const drawStatus = () => {
  drawLoaded(status);
  drawSwitch(status);
  drawForm(Boolean(status.owner), Boolean(status.pool?.busy));
};
const draw = () => {
  apply(element);
  drawStatus();
  drawList();
  drawEstimate();
  drawDevices(status.model);
};
/** The next answer is that to this wish. */
const wish = () => {
  wished = Date.now();
  return wished;
};
const estimate = () => {
  complain(null);
  expectEstimate();
  trigger("estimate", { ...choice(), at: wish() });
};
/** What the buttons do. @type {Record<string, (button: HTMLButtonElement) => void>} */
const PRESSED = {
  estimate,
  choose: ({ dataset }) => {
    choose(dataset.id ?? "");
    showEstimate(null);
    const known = /** @type {KnownModel[]} */ (props.models).find(({ id }) => id === dataset.id);
    if (known?.here) estimate(); // of what is not here, the hub would be asked
  },
  use: ({ dataset }) => trigger("use", { at: wish(), key: dataset.key ?? "", running: runningTexts() }),
  unload: ({ dataset }) => trigger("unload", { at: wish(), key: dataset.key ?? "" }),
  cancel: () => trigger("cancel", { at: wish() }),
  halt: () => trigger("halt", { at: wish() }),
  command: copyCommand,
  template: () => trigger("template", { at: wish() }),
  "no-template": () => setTemplate(""),
  own: () => {
    tell("preset_wanted", { id: "model" });
    open("#play");
  },
};
element.addEventListener("click", (event) => {
  const button = around(event, "button", HTMLButtonElement);
  if (button) PRESSED[button.name]?.(button);
});
find(element, ".model-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  complain(null);
  trigger("switch", { ...choice(), at: wish(), running: runningTexts() });
});
watch("answer", () => {
  const { answer } = props;
  if (!answer || answer.at !== wished) return;
  complain(answer.error);
  if (answer.estimate || answer.error) showEstimate(answer.estimate ?? null);
  if (typeof answer.template === "string") setTemplate(answer.template);
});
watch(["models", "hub", "adapters"], () => {
  drawList();
  drawAdapters();
  drawStatus();
});
on(
  "server",
  (now) => {
    const before = JSON.stringify([status.model, status.owner]);
    status = now;
    drawStatus();
    if (JSON.stringify([status.model, status.owner]) !== before) {
      drawList();
      drawDevices(status.model);
    }
    const holds = JSON.stringify([status.owner, (status.pool?.entries ?? []).map(({ key }) => key)]);
    if (status.pool && holds !== held) {
      held = holds;
      trigger("opened"); // a model that was downloaded is on this machine now
    }
  },
  "model",
);
on(
  "refused",
  (sentence) => {
    if (wished && here().tab === "model") complain({ field: "name", text: sentence });
    showEstimate(null);
  },
  "model",
);
on("language", draw, "model");
setInterval(() => {
  const others = (status.pool?.entries.length ?? 0) > 1;
  if (others && here().tab === "model" && document.visibilityState === "visible") tell("news", {});
}, IDLE);
draw();
