// Which layer of the loaded model is on which device, and how much each device holds.
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { bytes } from "../page/numbers.js";

/** @typedef {import("../server").LoadedModel} LoadedModel */

const { element } = hostOf("model");
const BAR = 96; // pixels of the largest part's
const PARTS = 50; // of the bar of all devices: the smallest gets one

/** @param {string} device */
const kind = (device) => (device.startsWith("cuda") ? "gpu" : device === "disk" ? "disk" : "cpu");
/** @param {LoadedModel} model */
const drawTotals = ({ placements, size: all }) => {
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
/** @param {LoadedModel | null | undefined} model */
export const drawDevices = (model) => {
  find(element, ".model-devices").hidden = !model?.placements.length;
  if (!model) return;
  drawTotals(model);
  drawPlacements(model);
};
