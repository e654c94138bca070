// The candidates of every run so far. The server only sends the run that grows; versions and edits live here. Says
// `again` {action, …} and `look` {run, row}: which version the reader looks at.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const grid = find(".card-grid");
// runs: [{id, cards: [card], request, example}]; cards and versions as in versions.js.
const runs = [];
let at = 0;
let growing = null; // the run id that the server is sending
let shownCards = [];
let examples = null;
let status = null;
let heard = 0; // the number of the newest news
let looked = null; // {run, row}: whose tokens are shown below
let asked = null; // the same, of a look that is not answered yet
const NARROW = window.matchMedia("(max-width: 899px)");
const begun = new Map(); // run id -> for each of its rows the version it writes, and where that is

const drawCard = (number, grown = null) => {
  const card = runs[at].cards[number];
  const view = shownCards[number];
  const row = version(card);
  const there = live(card);
  const place = there.indexOf(row);
  if (!grown || grown === row) drawBody(view, row);
  view.walk.hidden = card.versions.length < 2;
  view.walk.querySelector("output").textContent = `${place + 1}/${there.length}`;
  view.walk.querySelector("[name=version-back]").disabled = place === 0;
  view.walk.querySelector("[name=version-on]").disabled = place === there.length - 1;
  view.walk.querySelector("[name=tree]").setAttribute("aria-expanded", String(openTrees.has(card)));
  for (const name of ["edit", "continue", "regenerate"]) {
    view.node.querySelector(`[name=${name}]`).disabled = Boolean(growing) || (name !== "regenerate" && !row.text && !(name === "edit" && row.edited));
  }
  drawRemark(view.node.querySelector(".remark"), row);
  drawLine(view.node.querySelector(".card-line"), row);
  if (grown) drawTwig(view, card, grown);
  else drawTree(view, card, Boolean(growing));
  drawLooked();
};
const drawLooked = () => shownCards.forEach((view, number) => {
  const one = version(runs[at].cards[number]);
  const seen = Boolean(looked && one.run === looked.run && one.row === looked.row);
  view.node.classList.toggle("looked", seen);
  view.node.querySelector(".card-number").title = seen ? pg.t("looked_at") : "";
});
const drawCards = () => shownCards.forEach((_, number) => drawCard(number));
const drawPast = () => {
  for (const [name, steps] of [["undo", past.done], ["redo", past.undone]]) {
    const button = find(`[name=${name}]`);
    const what = steps.length ? pg.t(`${name}_what`, { what: pg.t(`did_${steps.at(-1).what}`) }) : pg.t(name);
    button.disabled = !steps.length || Boolean(growing);
    button.title = what;
    button.setAttribute("aria-label", what);
    if (!button.firstChild) button.innerHTML = icon(name === "undo" ? UNDO : REDO);
  }
  find(".undo").hidden = !past.done.length && !past.undone.length;
};
const drawTitle = () => {
  const run = runs[at];
  const title = status ? pg.sentence(status) : run?.example ? pg.t("example", run.example) : "";
  const place = find(".results-title");
  if (place.textContent === title) return;
  place.textContent = title;
  // A place in the line may come under a phone's bar of keys; what is wholly below is left to whoever scrolls.
  if (status && typeof status !== "string" && place.getBoundingClientRect().top < window.innerHeight) place.scrollIntoView({ block: "nearest" });
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
  drawHead();
  drawSwitch();
  shownCards = run ? run.cards.map((_, number) => makeCard(number)) : [];
  grid.replaceChildren(...shownCards.map((view) => view.node));
  grid.dataset.count = shownCards.length;
  drawCards();
  drawPast();
};
const lockHeights = (numbers) => {
  for (const number of numbers) shownCards[number].body.style.minHeight = `${shownCards[number].body.offsetHeight}px`;
};

