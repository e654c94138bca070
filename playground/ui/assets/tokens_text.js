// One text as its tokens: each row of a run has one, which keeps its place when another is looked at. `view` is the text
// that is drawn or moved in now. Runs inside the same function as tokens.js.
const LEVELS = 16;
const MODES = {
  probability: {
    value: modelChance, level: (p) => 1 - p, show: percent, ticks: [1, 0.75, 0.5, 0.25, 0],
  },
  rank: {
    value: (token) => token.rank, level: (rank) => Math.log10(rank) / 3, show: count, ticks: [1, 10, 100, 1000], open: true,
  },
  entropy: {
    value: (token) => token.entropy, level: (entropy) => entropy / 8, show: (n) => fixed(n, 0), ticks: [0, 2, 4, 6, 8], open: true, unit: true,
  },
  surprise: {
    value: surprise, level: (n) => n / 12, show: (n) => fixed(n, 0), ticks: [0, 3, 6, 9, 12], open: true, unit: true,
  },
};
const texts = new Map(); // by row: {row, node, spans, current: the one tab stop}
const textOfRow = (row) => {
  if (!texts.has(row)) {
    const node = make("div", { class: props.ids ? "tk-text tk-ids" : "tk-text", role: "toolbar", "aria-orientation": "horizontal", hidden: true });
    texts.set(row, { row, node, spans: [], current: 0 });
    hear(node, row);
  }
  return texts.get(row);
};
let view = null;
/** Does something in the text of a row, and comes back to the one that is looked at. */
const inRow = (row, deed) => {
  const looked = view;
  view = textOfRow(row);
  deed();
  view = looked;
};

