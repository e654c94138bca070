// What is loaded, which layer is where, and which models a server can be started with.
import { on } from "../page/board.js";
import { copy, find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { bytes, number } from "../page/numbers.js";
import { apply, t } from "../page/words.js";

/** @typedef {import("../server").LoadedModel} LoadedModel */
/** @typedef {import("../server").KnownModel} KnownModel */

const { element, props } = hostOf("model");
const SAID = 1200; // milliseconds
const BAR = 96; // pixels of the largest part's
const PARTS = 50; // of the bar of all devices: the smallest gets one
/** @type {LoadedModel | null | undefined} */
let model = null;

/**
 * @param {LoadedModel} model
 * @returns {[string, string | null][]}
 */
const facts = (model) => [
  ["model_id", model.id === model.title ? model.id : `${model.title} (${model.id})`],
  ["model_revision", model.revision],
  ["model_parameters", number(model.parameters)],
  ["model_dtype", model.dtype],
  ["model_size", bytes(model.size)],
  ["model_context", t(model.limited ? "tokens_unit" : "tokens_endless", { count: number(model.context) })],
  ["model_chat", t(model.has_chat_template ? "yes" : "no")],
  ["model_folder", model.folder],
];
/** @param {string} device */
const kind = (device) => (device.startsWith("cuda") ? "gpu" : device === "disk" ? "disk" : "cpu");
/** @param {HTMLElement} button @param {KnownModel} one */
const copied = async (button, one) => {
  await copy(`make run MODEL=${one.id}`);
  button.textContent = t("copied");
  setTimeout(() => {
    button.textContent = t("copy_command");
  }, SAID);
};
/** @param {KnownModel} one */
const knownRow = (one) => {
  const button = make("button", { type: "button", class: "quiet strong" }, t("copy_command"));
  button.addEventListener("click", () => copied(button, one));
  return make(
    "tr",
    {},
    make("td", {}, one.title, one.id === one.title ? null : make("small", {}, one.id)),
    make("td", {}, say(one.note), one.here ? make("small", {}, t("model_here")) : null),
    make("td", { class: "count", "data-label": t("model_size") }, bytes(one.size)),
    make("td", { class: "count", "data-label": t("model_memory") }, bytes(one.memory)),
    make("td", { class: "count" }, button),
  );
};
/** @param {LoadedModel} model */
const drawDevices = ({ placements, size: all }) => {
  /** @type {Map<string, number>} */
  const totals = new Map();
  for (const { device, size } of placements) totals.set(device, (totals.get(device) || 0) + size);
  const parts = [...totals].map(([device, size]) => {
    const share = `flex-grow:${Math.max(size, all / PARTS)}`;
    return make("span", { class: kind(device), style: share }, `${device} · ${bytes(size)}`);
  });
  const bar = find(element, ".device-bar");
  bar.replaceChildren(...parts);
  bar.setAttribute("aria-label", [...totals].map(([device, size]) => `${device}: ${bytes(size)}`).join(", "));
};
/** @param {LoadedModel} model */
const drawPlacements = ({ placements }) => {
  const largest = placements.reduce((most, { size }) => Math.max(most, size), 1);
  const rows = placements.map(({ module, device, size }) => {
    const bar = make("span", { class: "share-bar", style: `width:${(BAR * size) / largest}px` });
    const cells = [
      make("td", {}, module),
      make("td", { class: kind(device) }, device),
      make("td", {}, bar, bytes(size)),
    ];
    return make("tr", {}, ...cells);
  });
  find(element, ".device-table tbody").replaceChildren(...rows);
};
const draw = () => {
  apply(element);
  find(element, ".known tbody").replaceChildren(.../** @type {KnownModel[]} */ (props.models).map(knownRow));
  find(element, ".model-page").classList.toggle("empty", !model);
  if (!model) return;
  const said = facts(model).filter(([, value]) => value);
  const lines = said.map(([key, value]) => make("div", {}, make("dt", {}, t(key)), make("dd", {}, value)));
  find(element, ".model-facts").replaceChildren(...lines);
  drawDevices(model);
  drawPlacements(model);
};

on(
  "server",
  (status) => {
    model = status.model;
    draw();
  },
  "model",
);
on("language", draw, "model");
draw();
