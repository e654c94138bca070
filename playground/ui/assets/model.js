// What is loaded, which layer is where, and which models a server can be started with.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
let model = null;

const facts = () => [
  ["model_id", model.id === model.title ? model.id : `${model.title} (${model.id})`],
  ["model_revision", model.revision],
  ["model_parameters", pg.number(model.parameters)],
  ["model_dtype", model.dtype],
  ["model_size", pg.bytes(model.size)],
  ["model_context", pg.t(model.limited ? "tokens_unit" : "tokens_endless", { count: pg.number(model.context) })],
  ["model_chat", pg.t(model.has_chat_template ? "yes" : "no")],
  ["model_folder", model.folder],
].filter(([, value]) => value);
const kind = (device) => (device.startsWith("cuda") ? "gpu" : device === "disk" ? "disk" : "cpu");
const copied = async (button, one) => {
  await pg.copy(`make run MODEL=${one.id}`);
  button.textContent = pg.t("copied");
  setTimeout(() => { button.textContent = pg.t("copy_command"); }, 1200);
};
const drawKnown = () => find(".known tbody").replaceChildren(...props.models.map((one) => pg.make("tr", {},
  pg.make("td", {}, one.title, one.id === one.title ? null : pg.make("small", {}, one.id)),
  pg.make("td", {}, pg.say(one.note), one.here ? pg.make("small", {}, pg.t("model_here")) : null),
  pg.make("td", { class: "count", "data-label": pg.t("model_size") }, pg.bytes(one.size)),
  pg.make("td", { class: "count", "data-label": pg.t("model_memory") }, pg.bytes(one.memory)),
  pg.make("td", { class: "count" }, pg.make(
    "button", { type: "button", class: "quiet strong", onclick: (event) => copied(event.currentTarget, one) }, pg.t("copy_command"))))));
const draw = () => {
  pg.apply(element);
  drawKnown();
  element.querySelector(".model-page").classList.toggle("empty", !model);
  if (!model) return;
  find(".model-facts").replaceChildren(...facts().map(([key, value]) =>
    pg.make("div", {}, pg.make("dt", {}, pg.t(key)), pg.make("dd", {}, value))));
  const totals = new Map();
  let largest = 1;
  for (const place of model.placements) {
    totals.set(place.device, (totals.get(place.device) || 0) + place.size);
    largest = Math.max(largest, place.size);
  }
  const bar = find(".device-bar");
  bar.replaceChildren(...[...totals].map(([device, size]) => pg.make(
    "span", { class: kind(device), style: `flex-grow:${Math.max(size, model.size / 50)}` }, `${device} · ${pg.bytes(size)}`)));
  bar.setAttribute("aria-label", [...totals].map(([device, size]) => `${device}: ${pg.bytes(size)}`).join(", "));
  find(".device-table tbody").replaceChildren(...model.placements.map((place) => pg.make("tr", {},
    pg.make("td", {}, place.module),
    pg.make("td", { class: kind(place.device) }, place.device),
    pg.make("td", {}, pg.make("span", { class: "share-bar", style: `width:${(96 * place.size) / largest}px` }), pg.bytes(place.size)))));
};
pg.on("server", (status) => { model = status.model; draw(); }, "model");
pg.on("language", draw, "model");
draw();
