// The text of one candidate as its tokens, coloured by how likely each was. New tokens are appended; what stands is not
// touched while a text grows. Says `pick` {run, row, position}, `look` {run, row}, `diverge` {run, row, position,
// token_id} and `stop`.
const held = rowsOf();
const [section, head, replayBox, empty] = [".tk", ".tk-head", ".tk-replay", ".tk-empty"].map(find);
let mode = "probability";
let picked = null; // {row, position}
let wanted = null; // a word of a text whose tokens are on their way: {run, row, behind}
let panelOpen = false;
let follow = null;
let reason = null; // why nothing of it can be asked any more
let status = {};
let missing = 0; // a timer, while what was missed is on its way

const tokens = () => held.rows.get(view.row)?.tokens ?? [];
const overlay = () => {
  const replay = props.replay;
  return replay?.would && replay.run === held.run && (replay.row ?? 0) === view.row ? replay : null;
};
// On Play the texts stand in their cards, and what belongs to all of them above these; elsewhere all stands here.
const inCards = () => !props.scope && Boolean(pg?.cards?.holds(held.run));
const settlePlaces = () => {
  const away = inCards();
  section.classList.toggle("tk-away", away);
  if (away) {
    document.querySelector(".results-tokens").append(head, replayBox, empty);
    pg.tell("texts", { run: held.run, rows: held.rows, take: (row) => { catchUp(row); return textOfRow(row).node; } });
  } else {
    const place = find(".tk-texts");
    place.replaceChildren(view.node);
    place.before(head, empty);
    place.after(replayBox);
  }
};
/** A word of a text: the token at this place in what the run wrote, once its tokens are here. */
const pickWord = () => {
  if (!wanted || wanted.run !== held.run || !held.rows.has(wanted.row)) return;
  const { row, at } = wanted;
  wanted = null;
  showRow(row);
  let behind = 0;
  const position = tokens().findIndex((token) => {
    behind += token.special ? 0 : token.text.length;
    return behind > at;
  });
  if (position < 0) return;
  moveStop(position);
  pick(position, false);
};
// Nothing to show, or nothing that could still be asked: why, where there is a reason.
const drawEmpty = () => {
  const why = sentenceOf(reason);
  empty.hidden = tokens().length > 0 && !why;
  empty.textContent = why || t("empty");
  empty.classList.toggle("tk-reason", Boolean(why));
};
// Whoever answers for this row: the badges and the replay beside it are about what is looked at.
const tellLook = () => {
  const where = { run: held.run, row: view.row };
  if (!props.scope) pg?.tell?.("looked", held.rows.size ? where : null);
  return where;
};
const redraw = () => {
  for (const { row, node } of texts.values()) if (node.isConnected) inRow(row, redrawText);
  drawReplay();
};
const drawReplay = () => {
  const replay = overlay();
  replayBox.hidden = !replay;
  if (!replay) return;
  const first = replay.first;
  replayBox.querySelector("p").textContent = sentenceOf(replay.sentence) || (first === null ? t("replay_same") : t("replay_first", {
    count: count(first), n: count(first + 1), was: alone(tokens()[first] ?? { text: "" }), would: alone(replay.would[first]),
  }));
  replayBox.querySelector("[name=diverge]").hidden = first === null;
};
const drawRows = () => {
  const box = head.querySelector(".tk-rows");
  box.hidden = known(props.row) || held.rows.size < 2;
  box.replaceChildren(...[...held.rows.keys()].sort((one, two) => one - two).map((row) => {
    const label = t("candidate", { n: row + 1 });
    return make("button", { type: "button", "data-row": row, "aria-pressed": String(row === view.row), "aria-label": label }, String(row + 1));
  }));
};
const firstRow = () => (held.rows.size ? Math.min(...held.rows.keys()) : 0);
const drawHead = () => {
  speakAll(element, head, replayBox);
  drawEmpty();
  const select = head.querySelector(".tk-by select");
  select.replaceChildren(...Object.keys(MODES).map((name) => make("option", { value: name }, t(`by_${name}`))));
  select.value = mode;
  const { ticks, level, show, open, unit } = MODES[mode];
  const swatches = ticks.map((value, number) => {
    const last = open && number === ticks.length - 1 ? "+" : "";
    const at = Math.min(Math.floor(level(value) * LEVELS), LEVELS - 1);
    return make("span", { class: `tk-${at}` }, show(value) + last);
  });
  const legend = head.querySelector(".tk-legend");
  legend.replaceChildren(...swatches, ...(unit ? [make("i", {}, t("bits_unit"))] : []));
  legend.setAttribute("aria-label", t(`legend_${mode}`));
  legend.title = t(`legend_${mode}`);
  drawRows();
};
const showRow = (row, tell = true) => {
  if (row === view.row || (known(props.row) && row !== props.row)) return;
  const before = view;
  view = textOfRow(row);
  hideTip();
  inRow(before.row, redrawText); // the overlay is that of the row that is looked at
  catchUp(row);
  settlePlaces();
  drawReplay();
  drawHead();
  const where = tellLook();
  if (tell) trigger("look", where);
};

