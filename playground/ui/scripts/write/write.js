// A long text, section by section. The server keeps the draft, this browser the key to it; every answer brings the whole
// draft in the prop `draft`, candidates are heard as they grow. What is typed is sent a moment later.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const PAUSE = 400; // milliseconds without a key before what was typed is sent
let known = listed();
let draft = null; // as the server told it last
let asked = false; // a draft is on its way
let opening = null;
let openedAt = 0;
let waits = []; // events that need it
let cards = [];
let busy = null; // {target} while something is written
let run = null;
let editing = null; // number of the section being edited
let removed = []; // sections that can be brought back, the last one last
let returning = null; // one of them that is on its way
let typed = 0; // the timer of what was typed and not sent yet
let unheard = false; // something of the head was typed that no answer has come to yet
let sent = 0; // when the last event went
const newest = new Map(); // by draft: when its last event went
const begun = new Set(); // of drafts that have no key yet: when they were sent
let own = false; // what is carried was changed by hand
let shape = null; // of the sections drawn
let silence = 0;

const field = (name) => find(`[data-head][name=${name}]`);
const headFields = () => [...element.querySelectorAll("[data-head]")];
const wordsIn = (one) => (one.name !== "carried" || own ? one.value : "");
/** What was changed here alone, so that another tab's changes of the same draft stay; of a new draft all. */
const head = () => Object.fromEntries(headFields().map((one) => [one.name, wordsIn(one)])
  .filter(([name, text]) => text !== draft?.head[name]));
const blank = () => headFields().every((one) => one.name === "language" || !wordsIn(one).trim());
const send = (event, more = {}) => {
  if (!draft && asked) { waits.push([event, more]); return; }
  asked = !draft;
  clearTimeout(typed);
  typed = 0;
  sent = Math.max(Date.now(), sent + 1);
  if (!draft) begun.add(sent);
  else newest.set(draft.key, sent);
  trigger(event, {
    key: draft?.key ?? null, head: head(), at: sent, length: whole("length"), room: whole("room"), n: whole("n"),
    seed: seed(), knobs: find("[name=knobs]").checked, ...more,
  });
};
const soon = () => {
  clearTimeout(typed);
  typed = 0;
  unheard = Boolean(draft) || asked || !blank(); // empty fields are no draft
  keepTyped();
  if (unheard) typed = setTimeout(() => send("keep"), PAUSE);
};
const complain = (text) => {
  const place = find(".write-complaint");
  place.hidden = !text;
  place.textContent = pg.sentence(text);
};
const say = (text) => { find(".write-words").textContent = text; };