const levelClass = (token) => {
  const value = MODES[mode].value(token);
  if (!known(value)) return "tk-none";
  const level = Math.min(Math.max(MODES[mode].level(value), 0), 1);
  return `tk-${Math.min(Math.floor(level * LEVELS), LEVELS - 1)}`;
};
const differs = (replay, at) => Boolean(replay) && replay.would[at] !== undefined;
const classOf = (token, at, replay) => {
  const names = ["tk-token"];
  if (!replay) names.push(levelClass(token));
  if (token.special) names.push("tk-special");
  if (token.context) names.push("tk-context");
  if (token.text === "" && !token.special) names.push("tk-blank");
  if (replay?.first === at) names.push("tk-first");
  else if (differs(replay, at)) names.push("tk-differs");
  if (replay && replay.first !== null && at > replay.first) names.push("tk-after");
  if (picked && picked.row === view.row && picked.position === at) names.push("tk-picked");
  return names.join(" ");
};
const labelOf = (token, at, replay) => {
  const parts = [t("token", { n: at + 1 }), spoken(token)];
  if (known(token.logprob)) parts.push(t("label_probability", { p: percent(modelChance(token)) }));
  if (known(token.rank)) parts.push(t("label_rank", { n: count(token.rank) }));
  if (mode === "entropy" && known(token.entropy)) parts.push(t("label_entropy", { n: fixed(token.entropy, 1) }));
  if (mode === "surprise" && known(token.logprob)) parts.push(t("label_surprise", { n: fixed(surprise(token), 1) }));
  if (differs(replay, at)) parts.push(t("label_would", { text: spoken(replay.would[at]) }));
  return parts.join(language() === "zh" ? "，" : ", ");
};
const drawSpan = (span, token, at, replay) => {
  span.className = classOf(token, at, replay);
  span.setAttribute("aria-label", labelOf(token, at, replay));
  if (replay?.first === at) span.dataset.would = `→ ${bidi.isolate(alone(replay.would[at]))}`;
  else delete span.dataset.would;
};
const makeSpan = (token, at, replay) => {
  const span = document.createElement("span");
  span.textContent = props.ids ? alone(token) : inText(token);
  if (props.ids) span.append(make("small", {}, String(token.id)));
  span.setAttribute("role", "button");
  span.tabIndex = at === view.current ? 0 : -1;
  span.dataset.at = at;
  drawSpan(span, token, at, replay);
  return span;
};
const moveStop = (at) => {
  if (view.spans[view.current]) view.spans[view.current].tabIndex = -1;
  view.current = Math.min(Math.max(at, 0), Math.max(view.spans.length - 1, 0));
  if (view.spans[view.current]) view.spans[view.current].tabIndex = 0;
};
// Everything from `keep` on is new; before it nothing is touched. What a line break ends is a block of its own, so that
// the browser lays out only the last one when tokens are added.
const breaksLine = (token) => token.text.endsWith("\n");
const drawFrom = (keep) => {
  const list = tokens();
  const following = view.node.scrollHeight - view.node.scrollTop - view.node.clientHeight < 8;
  for (const span of view.spans.splice(keep)) {
    takeOff(span);
  }
  const replay = overlay();
  const added = document.createDocumentFragment();
  let line = keep > 0 && !breaksLine(list[keep - 1]) ? view.node.lastElementChild : null;
  for (let at = keep; at < list.length; at += 1) {
    if (!line) {
      line = makeLine();
      added.append(line);
    }
    view.spans.push(makeSpan(list[at], at, replay));
    putOn(line, view.spans[at]);
    if (breaksLine(list[at])) line = null;
  }
  view.node.append(added);
  if (view.current >= view.spans.length) moveStop(view.spans.length - 1);
  if (following && keep > 0) view.node.scrollTop = view.node.scrollHeight;
  view.node.hidden = !list.length;
  view.seen = list.at(-1);
};
/** A text that was drawn nowhere may lack what came meanwhile. */
const catchUp = (row) => inRow(row, () => {
  const list = tokens();
  if (view.spans.length !== list.length || view.seen !== list.at(-1)) drawFrom(0);
  else redrawText();
});
const redrawText = () => {
  const replay = overlay();
  view.node.classList.toggle("tk-replaying", Boolean(replay));
  view.node.setAttribute("aria-label", t("toolbar", { n: view.row + 1 }));
  tokens().forEach((token, at) => { if (view.spans[at]) drawSpan(view.spans[at], token, at, replay); });
  // The label of the first token that would differ hangs below it and must not stick out of the text.
  const first = replay ? view.spans[replay.first] : null;
  if (!first) return;
  const box = first.getClientRects()[0];
  const frame = view.node.getBoundingClientRect();
  first.classList.toggle("tk-left", Boolean(box) && box.left - frame.left > frame.width * 0.6);
};
// The nearest token on the line above or below.
const beside = (step) => {
  const here = view.spans[view.current].getClientRects()[0];
  const middle = (here.left + here.right) / 2;
  let line = null;
  let best = view.current;
  let distance = Infinity;
  for (let at = view.current + step; at >= 0 && at < view.spans.length; at += step) {
    const box = view.spans[at].getClientRects()[0];
    if (!box || Math.abs(box.top - here.top) < 4) continue;
    if (line === null) line = box.top;
    if (Math.abs(box.top - line) > 4) break;
    const away = Math.abs((box.left + box.right) / 2 - middle);
    if (away < distance) { distance = away; best = at; }
  }
  return best;
};
// Behind a token stands the next one: on its left where the line runs from right to left.
const step = (way) => go(view.current + (runsLeft(view.spans[view.current]) ? -way : way));
const KEYS = {
  ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  ArrowUp: () => go(beside(-1)), ArrowDown: () => go(beside(1)),
  Home: () => go(0), End: () => go(view.spans.length - 1),
  Enter: () => pick(view.current, true), " ": () => pick(view.current, true),
};
const tokenAt = (event) => {
  const span = event.target.closest?.(".tk-token");
  return span ? Number(span.dataset.at) : null;
};
const hear = (node, row) => {
  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !textOfRow(row).spans.length) return;
    if (event.key === "Escape" && !tip.hidden) hideTip();
    if (!KEYS[event.key]) return;
    event.preventDefault();
    showRow(row);
    KEYS[event.key]();
  });
  node.addEventListener("click", (event) => {
    const at = tokenAt(event);
    if (at === null || String(window.getSelection())) return; // a selection is for copying
    showRow(row);
    moveStop(at);
    view.spans[at].focus({ preventScroll: true });
    pick(at, false);
  });
  node.addEventListener("pointerover", (event) => {
    const at = tokenAt(event);
    if (at !== null && event.pointerType !== "touch") inRow(row, () => showTip(at));
  });
  node.addEventListener("pointerleave", hideTip);
  node.addEventListener("scroll", hideTip, { passive: true });
  node.addEventListener("focusin", (event) => {
    const at = tokenAt(event);
    if (at !== null) inRow(row, () => { moveStop(at); showTip(at); }); // a screen reader may come here by itself
  });
  node.addEventListener("focusout", hideTip);
};
