// The text of one candidate as its tokens, coloured by how likely each was. New tokens are appended; what stands is not
// touched while a text grows. Says `pick` {run, row, position}, `look` {run, row}, `diverge` {run, row, position,
// token_id} and `stop`.
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
const held = rowsOf();
const text = find(".tk-text");
let mode = "probability";
let shownRow = known(props.row) ? props.row : 0;
let spans = [];
let current = 0; // the one tab stop
let picked = null; // {row, position}
let panelOpen = false;
let follow = null;
let reason = null; // why nothing of it can be asked any more
let status = {};
let missing = 0; // a timer, while what was missed is on its way

const tokens = () => held.rows.get(shownRow)?.tokens ?? [];
const overlay = () => {
  const replay = props.replay;
  return replay?.would && replay.run === held.run && (replay.row ?? 0) === shownRow ? replay : null;
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
  if (picked && picked.row === shownRow && picked.position === at) names.push("tk-picked");
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
  span.tabIndex = at === current ? 0 : -1;
  span.dataset.at = at;
  drawSpan(span, token, at, replay);
  return span;
};
const moveStop = (at) => {
  if (spans[current]) spans[current].tabIndex = -1;
  current = Math.min(Math.max(at, 0), Math.max(spans.length - 1, 0));
  if (spans[current]) spans[current].tabIndex = 0;
};
// Everything from `keep` on is new; before it nothing is touched. What a line break ends is a block of its own, so that
// the browser lays out only the last one when tokens are added.
const breaksLine = (token) => token.text.endsWith("\n");
const drawFrom = (keep) => {
  const list = tokens();
  const following = text.scrollHeight - text.scrollTop - text.clientHeight < 8;
  for (const span of spans.splice(keep)) {
    takeOff(span);
  }
  const replay = overlay();
  const added = document.createDocumentFragment();
  let line = keep > 0 && !breaksLine(list[keep - 1]) ? text.lastElementChild : null;
  for (let at = keep; at < list.length; at += 1) {
    if (!line) {
      line = makeLine();
      added.append(line);
    }
    spans.push(makeSpan(list[at], at, replay));
    putOn(line, spans[at]);
    if (breaksLine(list[at])) line = null;
  }
  text.append(added);
  if (current >= spans.length) moveStop(spans.length - 1);
  if (following && keep > 0) text.scrollTop = text.scrollHeight;
  text.hidden = !list.length;
  drawEmpty();
};
// Nothing to show, or nothing that could still be asked: why, where there is a reason.
const drawEmpty = () => {
  const why = sentenceOf(reason);
  const empty = find(".tk-empty");
  empty.hidden = tokens().length > 0 && !why;
  empty.textContent = why || t("empty");
  empty.classList.toggle("tk-reason", Boolean(why));
};
// Whoever answers for this row: the badges and the replay beside it are about what is looked at.
const tellLook = () => {
  const where = { run: held.run, row: shownRow };
  if (!props.scope) pg?.tell?.("looked", held.rows.size ? where : null);
  return where;
};
const redraw = () => {
  const replay = overlay();
  tokens().forEach((token, at) => drawSpan(spans[at], token, at, replay));
  drawReplay();
};
// The label of the first token that would differ hangs below it and must not stick out of the text.
const drawReplay = () => {
  const replay = overlay();
  text.classList.toggle("tk-replaying", Boolean(replay));
  find(".tk-replay").hidden = !replay;
  if (!replay) return;
  const first = replay.first;
  find(".tk-replay p").textContent = sentenceOf(replay.sentence) || (first === null ? t("replay_same") : t("replay_first", {
    count: count(first), n: count(first + 1), was: alone(tokens()[first] ?? { text: "" }), would: alone(replay.would[first]),
  }));
  find("[name=diverge]").hidden = first === null;
  if (first !== null && spans[first]) {
    const box = spans[first].getClientRects()[0];
    const frame = text.getBoundingClientRect();
    spans[first].classList.toggle("tk-left", Boolean(box) && box.left - frame.left > frame.width * 0.6);
  }
};
const drawRows = () => {
  const box = find(".tk-rows");
  box.hidden = known(props.row) || held.rows.size < 2;
  box.replaceChildren(...[...held.rows.keys()].sort((one, two) => one - two).map((row) => {
    const label = t("candidate", { n: row + 1 });
    return make("button", { type: "button", "data-row": row, "aria-pressed": String(row === shownRow), "aria-label": label }, String(row + 1));
  }));
};
const firstRow = () => (held.rows.size ? Math.min(...held.rows.keys()) : 0);
const drawHead = () => {
  speakAll();
  drawEmpty();
  const select = find(".tk-by select");
  select.replaceChildren(...Object.keys(MODES).map((name) => make("option", { value: name }, t(`by_${name}`))));
  select.value = mode;
  const { ticks, level, show, open, unit } = MODES[mode];
  const swatches = ticks.map((value, number) => {
    const last = open && number === ticks.length - 1 ? "+" : "";
    const at = Math.min(Math.floor(level(value) * LEVELS), LEVELS - 1);
    return make("span", { class: `tk-${at}` }, show(value) + last);
  });
  const legend = find(".tk-legend");
  legend.replaceChildren(...swatches, ...(unit ? [make("i", {}, t("bits_unit"))] : []));
  legend.setAttribute("aria-label", t(`legend_${mode}`));
  legend.title = t(`legend_${mode}`);
  text.setAttribute("aria-label", t("toolbar", { n: shownRow + 1 }));
  drawRows();
};
const showRow = (row, tell = true) => {
  if (row === shownRow || (known(props.row) && row !== props.row)) return;
  shownRow = row;
  current = 0;
  hideTip();
  drawFrom(0);
  drawReplay();
  drawHead();
  const where = tellLook();
  if (tell) trigger("look", where);
};

