// The candidates of every run so far. The server only sends the run that grows; versions and edits live here.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const grid = find(".card-grid");
const icon = (path) => `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none"
  stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"><path d="${path}"></path></svg>`;
const ICONS = {
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  edit: "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2zM9.4 4.4l2.2 2.2",
  continue: "M2.5 8h10M9 4.5L12.5 8 9 11.5",
  regenerate: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
};

// runs: [{cards: [{versions: [version], at}], request, example}]; a version is what the server calls a row.
const runs = [];
let at = 0;
let growing = null; // the run id that the server is sending, and where it goes
let shownCards = [];
let examples = null;
let status = null;
const begun = new Set();

const version = (card) => card.versions[card.at];
const finishWords = (row) => (row.edited ? pg.t("edited") : row.finish ? pg.t(`finish_${row.finish}`) : pg.t(
  row.tokens ? "writing" : "reading"));
const isList = (row) => Boolean(row.items && row.items.length && !row.plain && row.finish);
const plainText = (row) => (isList(row) ? row.items.join("\n") : row.text);

const tool = (name, label) => {
  const made = pg.make("button", { type: "button", class: "quiet tool", name, title: label, "aria-label": label });
  made.innerHTML = icon(ICONS[name]);
  return made;
};
const makeCard = (number) => {
  const node = pg.make("article", { class: "card", "data-card": number });
  const body = pg.make("div", { class: "card-body", tabindex: 0 });
  const walk = pg.make("div", { class: "walk" },
    pg.make("button", { type: "button", class: "quiet", name: "version-back", "aria-label": pg.t("previous_version") }, "‹"),
    pg.make("output", {}),
    pg.make("button", { type: "button", class: "quiet", name: "version-on", "aria-label": pg.t("next_version") }, "›"));
  const tools = pg.make("div", { class: "tools" }, walk, ...Object.keys(ICONS).map((name) => tool(name, pg.t(name))));
  const head = pg.make("header", { class: "card-head" }, pg.make("span", { class: "card-number" }, String(number + 1)), tools);
  node.append(head, body, pg.make("div", { class: "card-line" }));
  return { node, body, walk, shown: null };
};
const drawLine = (footer, row) => {
  const parts = [];
  if (!row.edited && row.tokens !== null) {
    parts.push(pg.make("span", {}, pg.t("tokens", { count: pg.number(row.tokens) })));
    if (row.speed) parts.push(pg.make("span", {}, pg.t("speed", { count: pg.number(row.speed, row.speed < 10 ? 1 : 0) })));
    if (row.first !== null && row.first !== undefined) {
      parts.push(pg.make("span", {}, pg.t("first_token", { count: pg.number(row.first, 2) })));
    }
  }
  if (row.finish !== "example") parts.push(pg.make("span", { class: "finish" }, finishWords(row)));
  if (!row.edited) {
    parts.push(pg.make("button", {
      type: "button", class: "quiet card-seed", name: "keep-seed", title: pg.t("lock_this_seed", { count: row.seed }),
    }, pg.t("card_seed", { count: row.seed })));
  }
  if (row.items && row.items.length && row.finish) {
    parts.push(pg.make("button", { type: "button", class: "quiet", name: "plain" }, pg.t(row.plain ? "as_list" : "as_text")));
  }
  footer.replaceChildren(...parts);
};
// Text grows by appending: what stands already is not touched, so a selection in it survives.
const drawText = (view, text) => {
  const node = view.body.firstChild;
  if (view.shown !== null && node && node.nodeType === Node.TEXT_NODE && view.body.childNodes.length === 1) {
    if (text.startsWith(view.shown)) {
      if (text.length > view.shown.length) node.appendData(text.slice(view.shown.length));
    } else {
      node.data = text;
    }
  } else {
    view.body.replaceChildren(document.createTextNode(text));
  }
  view.shown = text;
};
const drawBody = (view, row) => {
  if (view.node.querySelector(".card-edit")) return;
  view.body.classList.toggle("writing", !row.finish);
  view.body.classList.toggle("nothing", Boolean(row.finish && !row.text.trim()));
  if (row.finish && !row.text.trim()) {
    view.body.replaceChildren(pg.t("empty_text"));
    view.shown = null;
  } else if (isList(row)) {
    view.body.replaceChildren(pg.make("ul", { class: "items" }, ...row.items.map((item) => pg.make("li", {}, item))));
    view.shown = null;
  } else {
    drawText(view, row.text.trimStart()); // a completion often begins with the space behind its prompt
  }
};
const drawCard = (number) => {
  const card = runs[at].cards[number];
  const view = shownCards[number];
  const row = version(card);
  drawBody(view, row);
  view.walk.hidden = card.versions.length < 2;
  view.walk.querySelector("output").textContent = `${card.at + 1}/${card.versions.length}`;
  view.walk.querySelector("[name=version-back]").disabled = card.at === 0;
  view.walk.querySelector("[name=version-on]").disabled = card.at === card.versions.length - 1;
  for (const name of ["edit", "continue", "regenerate"]) {
    view.node.querySelector(`[name=${name}]`).disabled = Boolean(growing) || (name !== "regenerate" && !row.text);
  }
  drawLine(view.node.querySelector(".card-line"), row);
};
const drawTitle = () => {
  const run = runs[at];
  const title = status ? pg.say(status) : run?.example ? pg.t("example", run.example) : "";
  if (find(".results-title").textContent !== title) find(".results-title").textContent = title;
};
const drawRun = () => {
  pg.apply(element);
  const run = runs[at];
  const empty = find(".results-empty");
  empty.hidden = Boolean(run);
  empty.textContent = pg.t("no_results", { key: `${pg.command}↵` });
  find(".runs").hidden = runs.length < 2;
  find(".runs output").textContent = pg.t("run_of", { at: at + 1, all: runs.length });
  find("[name=run-back]").disabled = at === 0;
  find("[name=run-on]").disabled = at === runs.length - 1;
  drawTitle();
  shownCards = run ? run.cards.map((_, number) => makeCard(number)) : [];
  grid.replaceChildren(...shownCards.map((view) => view.node));
  grid.dataset.count = shownCards.length;
  shownCards.forEach((_, number) => drawCard(number));
};
const lockHeights = (numbers) => {
  for (const number of numbers) shownCards[number].body.style.minHeight = `${shownCards[number].body.offsetHeight}px`;
};