const mark = (row, position) => {
  const before = picked;
  picked = position === null ? null : { row, position };
  for (const one of [before, picked].filter(Boolean)) {
    inRow(one.row, () => {
      if (!view.spans[one.position]) return;
      drawSpan(view.spans[one.position], tokens()[one.position], one.position, overlay());
      view.spans[one.position].setAttribute("aria-pressed", String(one === picked));
    });
  }
};
const pick = (position, focus) => {
  clearTimeout(follow);
  mark(view.row, position);
  const where = { run: held.run, row: view.row, position };
  tellViews("picked", { ...where, focus });
  trigger("pick", where);
};
const go = (at, focus = true) => {
  moveStop(at);
  if (focus) view.spans[view.current]?.focus({ preventScroll: true });
  const box = view.spans[view.current]?.getBoundingClientRect();
  const frame = view.node.getBoundingClientRect();
  if (inCards()) view.spans[view.current]?.scrollIntoView({ block: "nearest" });
  else if (box && (box.top < frame.top || box.bottom > frame.bottom)) view.node.scrollTop += box.top - frame.top - frame.height / 2;
  if (panelOpen && focus) {
    clearTimeout(follow);
    follow = setTimeout(() => pick(view.current, false), 120);
  }
};
// Where the panel is a sheet, it covers neither the token that it is about nor what a finger just called up.
const makeRoom = () => {
  if (!window.matchMedia("(max-width: 600px)").matches || !picked || picked.row !== view.row) return;
  hideTip();
  const box = view.spans[picked.position]?.getBoundingClientRect();
  if (box && (box.bottom > window.innerHeight * 0.27 || box.top < 0)) window.scrollBy({ top: box.bottom - window.innerHeight * 0.2 });
};
head.querySelector(".tk-rows").addEventListener("click", (event) => {
  const button = event.target.closest("[data-row]");
  if (!button) return;
  showRow(Number(button.dataset.row));
  head.querySelector(`.tk-rows [data-row="${view.row}"]`)?.focus({ preventScroll: true });
  tellViews("row", { run: held.run, row: view.row });
});
head.querySelector(".tk-by select").addEventListener("change", (event) => {
  mode = event.target.value;
  drawHead();
  redraw();
});
replayBox.querySelector("[name=diverge]").addEventListener("click", () => {
  const replay = overlay();
  if (!replay || replay.first === null) return;
  trigger("diverge", { run: held.run, row: view.row, position: replay.first, token_id: replay.would[replay.first].id ?? null });
});

const receive = (value, { first = false } = {}) => {
  if (!value || value.run === undefined || held.isOld(value)) return;
  reason = value.reason;
  const { fresh, changes } = held.merge(value);
  if (held.gap && !missing) {
    trigger("missed", { run: value.run, row: view.row });
    missing = setTimeout(() => { missing = 0; }, 2000);
  }
  tellViews("news", { value }); // for a curve that is not fed by itself
  if (fresh) {
    const row = known(value.show) ? value.show : view.row;
    picked = null;
    for (const one of texts.values()) {
      one.node.replaceChildren();
      one.node.remove();
      Object.assign(one, { spans: [], current: 0 });
    }
    view = textOfRow(known(props.row) || held.rows.has(row) ? row : firstRow());
    hideTip();
    settlePlaces();
    catchUp(view.row);
    drawReplay();
    find(".tk-voice").textContent = "";
    drawHead();
    tellLook();
    if (!known(value.show) && view.row) trigger("look", { run: held.run, row: view.row }); // the reader's row, kept
  } else if (known(value.show)) showRow(value.show, false);
  else if (head.querySelector(".tk-rows").childElementCount !== held.rows.size) {
    drawRows();
  }
  if (fresh) pickWord();
  for (const change of changes) {
    if (!fresh && textOfRow(change.row).node.isConnected) {
      inRow(change.row, () => { if (change.keep < Math.max(tokens().length, view.spans.length)) drawFrom(change.keep); });
    }
    if (change.finished && change.row === view.row && !first && !known(value.show)) {
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
view = textOfRow(known(props.row) ? props.row : 0);
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
  if (news.kind === "closed" && picked?.row === news.row && news.focus) view.spans[view.current]?.focus({ preventScroll: true });
});
if (!props.scope) {
  pg?.on?.("word", (word) => { wanted = word; pickWord(); }, element);
  pg?.on?.("places", settlePlaces, element);
}
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
settlePlaces();
drawHead();
drawStatus();
receive(props.value, { first: true }); // what is there from the start is not news to be read out