const drawDrafts = () => {
  known = listed();
  const picker = find("[name=draft]");
  picker.replaceChildren(...known.map((one) => pg.make("option", { value: one.key, dir: "auto", selected: one.key === draft?.key }, one.title || pg.t("write_untitled"))));
  if (!draft) picker.prepend(pg.make("option", { value: "", selected: true }, pg.t("write_new")));
  find(".write-drafts").hidden = known.length + (draft ? 0 : 1) < 2;
  find("[name=forget]").hidden = !draft;
};
const countWords = (text) => (text.match(/[\u3400-\u9fff]|[^\s\u3400-\u9fff]+/gu) ?? []).length;
const drawSections = () => {
  const sections = draft?.sections ?? [];
  const gone = removed.at(-1);
  const wanted = JSON.stringify([sections, editing, gone, pg.language]);
  if (wanted === shape) return;
  shape = wanted;
  const open = find(".write-editor");
  find(".write-sections").replaceChildren(...sections.map((one) => (one.number !== editing ? drawSection(one)
    : open && Number(open.dataset.number) === editing ? open : drawEditor(one))));
  find(".write-empty").hidden = sections.length > 0;
  find(".write-export").hidden = !sections.length;
  find(".write-removed").hidden = !gone;
  if (gone) find(".write-removed span").textContent = pg.t("write_removed", { what: gone.heading || gone.sentence });
  const count = sections.reduce((sum, one) => sum + countWords(one.text), 0);
  find(".write-size").textContent = sections.length ? pg.t("write_words", { sections: sections.length, count: pg.number(count) }) : "";
};
const drawCarried = () => {
  const told = draft?.carried;
  const area = field("carried");
  if (told && document.activeElement !== area) area.value = told.text;
  find(".write-own").hidden = find("[name=reset]").hidden = !own;
  find(".write-over").hidden = !told?.over;
  find(".write-count").textContent = told?.tokens === null || !told ? "" : pg.t("count", { used: pg.number(told.tokens), context: pg.number(told.context) });
  find(".write-count").classList.toggle("over", Boolean(told?.over));
  find(".remark").hidden = !draft?.remark;
  find(".remark-text").textContent = pg.sentence(draft?.remark);
};
const drawCards = () => {
  const place = find(".write-cards");
  while (place.children.length > cards.length) place.lastChild.remove();
  cards.forEach((card, at) => {
    if (!place.children[at]) place.append(makeCard(at));
    drawCard(place.children[at], card, Boolean(busy));
  });
  place.dataset.count = cards.length;
  drawLock(find("[name=seed-lock]"), seed() !== -1);
  find("[name=go]").disabled = Boolean(busy);
  find("[name=own]").disabled = Boolean(busy);
  find("[name=halt]").disabled = !busy;
};
const fillHead = () => {
  for (const one of element.querySelectorAll("[data-head]")) {
    if (one.name !== "carried") one.value = draft?.head[one.name] ?? (one.name === "language" ? pg.language : "");
  }
  grow(field("plan"));
};
const draw = () => {
  pg.apply(element);
  find(".go kbd").textContent = `${pg.command}↵`;
  find(".write-fleeting").hidden = !props.fleeting;
  drawDrafts();
  drawSections();
  drawCarried();
  find(".write-cards").replaceChildren();
  drawCards();
};
// An answer about the draft that was open before may come late.
const mine = ({ key, at }) => (draft ? key === draft.key : opening ? key === opening : asked && at === sent);
const drawDraft = (told) => {
  if (!told) return;
  const begins = begun.delete(told.at);
  if (!mine(told)) { hearOfOther(told, begins); return; }
  const first = draft?.key !== told.key;
  if (draft && !first) followHead(draft.head, told.head);
  draft = told;
  asked = false;
  opening = null;
  remember(told);
  keepOfTab(OPEN, told.key);
  for (const name of [CARDS, TYPED]) keepOf(name, tabName(), null);
  if (told.opened) {
    cards = cardsOf(told.key);
    removed = keptOf(REMOVED, told.key) ?? [];
    fillHead();
  } else if (first) keepCards();
  if (told.sections.some((one) => one.number === returning?.number)) returning = null;
  keepRemoved();
  if ("accepted" in told) {
    field("heading").value = "";
    cards = [];
    keepCards();
    say(pg.t("write_accepted"));
  }
  if (told.opened || "accepted" in told) own = told.carried.own;
  if (first && !told.opened) editing = null;
  if (told.at === sent && !typed) unheard = false;
  drawDrafts();
  drawSections();
  drawCarried();
  drawCards();
  const left = told.opened && keptOf(TYPED, told.key);
  if (left) takeUp(left);
  else keepTyped();
  for (const [event, more] of waits.splice(0)) send(event, more);
};
const flush = () => { if (typed) send("keep"); };
const clear = () => {
  if (busy) trigger("halt");
  [draft, asked, waits, cards, busy, run, editing, own] = [null, false, [], [], null, null, null, false];
  [removed, returning] = [[], null];
  keepOfTab(OPEN, "");
  clearTimeout(typed);
  typed = 0;
  unheard = false;
  complain(null);
  say("");
  field("carried").value = "";
  fillHead();
  draw();
};
const open = (key) => {
  leave();
  clear();
  opening = key;
  openedAt = Date.now();
  asked = true;
  trigger("opened", { key, length: whole("length"), room: whole("room"), at: openedAt });
};
const write = (action, at = null) => {
  complain(null);
  say(pg.t("starting"));
  busy = { target: at, base: at === null ? "" : cards[at].text };
  run = null;
  cards = at === null ? [] : cards.map((card, number) => (number === at ? { ...card, finish: null, edited: false, own: false } : card));
  send("go", { action, target: at, text: busy.base });
  drawCards();
};
const ended = (finish = "stopped") => {
  clearTimeout(silence);
  cards = cards.map((card) => ({ ...card, finish: card.finish ?? finish }));
  busy = null;
  keepCards();
};
const halt = () => {
  trigger("halt");
  // A server that is gone cannot say that it stopped.
  clearTimeout(silence);
  silence = setTimeout(() => {
    if (!busy) return;
    ended();
    say(pg.t("lost"));
    drawCards();
  }, 15000);
};
pg.on("connection", ({ state }) => {
  if (state !== "there" && busy) {
    ended("gone");
    say("");
  }
  drawCards();
}, "write");
// Nothing was taken, so nothing will be said of what was asked for.
pg.on("refused", (sentence) => {
  if (!busy || run) return;
  ended();
  asked = false;
  complain(sentence);
  drawCards();
}, "write");
// News of a run that was given up for another draft come late and belong nowhere.
const hear = (told) => {
  if (!told || !busy || (run && told.run !== run)) return;
  run = told.run;
  told.rows.forEach((row, number) => {
    const at = told.target ?? number;
    if (!cards[at]?.edited) cards[at] = { ...row, text: row.text.trimStart() };
  });
  if (told.status) say(pg.sentence(told.status));
  else say("");
  if (told.notice) say(pg.sentence(told.notice));
  if (told.error) complain(told.error.text);
  if (told.phase === "done" || told.phase === "refused") {
    ended();
    if (told.phase === "refused") asked = false;
  }
  drawCards();
};
const sectionOf = (node) => draft.sections.find((one) => one.number === Number(node.closest("[data-number]").dataset.number));
const cardOf = (node) => Number(node.closest("[data-card]").dataset.card);
const reallyForget = (button) => {
  if (button.dataset.sure) {
    trigger("forget", { key: draft.key });
    forgotten(draft.key);
    clear();
  }
  button.textContent = pg.t(button.dataset.sure ? "write_forget" : "write_forget_sure");
  button.dataset.sure = button.dataset.sure ? "" : "yes";
};
const PRESSED = {
  new: () => {
    leave();
    if (!draft) keepOf(CARDS, tabName(), null);
    clear();
    field("title").focus();
  },
  go: () => write("all"),
  halt,
  own: () => {
    cards = [...cards, { text: "", own: true, edited: true, finish: "end" }];
    drawCards();
    find(".write-cards").lastChild.querySelector("textarea").focus();
  },
  accept: (button) => send("accept", { card: cardOf(button), heading: field("heading").value, text: cards[cardOf(button)].text }),
  continue: (button) => write("continue", cardOf(button)),
  regenerate: (button) => write("regenerate", cardOf(button)),
  "seed-lock": () => lockSeed(seed() === -1 ? cards[0]?.seed ?? drawnSeed() : ""),
  "keep-seed": (button) => lockSeed(cards[cardOf(button)].seed),
  edit: (button) => {
    editing = sectionOf(button).number;
    drawSections();
    grow(find(".write-editor textarea"));
    find(".write-editor textarea").focus();
  },
  discard: () => { editing = null; drawSections(); keepTyped(); },
  remove: (button) => {
    const one = sectionOf(button);
    removed.push(one);
    keepRemoved();
    send("remove", { number: one.number });
  },
  back: () => {
    returning = removed.pop();
    keepRemoved();
    send("restore", returning);
  },
  reset: () => { own = false; send("keep"); },
  forget: reallyForget,
};
for (const kind of ["md", "docx", "txt"]) PRESSED[kind] = () => trigger("save", { key: draft.key, kind, at: Date.now() });

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.type === "submit") return;
  complain(null);
  PRESSED[button.name]?.(button);
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const told = given(form);
  if (told.text.trim()) editing = null;
  send("mend", { number: Number(form.dataset.number), ...told });
});
element.addEventListener("input", (event) => {
  const { name, dataset, classList, value } = event.target;
  if (name === "carried") own = value.trim() !== "";
  if ("head" in dataset || name === "seed" || numbers.includes(name)) complain(null);
  if ("head" in dataset) soon();
  if (name === "plan") grow(event.target);
  if (event.target.closest(".write-editor")) keepTyped();
  if (classList.contains("write-text")) {
    const card = cards[cardOf(event.target)];
    card.text = value;
    card.edited = true;
    keepCards();
    grow(event.target, 420);
    event.target.closest("[data-card]").querySelector("[name=accept]").disabled = !value.trim();
  }
  if (name === "seed" || numbers.includes(name)) keepSettings();
  if (numbers.includes(name) && draft) soon();
});
element.addEventListener("change", (event) => {
  if (event.target.name === "draft" && event.target.value) open(event.target.value);
});
element.addEventListener("keydown", (event) => {
  const enter = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (enter && !busy) write("all");
  if (event.key === "Escape" && busy) halt();
  if (enter) event.preventDefault();
});
element.addEventListener("focusout", (event) => {
  if (event.target.name === "carried" && !typed) drawCarried();
  if (event.target.name === "forget") {
    event.target.dataset.sure = "";
    event.target.textContent = pg.t("write_forget");
  }
});
watch("draft", () => drawDraft(props.draft));
pg.listen("write", (news) => drawDraft(news.draft));
pg.listen("write-news", hear);
watch("complaint", () => {
  const told = props.complaint;
  if (!told || (told.parameter === "draft" && told.at !== sent && told.at !== openedAt)) return; // of another draft
  asked = false;
  if (returning) removed.push(returning);
  returning = null;
  if (told.parameter === "draft" && opening) {
    const left = keptOf(TYPED, opening);
    forgotten(opening);
    drawDrafts();
    if (left) takeUp(left);
  } else complain(told.text);
  drawSections();
  opening = null;
  for (const [event, more] of waits.splice(0)) send(event, more);
});
watch("file", () => {
  const told = props.file;
  if (!told) return;
  const data = told.base64 ? Uint8Array.from(atob(told.base64), (one) => one.charCodeAt(0)) : told.text;
  const url = URL.createObjectURL(new Blob([data]));
  pg.make("a", { href: url, download: told.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
});
pg.on("language", () => {
  if (!draft) field("language").value = pg.language;
  draw();
}, "write");
// Figures of what is carried need the model's tokenizer.
pg.on("server", (status) => { if (status.model && draft?.carried.tokens === null) send("keep"); }, "write");

for (const [name, most] of Object.entries(props.heads)) field(name).maxLength = most;
const chosen = { n: props.usual.candidates, length: props.usual.length, room: props.usual.room, seed: "", ...read(SETTINGS, {}) };
for (const name of [...numbers, "seed"]) find(`[name=${name}]`).value = chosen[name];
window.addEventListener("storage", (event) => { if (event.key === KEYS) drawDrafts(); });
window.addEventListener("pagehide", () => { if (!draft) { keepCards(); keepTyped(); } });
fillHead();
draw();
adopt();
const nameless = keptOf(TYPED, tabName());
if (nameless || cardsOf(tabName()).length) { // a draft that had no key yet
  cards = cardsOf(tabName());
  drawCards();
  if (nameless) takeUp(nameless);
} else if (known.length) open(known.find((one) => one.key === ofTab(OPEN))?.key ?? known[0].key);