const begin = (news) => {
  const target = news.target;
  if (target) {
    const place = runs.findIndex((run) => run.id === target.run);
    if (place < 0) return false;
    const card = runs[place].cards[target.card];
    runs[place].example = null; // from here on it is the visitor's own
    if (at !== place) { at = place; drawRun(); }
    lockHeights([target.card]);
    card.versions.push(news.rows[0]);
    card.at = card.versions.length - 1;
    growing = { id: news.run, place, cards: [target.card] };
  } else {
    if (runs.length === 1 && runs[0].example) runs.pop();
    const before = shownCards.map((view) => view.body.offsetHeight);
    runs.push({ id: news.run, request: news.request, cards: news.rows.map((row) => ({ versions: [row], at: 0 })) });
    at = runs.length - 1;
    growing = { id: news.run, place: at, cards: news.rows.map((_, number) => number) };
    drawRun();
    shownCards.forEach((view, number) => { if (before[number]) view.body.style.minHeight = `${before[number]}px`; });
  }
  return true;
};
const grow = (news) => {
  if (growing?.id !== news.run && (begun.has(news.run) || !begin(news))) return;
  begun.add(news.run);
  news.rows.forEach((row, number) => {
    const card = runs[growing.place].cards[growing.cards[number]];
    const newest = card.versions.length - 1;
    card.versions[newest] = { ...row, plain: card.versions[newest].plain };
    if (growing.place === at && card.at === newest) drawCard(growing.cards[number]);
  });
};
// Before the first run: the worked example in the visitor's language.
const showExample = () => {
  const shown = examples?.[pg.language]?.rows ? examples[pg.language] : examples?.en;
  if (!shown?.rows || runs.some((run) => !run.example)) return;
  runs.splice(0, runs.length, { ...shown, cards: shown.rows.map((row) => ({ versions: [row], at: 0 })) });
  at = 0;
  drawRun();
};
const receive = () => {
  const news = props.value;
  if (!news || !news.phase) return;
  if (news.phase === "examples") {
    examples = news;
    showExample();
    return;
  }
  if (news.rows.length) grow(news);
  const over = news.phase === "done" || news.phase === "refused";
  if (over) {
    growing = null;
    shownCards.forEach((_, number) => drawCard(number));
  }
  if (news.error) pg.tell("complaint", { ...news.error });
  pg.tell("run", {
    running: !over, status: news.status, notice: news.notice, seed: news.rows.length ? news.rows[0].seed : undefined,
  });
};