const save = () => keepCards(runs, at);
// The tokens below follow the version that is looked at.
const look = (number, again = false) => {
  const one = version(runs[at].cards[number]);
  const last = asked || looked;
  if (one.finish === "example" || (!again && last && one.run === last.run && one.row === last.row)) return;
  asked = one.edited ? { run: one.id, row: 0, hand: true } : { run: one.run, row: one.row };
  trigger("look", asked);
};
const answered = (where) => {
  looked = where;
  // Of two quick looks the first may be answered while the second is on its way.
  if (!where || (asked && where.run === asked.run && where.row === asked.row)) asked = null;
  drawLooked();
  drawHead();
};
/** What knobs did, or would do now, is told anew. */
const lookAgain = () => {
  if (shownCards.length) look(Math.max(0, shownCards.findIndex(({ node }) => node.classList.contains("looked"))), true);
};
const changed = (number) => {
  drawCard(number);
  drawPast();
  look(number);
  save();
};

const begin = (news) => {
  asked = null; // the tokens of what begins come by themselves
  const target = news.target;
  if (target) {
    const run = runs.find((one) => one.id === target.run);
    const card = run?.cards[target.card];
    if (!card) return false;
    run.example = null; // from here on it is the visitor's own
    if (runs[at] !== run) { at = runs.indexOf(run); drawRun(); }
    lockHeights([target.card]);
    const one = asVersion(news.rows[0], { id: `${news.run}:0`, run: news.run, parted: news.parted });
    grew(run, target.card, one);
    begun.set(news.run, [{ run, number: target.card, one }]);
  } else {
    if (runs.length === 1 && runs[0].example) runs.pop();
    const before = shownCards.map((view) => view.body.offsetHeight);
    const cards = news.rows.map((row, number) => {
      const one = asVersion(row, { id: `${news.run}:${number}`, run: news.run, at: number });
      return { versions: [one], at: one.id, gone: [] };
    });
    const run = { id: news.run, request: news.request, cards, about: aboutNow() };
    runs.push(run);
    at = runs.length - 1;
    begun.set(news.run, cards.map((card, number) => ({ run, number, one: card.versions[0] })));
    drawRun();
    shownCards.forEach((view, number) => { if (before[number]) view.body.style.minHeight = `${before[number]}px`; });
  }
  growing = news.run;
  foldForm();
  drawHead();
  drawCards();
  drawPast();
  if (NARROW.matches && !target) find(".results").scrollIntoView({ block: "start" }); // the form is above, out of sight
  return true;
};
// A run that was stopped for another one may still send its last words: they go to the version that they belong to.
const grow = (news) => {
  const fresh = !begun.has(news.run);
  if (fresh && !begin(news)) return;
  news.rows.forEach((row, place) => {
    const { run, number, one } = begun.get(news.run)[place];
    Object.assign(one, row);
    if (!fresh && run === runs[at]) drawCard(number, one);
  });
};
const settle = (finish = "stopped") => {
  growing = null;
  drawHead();
  for (const view of shownCards) view.body.style.minHeight = "";
  for (const { one } of [...begun.values()].flat()) one.finish ??= finish;
  drawCards();
  drawPast();
  save();
};
// Before the first run: the worked example of the task that is open, in the visitor's language.
const showExample = () => {
  if (!examples || runs.some((run) => !run.example)) return;
  const known = composed.kind === "task" ? examples[composed.task?.id] : null;
  const shown = known?.[pg.language]?.rows ? known[pg.language] : known?.en;
  const cards = (shown?.rows ?? []).map((row, number) => {
    const one = asVersion(row, { id: `example:${number}`, at: number });
    return { versions: [one], at: one.id, gone: [] };
  });
  runs.splice(0, runs.length, ...(cards.length ? [{ ...shown, cards }] : []));
  at = 0;
  drawRun();
};
const receive = (news) => {
  if (!news?.phase || news.number <= heard) return;
  heard = news.number ?? heard;
  if (news.phase === "examples") {
    examples = news.tasks;
    showExample();
    return;
  }
  if (news.rows.length) grow(news);
  const over = news.phase === "done" || news.phase === "refused";
  if (over) settle();
  if (news.error) pg.tell("complaint", { ...news.error });
  pg.tell("run", {
    running: !over, status: news.status, notice: news.notice, seed: news.rows.length ? news.rows[0].seed : undefined,
  });
};

