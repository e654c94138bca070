// Entropy (a line) and surprise (stems) over the tokens of one candidate, in bits, and the numbers of the whole text.
// Takes what the tokens of its scope are told; says `pick` {run, row, position}.
const HEIGHT = 96;
const LEFT = 28;
const BELOW = 16;
const SVG = "http://www.w3.org/2000/svg";
const held = rowsOf();
const box = find(".cv");
const plot = find(".cv-plot");
let shownRow = known(props.row) ? props.row : 0;
let at = 0;
let marked = null;
let waits = false;

const row = () => held.rows.get(shownRow);
const tokens = () => row()?.tokens ?? [];
const svg = (tag, attributes, text) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
};
const scale = () => {
  const width = Math.max(plot.clientWidth, 120);
  const list = tokens();
  let most = 4;
  for (const token of list) most = Math.max(most, token.entropy ?? 0, surprise(token) ?? 0);
  most = Math.ceil(most / 4) * 4;
  const step = (width - LEFT - 8) / Math.max(list.length - 1, 1);
  return { width, most, x: (place) => LEFT + place * step, y: (value) => HEIGHT - (Math.max(value, 0) / most) * (HEIGHT - 6), step };
};
const readout = (place) => {
  const token = tokens()[place];
  if (!token) return "";
  return t("readout", { n: place + 1, text: alone(token), entropy: fixed(token.entropy, 1), surprise: fixed(surprise(token), 1) });
};
const summary = () => {
  const list = tokens().filter((token) => known(token.entropy));
  if (!list.length) return t("curve_unknown");
  const mean = list.reduce((sum, token) => sum + token.entropy, 0) / list.length;
  let highest = 0;
  tokens().forEach((token, place) => { if ((token.entropy ?? -1) > (tokens()[highest].entropy ?? -1)) highest = place; });
  return t("summary", {
    count: count(tokens().length), mean: fixed(mean, 1), n: highest + 1, text: spoken(tokens()[highest]),
    highest: fixed(tokens()[highest].entropy, 1),
  });
};
const place = () => {
  at = Math.min(Math.max(at, 0), Math.max(tokens().length - 1, 0));
  const { x } = scale();
  const cursor = plot.querySelector(".cv-cursor");
  if (cursor) {
    cursor.setAttribute("x1", x(at));
    cursor.setAttribute("x2", x(at));
  }
  const mark = plot.querySelector(".cv-mark");
  if (mark) {
    mark.style.display = marked === null ? "none" : "";
    mark.setAttribute("cx", x(marked ?? 0));
  }
  find(".cv-read").textContent = readout(at);
  plot.setAttribute("aria-valuenow", at + 1);
  plot.setAttribute("aria-valuetext", readout(at));
};
const drawPlot = () => {
  const list = tokens();
  const { width, most, x, y, step } = scale();
  const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT + BELOW}`, width, height: HEIGHT + BELOW, "aria-hidden": "true" });
  for (const tick of [0, most / 2, most]) {
    picture.append(svg("line", { class: "cv-grid", x1: LEFT, x2: width - 8, y1: y(tick), y2: y(tick) }),
      svg("text", { class: "cv-tick", x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, String(tick)));
  }
  const jump = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((one) => list.length / one <= 10) ?? 10000;
  for (let n = jump; n <= list.length; n += jump) {
    picture.append(svg("text", { class: "cv-tick", x: x(n - 1), y: HEIGHT + 13, "text-anchor": "middle" }, String(n)));
  }
  let stems = "";
  let line = "";
  list.forEach((token, number) => {
    const shock = surprise(token);
    if (known(shock)) stems += `M${x(number).toFixed(1)} ${HEIGHT}V${y(shock).toFixed(1)}`;
    if (known(token.entropy)) line += `${line && known(list[number - 1]?.entropy) ? "L" : "M"}${x(number).toFixed(1)} ${y(token.entropy).toFixed(1)}`;
  });
  picture.append(svg("path", { class: "cv-surprise", d: stems, "stroke-width": Math.min(Math.max(step * 0.5, 0.6), 4).toFixed(1) }),
    svg("path", { class: "cv-entropy", d: line }), svg("line", { class: "cv-cursor", x1: 0, x2: 0, y1: 2, y2: HEIGHT }),
    svg("circle", { class: "cv-mark", cx: 0, cy: HEIGHT, r: 4 }));
  plot.replaceChildren(picture);
  plot.setAttribute("aria-valuemax", Math.max(list.length, 1));
  plot.setAttribute("aria-label", t("curve_label", { n: shownRow + 1 }));
  place();
};
const draw = () => {
  waits = false;
  box.hidden = !tokens().length;
  if (box.hidden) return;
  speakAll();
  drawPlot();
  find(".cv-voice").textContent = row().done ? summary() : "";
  find(".cv-numbers").replaceChildren(...(row().numbers ?? []).map((one) => make("div", { title: say(one.hint) || null },
    make("dt", {}, say(one.label)), make("dd", {}, say(one.value)))));
};
// A growing text is drawn at most once a frame.
const later = () => {
  if (waits) return;
  waits = true;
  requestAnimationFrame(draw);
};
const pick = (focus) => {
  if (!tokens().length) return;
  marked = at;
  place();
  const where = { run: held.run, row: shownRow, position: at };
  tellViews("picked", { ...where, focus });
  trigger("pick", where);
};
const under = (event) => {
  const { x, step } = scale();
  at = Math.round((event.clientX - plot.getBoundingClientRect().left - x(0)) / step);
  place();
};
plot.addEventListener("pointermove", under);
plot.addEventListener("pointerleave", () => { if (marked !== null) { at = marked; place(); } });
plot.addEventListener("click", (event) => { under(event); pick(false); });
const MOVES = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity };
plot.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    pick(true);
  } else if (MOVES[event.key]) {
    event.preventDefault();
    at += MOVES[event.key];
    place();
  }
});
const receive = (value) => {
  if (held.isOld(value)) return;
  const { fresh } = held.merge(value);
  if (fresh) {
    at = 0;
    marked = null;
    if (!known(props.row) && !held.rows.has(shownRow)) shownRow = held.rows.size ? Math.min(...held.rows.keys()) : 0;
  }
  if (known(value.show) && held.rows.has(value.show)) shownRow = value.show;
  later();
};
hearViews((news) => {
  if (news.kind === "news") receive(news.value);
  if (news.run !== held.run || (known(props.row) && news.row !== props.row)) return;
  if (news.kind === "row" || (news.kind === "picked" && news.row !== shownRow)) {
    shownRow = news.row;
    marked = null;
    draw();
  }
  if (news.kind === "picked") {
    at = marked = news.position;
    place();
  }
});
new ResizeObserver(() => { if (!box.hidden) later(); }).observe(plot);
watch("language", draw);
pg?.on?.("language", draw, element);
tellViews("hello");