const edit = (number) => {
  const view = shownCards[number];
  const card = runs[at].cards[number];
  const area = pg.make("textarea", { class: "card-edit", "aria-label": pg.t("edit") });
  area.value = version(card).text;
  const height = view.body.offsetHeight;
  const close = (keep) => {
    const text = area.value;
    area.closest(".card-editor").remove();
    view.body.hidden = false;
    if (keep && text !== version(card).text) {
      runs[at].example = null;
      card.versions.push({ text, tokens: 0, edited: true, finish: "edited", seed: null, items: null });
      card.at = card.versions.length - 1;
    }
    drawCard(number);
    view.node.querySelector("[name=edit]").focus({ preventScroll: true });
  };
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.preventDefault(); close(false); }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); close(true); }
  });
  const editor = pg.make("div", { class: "card-editor" }, area, pg.make("div", { class: "card-editor-bar" },
    pg.make("button", { type: "button", class: "quiet strong", onclick: () => close(true) }, pg.t("save")),
    pg.make("button", { type: "button", class: "quiet", onclick: () => close(false) }, pg.t("discard"))));
  view.body.hidden = true;
  view.body.after(editor);
  area.style.height = `${Math.max(height, 96)}px`;
  area.focus({ preventScroll: true });
};
const ask = (wish, number) => {
  const run = runs[at];
  const row = version(run.cards[number]);
  pg.tell("complaint", null);
  pg.tell("run", { running: true, status: pg.t("starting") });
  trigger("again", { wish, text: row.text, base: row.base || "", request: run.request, target: { run: run.id, card: number } });
};
const copied = async (button, text) => {
  await pg.copy(text);
  button.classList.add("done");
  button.title = pg.t("copied");
  setTimeout(() => { button.classList.remove("done"); button.title = pg.t("copy"); }, 1200);
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button[name]");
  if (!button || button.disabled) return;
  if (button.name === "run-back" || button.name === "run-on") {
    at += button.name === "run-on" ? 1 : -1;
    drawRun();
    return;
  }
  const number = Number(button.closest(".card").dataset.card);
  const card = runs[at].cards[number];
  const row = version(card);
  switch (button.name) {
    case "version-back": card.at -= 1; drawCard(number); break;
    case "version-on": card.at += 1; drawCard(number); break;
    case "copy": copied(button, plainText(row)); break;
    case "edit": edit(number); break;
    case "continue": case "regenerate": ask(button.name, number); break;
    case "keep-seed": pg.tell("knob", { name: "seed", value: row.seed }); break;
    case "plain": row.plain = !row.plain; drawCard(number); break;
  }
});
watch("value", receive);
pg.on("language", () => { drawRun(); showExample(); }, "cards");
pg.on("run", (news) => {
  status = news.running ? news.status : null;
  drawTitle();
  if (!news.running && growing) { growing = null; shownCards.forEach((_, number) => drawCard(number)); }
}, "cards");
receive();
drawRun();