/** A text with another answer; what was thought before it stays, and has come to its end. */
const byHand = (row, answer) => {
  const before = row.text.slice(0, row.text.lastIndexOf(answerOf(row))) + (row.thinks ? `\n${row.closes || "</think>"}\n\n` : "");
  const own = { tokens: 0, edited: true, finish: "edited", seed: null, items: null };
  return { ...own, text: before + answer, thought: row.thought, answer: before ? answer : null };
};
const edit = (number) => {
  const view = shownCards[number];
  const card = runs[at].cards[number];
  const area = pg.make("textarea", { class: "card-edit", dir: "auto", "aria-label": pg.t("edit") });
  const row = version(card);
  area.value = answerOf(row);
  const height = view.body.offsetHeight;
  const close = (keep) => {
    const text = area.value;
    area.closest(".card-editor").remove();
    view.body.hidden = false;
    if (keep && text !== answerOf(row)) {
      runs[at].example = null;
      const id = `hand-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
      grew(runs[at], number, asVersion(byHand(row, text), { id, parted: { kind: "edit", parent: card.at } }));
      changed(number);
    } else drawCard(number);
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
const ask = (action, number) => {
  const run = runs[at];
  const row = version(run.cards[number]);
  pg.tell("complaint", null);
  pg.tell("run", { running: true, status: pg.t("starting"), asked: true });
  trigger("again", {
    action, text: row.text, request: run.request, target: { run: run.id, card: number },
    parted: { parent: row.id, offset: action === "continue" ? row.text.length : 0 },
  });
};
const copied = async (button, text) => {
  await pg.copy(text);
  button.classList.add("done");
  button.title = pg.t("copied");
  setTimeout(() => { button.classList.remove("done"); button.title = pg.t("copy"); }, 1200);
};

const walk = (number, one) => {
  walkTo(runs[at], number, one.id);
  changed(number);
};
const undo = (again) => {
  if (growing || !(again ? past.undone : past.done).length) return;
  const step = again ? doAgain(runs) : takeBack(runs);
  at = runs.findIndex((run) => run.id === step.run);
  drawRun();
  look(step.card);
  save();
  find(".results-voice").textContent = pg.t(again ? "redo_what" : "undo_what", { what: pg.t(`did_${step.what}`) });
};
const press = {
  "run-back": () => { at -= 1; drawRun(); look(0); save(); },
  "run-on": () => { at += 1; drawRun(); look(0); save(); },
  undo: () => undo(false),
  redo: () => undo(true),
  unfold: () => {
    unfolded = unfolded === runs[at].id ? null : runs[at].id;
    drawHead();
    lookAgain();
  },
  restore: restoreRun,
  "as-text": () => showAs(false),
  "as-tokens": () => showAs(true),
  "version-back": (number, card) => walk(number, live(card)[live(card).indexOf(version(card)) - 1]),
  "version-on": (number, card) => walk(number, live(card)[live(card).indexOf(version(card)) + 1]),
  tree: (number, card) => {
    if (!openTrees.delete(card)) openTrees.set(card, { against: null });
    drawCard(number);
    shownCards[number].tree.querySelector("[aria-selected=true]")?.focus({ preventScroll: true });
  },
  compare: (number, card) => {
    const open = openTrees.get(card);
    open.against = open.against ? null : "auto";
    drawCard(number);
  },
  "compare-close": (number, card) => { openTrees.get(card).against = null; drawCard(number); },
  prune: (number, card) => { prune(runs[at], number, version(card)); changed(number); },
  "bring-back": (number, card, button) => { bringBack(runs[at], number, byId(card, button.dataset.version)); changed(number); },
  copy: (number, card, button) => { copied(button, plainText(version(card))); },
  edit: (number) => edit(number),
  "copy-all": async (number, card, button) => {
    await pg.copy(runs[at].cards.map((one) => plainText(version(one))).filter(Boolean).join("\n\n"));
    button.textContent = pg.t("copied");
    setTimeout(() => { button.textContent = pg.t("copy_all"); }, 1200);
  },
  continue: (number) => ask("continue", number),
  regenerate: (number) => ask("regenerate", number),
  "keep-seed": (number, card) => pg.tell("knob", { name: "seed", value: version(card).seed }),
  plain: (number, card) => { version(card).plain = !version(card).plain; drawCard(number); },
};
element.addEventListener("click", (event) => {
  const twig = event.target.closest(".twig");
  const button = event.target.closest("button[name]");
  const holder = event.target.closest(".card");
  const number = holder ? Number(holder.dataset.card) : null;
  const card = holder ? runs[at].cards[number] : null;
  if (twig) {
    twig.focus({ preventScroll: true });
    walk(number, byId(card, twig.dataset.version));
  } else if (button && !button.disabled) {
    const had = element.contains(document.activeElement);
    press[button.name]?.(number, card, button);
    const here = document.activeElement;
    if (had && (!element.contains(here) || here.disabled)) { // whoever uses the keyboard stays where he is
      const place = number === null ? find(".results-head") : shownCards[number].node;
      place.querySelector(`[name="${button.name}"]:not(:disabled), button:not(:disabled)`)?.focus({ preventScroll: true });
    }
  }
});
element.addEventListener("change", (event) => {
  const number = Number(event.target.closest(".card")?.dataset.card);
  const card = runs[at]?.cards[number];
  if (event.target.name === "compare-one") { openTrees.get(card).against = event.target.value; drawCard(number); }
  if (event.target.name === "compare-two") walk(number, byId(card, event.target.value));
});
element.addEventListener("keydown", (event) => {
  const twig = event.target.closest(".twig");
  if (!twig || event.ctrlKey || event.metaKey || event.altKey) return;
  const number = Number(twig.closest(".card").dataset.card);
  const card = runs[at].cards[number];
  const wanted = twigAt(card, event.key);
  if (wanted) walk(number, wanted);
  else if (event.key === "Delete" && !growing && mayPrune(card, version(card))) press.prune(number, card);
  else return;
  event.preventDefault();
});
const WRITES = "textarea, select, [contenteditable=true], input:not([type=range], [type=radio], [type=checkbox])";
document.addEventListener("keydown", function shortcut(event) {
  if (!element.isConnected) return document.removeEventListener("keydown", shortcut);
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented || !element.offsetParent) return;
  const key = event.key.toLowerCase();
  const again = key === "y" || (key === "z" && event.shiftKey);
  if ((key !== "z" && key !== "y") || event.target.closest?.(WRITES) || !(past.done.length || past.undone.length)) return;
  event.preventDefault(); // also where nothing is left: the browser would take back what was typed in some field
  undo(again);
});
window.addEventListener("pagehide", save);
pg.listen("cards", receive);
pg.on("language", () => { drawRun(); showExample(); }, "cards");
pg.on("run", (news) => {
  status = news.running ? news.status : null;
  drawTitle();
  if (!news.running && growing) settle(news.finish);
}, "cards");
pg.on("connection", () => { if (runs.length) drawCards(); }, "cards"); // what they say of a server that was gone
pg.on("looked", answered, "cards");
hearTokens();
hearHead();
const kept = keptCards();
if (kept) {
  runs.push(...kept.runs);
  at = kept.at;
  unfolded = runs[at].id; // what was open stays open
}
receive(props.value);
drawRun();