const mark = (row, position) => {
  const before = picked;
  picked = position === null ? null : { row, position };
  const replay = overlay();
  for (const one of [before, picked]) {
    if (one && one.row === shownRow && spans[one.position]) {
      drawSpan(spans[one.position], tokens()[one.position], one.position, replay);
      spans[one.position].setAttribute("aria-pressed", String(one === picked));
    }
  }
  if (replay) drawReplay();
};
const pick = (position, focus) => {
  clearTimeout(follow);
  mark(shownRow, position);
  const where = { run: held.run, row: shownRow, position };
  tellViews("picked", { ...where, focus });
  trigger("pick", where);
};
const go = (at, focus = true) => {
  moveStop(at);
  if (focus) spans[current]?.focus({ preventScroll: true });
  const box = spans[current]?.getBoundingClientRect();
  const frame = text.getBoundingClientRect();
  if (box && (box.top < frame.top || box.bottom > frame.bottom)) text.scrollTop += box.top - frame.top - frame.height / 2;
  if (panelOpen && focus) {
    clearTimeout(follow);
    follow = setTimeout(() => pick(current, false), 120);
  }
};
// Where the panel is a sheet, it covers neither the token that it is about nor what a finger just called up.
const makeRoom = () => {
  if (!window.matchMedia("(max-width: 600px)").matches || !picked || picked.row !== shownRow) return;
  hideTip();
  const box = spans[picked.position]?.getBoundingClientRect();
  if (box && (box.bottom > window.innerHeight * 0.27 || box.top < 0)) window.scrollBy({ top: box.bottom - window.innerHeight * 0.2 });
};
// The nearest token on the line above or below.
const beside = (step) => {
  const here = spans[current].getClientRects()[0];
  const middle = (here.left + here.right) / 2;
  let line = null;
  let best = current;
  let distance = Infinity;
  for (let at = current + step; at >= 0 && at < spans.length; at += step) {
    const box = spans[at].getClientRects()[0];
    if (!box || Math.abs(box.top - here.top) < 4) continue;
    if (line === null) line = box.top;
    if (Math.abs(box.top - line) > 4) break;
    const away = Math.abs((box.left + box.right) / 2 - middle);
    if (away < distance) { distance = away; best = at; }
  }
  return best;
};
// Behind a token stands the next one: on its left where the line runs from right to left.
const step = (way) => go(current + (runsLeft(spans[current]) ? -way : way));
const KEYS = {
  ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  ArrowUp: () => go(beside(-1)), ArrowDown: () => go(beside(1)),
  Home: () => go(0), End: () => go(spans.length - 1),
  Enter: () => pick(current, true), " ": () => pick(current, true),
};
const tokenAt = (event) => {
  const span = event.target.closest?.(".tk-token");
  return span && text.contains(span) ? Number(span.dataset.at) : null;
};
text.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !spans.length) return;
  if (event.key === "Escape" && !tip.hidden) hideTip();
  if (!KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
text.addEventListener("click", (event) => {
  const at = tokenAt(event);
  if (at === null || String(window.getSelection())) return; // a selection is for copying
  moveStop(at);
  spans[at].focus({ preventScroll: true });
  pick(at, false);
});
text.addEventListener("pointerover", (event) => {
  const at = tokenAt(event);
  if (at !== null && event.pointerType !== "touch") showTip(at);
});
text.addEventListener("pointerleave", hideTip);
text.addEventListener("scroll", hideTip, { passive: true });
text.addEventListener("focusin", (event) => {
  const at = tokenAt(event);
  if (at === null) return;
  moveStop(at); // a screen reader may come here by itself
  showTip(at);
});
text.addEventListener("focusout", hideTip);
find(".tk-rows").addEventListener("click", (event) => {
  const button = event.target.closest("[data-row]");
  if (!button) return;
  showRow(Number(button.dataset.row));
  find(`.tk-rows [data-row="${shownRow}"]`)?.focus({ preventScroll: true });
  tellViews("row", { run: held.run, row: shownRow });
});
find(".tk-by select").addEventListener("change", (event) => {
  mode = event.target.value;
  drawHead();
  redraw();
});
find("[name=diverge]").addEventListener("click", () => {
  const replay = overlay();
  if (!replay || replay.first === null) return;
  trigger("diverge", { run: held.run, row: shownRow, position: replay.first, token_id: replay.would[replay.first].id ?? null });
});

const receive = (value, { first = false } = {}) => {
  if (!value || value.run === undefined || held.isOld(value)) return;
  reason = value.reason;
  const { fresh, changes } = held.merge(value);
  if (held.gap && !missing) {
    trigger("missed", { run: value.run, row: shownRow });
    missing = setTimeout(() => { missing = 0; }, 2000);
  }
  tellViews("news", { value }); // for a curve that is not fed by itself
  if (fresh) {
    picked = null;
    current = 0;
    if (known(value.show)) shownRow = value.show;
    if (!known(props.row) && !held.rows.has(shownRow)) shownRow = firstRow();
    hideTip();
    drawFrom(0);
    drawReplay();
    find(".tk-voice").textContent = "";
    drawHead();
    tellLook();
    if (!known(value.show) && shownRow) trigger("look", { run: held.run, row: shownRow }); // the reader's row, kept
  } else if (known(value.show)) showRow(value.show, false);
  else if (find(".tk-rows").childElementCount !== held.rows.size) {
    drawRows();
  }
  for (const change of changes) {
    if (change.row === shownRow && !fresh) {
      const row = held.rows.get(change.row);
      if (change.keep < row.tokens.length || change.keep < spans.length) drawFrom(change.keep);
    }
    if (change.finished && change.row === shownRow && !first && !known(value.show)) {
      find(".tk-voice").textContent = t("finished", { row: change.row + 1, count: count(tokens().length) });
    }
  }
  drawEmpty();
};
// What is going on, for a text that is only read.
const drawStatus = () => {
  const { text: told, stop, error } = status;
  find(".tk-status").hidden = !told;
  find(".tk-status").classList.toggle("tk-wrong", Boolean(error));
  find(".tk-status p").textContent = sentenceOf(told);
  find("[name=stop]").hidden = !stop;
};
const stop = () => { if (status.stop) trigger("stop"); };
find("[name=stop]").addEventListener("click", stop);
document.addEventListener("keydown", function escape(event) {
  if (!element.isConnected) document.removeEventListener("keydown", escape);
  else if (event.key === "Escape" && !event.defaultPrevented && status.stop && element.offsetParent) {
    event.preventDefault();
    stop();
  }
});
const translate = () => { hideTip(); drawHead(); drawStatus(); redraw(); };
hearViews((news) => {
  if (news.kind === "panel") {
    panelOpen = news.open;
    if (panelOpen) makeRoom();
  }
  if (news.kind === "hello" && held.run !== undefined) {
    const rows = [...held.rows.values()].map((row) => ({ ...row, from: 0 }));
    tellViews("news", { value: { run: held.run, rows } });
  }
  if (news.run !== held.run) return;
  if (news.kind === "row") showRow(news.row);
  if (news.kind === "picked" && (!known(props.row) || props.row === news.row)) {
    showRow(news.row);
    mark(news.row, news.position);
    go(news.position, false);
  } else if (news.kind === "picked") {
    mark(news.row, null);
  }
  if (news.kind === "closed" && picked?.row === news.row && news.focus) spans[current]?.focus({ preventScroll: true });
});
pg?.listen?.(NAME, (news) => {
  if (news.status) {
    status = news.status;
    drawStatus();
  }
  if (news.value) receive(news.value);
});
watch("replay", redraw);
watch("language", translate);
pg?.on?.("language", translate, element);
text.classList.toggle("tk-ids", Boolean(props.ids));
drawHead();
drawStatus();
receive(props.value, { first: true }); // what is there from the start is not news to be read out
