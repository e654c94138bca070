// A conversation: its turns, the next message, and how much of the window they take. Says `speak` {message, turns, …};
// the server only sends the answer that grows. What would be sent is told to the rest of the page as `talk`.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const list = find(".talk-turns");
let views = new Map();
let open = false; // whether the conversation is what is chosen
let running = false;
let heard = 0; // the number of the newest news
let seen = {};
const asks = new Map(); // name -> {under, text, prefill, draft}: where the answer goes once it begins
let asked = null; // the one of these that has not begun
const begun = new Map(); // run id -> the turn it writes

const area = (name) => find(`textarea[name=${name}]`);
const grow = (one) => {
  one.style.height = "auto";
  one.style.height = `${Math.min(one.scrollHeight + 2, 420)}px`;
};
let wrong = null; // the field that something was said of, and what
const complain = (name, text) => {
  if (text) wrong = { name, text };
  else if (wrong?.name === name) wrong = null;
  const field = find(`[data-field="${CSS.escape(name)}"]`);
  if (!field) return false;
  field.classList.toggle("wrong", Boolean(text));
  const place = field.querySelector(".field-error");
  place.hidden = !text;
  place.textContent = pg.sentence(text);
  return true;
};
const tell = () => {
  keepTalk();
  pg.tell("talk", { ...talk.draft, turns: heardBefore(lastOf(way())) });
};
const drawWindow = () => {
  const turns = way();
  const left = open ? Math.min(seen.left_out ?? 0, turns.length) : 0;
  turns.forEach((turn, place) => views.get(turn.id)?.node.classList.toggle("left-out", place < left));
  const share = seen.used === undefined ? 0 : Math.min(100, (100 * seen.used) / seen.context);
  const meter = find(".talk-meter");
  meter.firstElementChild.style.width = `${share}%`;
  meter.classList.toggle("over", Boolean(seen.over || left));
  meter.setAttribute("aria-valuemax", seen.context ?? 0);
  meter.setAttribute("aria-valuenow", seen.used ?? 0);
  find(".talk-count").textContent = seen.used === undefined ? "" : pg.t("count", { used: pg.number(seen.used), context: pg.number(seen.context) });
  const said = find(".talk-left-out");
  said.hidden = !left;
  said.textContent = left ? pg.t("talk_left_out", { count: left }) : "";
};
const drawTools = () => {
  for (const button of element.querySelectorAll(".turn .tool, .walk button, [name=new], [name=followed]")) {
    button.classList.toggle("waits", running && button.name !== "copy");
  }
};
const draw = () => {
  const turns = way();
  const unfolded = turns.filter((turn) => views.get(turn.id)?.thought.node.open);
  pg.apply(element);
  views = new Map(turns.map((turn) => [turn.id, makeTurn(turn)]));
  list.replaceChildren(...turns.map((turn) => views.get(turn.id).node));
  for (const turn of turns) drawTurn(views.get(turn.id), turn);
  for (const turn of unfolded) views.get(turn.id).thought.node.open = true;
  find(".talk-empty").hidden = turns.length > 0;
  find("[name=new]").hidden = !turns.length;
  find(".talk-followed").hidden = !behind(lastOf(turns)).length;
  for (const name of Object.keys(talk.draft)) {
    if (area(name).value !== talk.draft[name]) area(name).value = talk.draft[name];
    grow(area(name));
  }
  drawWindow();
  drawTools();
};
const changed = () => { draw(); tell(); };

const speak = (ask, said) => {
  const name = newId();
  asks.set(name, ask);
  asked = ask;
  pg.tell("complaint", null);
  pg.tell("run", { running: true, status: pg.t("starting"), asked: true });
  trigger("speak", { talk: name, system: talk.draft.system, prefill: ask.prefill, left_out: seen.left_out ?? 0, ...said });
};
/** Another answer to a message: a new one, or with `goes_on` the one that is there and more. */
const answer = (message, prefill, said) => speak({ under: message.id, text: null, prefill },
  { message: message.text, turns: heardBefore(message.parent), ...said });
const place = (news) => {
  const from = begun.get(news.parted?.parent?.split(":")[0]); // from one token of an answer: beside that answer
  if (from) return { under: from.parent, text: null, prefill: from.prefill };
  const { message, prefill } = talk.draft;
  return asks.get(news.target?.talk) ?? { under: lastOf(way()), text: message, prefill, draft: true };
};
const begin = (news) => {
  const ask = place(news);
  asks.delete(news.target?.talk);
  asked = null;
  const message = ask.text === null ? ask.under : addTurn(ask.under, "user", { text: ask.text }).id;
  if (ask.draft) Object.assign(talk.draft, { message: "", prefill: "" });
  const turn = addTurn(message, "assistant", { text: "", prefill: ask.prefill });
  begun.set(news.run, turn);
  return turn;
};
const receive = (news) => {
  if (!news?.phase || news.number <= heard) return;
  heard = news.number;
  if (news.rows.length) {
    const known = begun.get(news.run);
    const turn = known ?? begin(news);
    Object.assign(turn, news.rows[0]);
    if (!known) draw();
    else if (views.has(turn.id)) drawTurn(views.get(turn.id), turn);
  }
  const over = news.phase === "done" || news.phase === "refused";
  if (news.error) pg.tell("complaint", { ...news.error });
  pg.tell("run", { running: !over, status: news.status, notice: news.notice, seed: news.rows[0]?.seed });
  if (over) settle();
};
const settle = (finish = "stopped") => {
  if (asked && asked.text !== null && !asked.draft && !talk.draft.message) { // an edit that came to nothing is not lost
    talk.draft.message = asked.text;
    endAt(asked.under);
  }
  asked = null;
  for (const turn of begun.values()) turn.finish ??= finish;
  changed();
};

const edit = (turn) => {
  const view = views.get(turn.id);
  const close = (keep) => {
    const text = field.value;
    editor.remove();
    view.text.body.hidden = false;
    if (!keep || !text.trim() || text === heardOf(turn)) return;
    if (turn.role === "user") {
      speak({ under: turn.parent, text, prefill: "" }, { message: text, turns: heardBefore(turn.parent) });
    } else {
      addTurn(turn.parent, "assistant", { text, prefill: turn.prefill, edited: true, finish: "edited", tokens: 0, seed: null });
      changed();
    }
  };
  const field = pg.make("textarea", { class: "card-edit", dir: "auto", "aria-label": pg.t("edit") });
  field.value = heardOf(turn);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.preventDefault(); close(false); }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); close(true); }
  });
  const editor = pg.make("div", { class: "card-editor" }, field, pg.make("div", { class: "card-editor-bar" },
    pg.make("button", { type: "button", class: "quiet strong", onclick: () => close(true) }, pg.t(turn.role === "user" ? "talk_send" : "save")),
    pg.make("button", { type: "button", class: "quiet", onclick: () => close(false) }, pg.t("discard"))));
  const height = view.text.body.offsetHeight;
  view.text.body.hidden = true;
  view.text.body.after(editor);
  field.style.height = `${Math.max(height + 16, 64)}px`;
  field.focus({ preventScroll: true });
};
const walk = (turn, steps) => {
  const others = beside(turn);
  talk.shown[turn.parent] = others[others.indexOf(turn) + steps].id;
  changed();
};
const messageOf = (turn) => (turn.role === "user" ? turn : turnById(turn.parent));
const press = {
  back: (turn) => walk(turn, -1),
  on: (turn) => walk(turn, 1),
  edit,
  continue: (turn) => answer(messageOf(turn), turn.text, { goes_on: true }),
  regenerate: (turn) => answer(messageOf(turn), turn.role === "user" ? "" : turn.prefill ?? "", { again: true }),
  branch: (turn) => { // a message makes way for another one, an answer stays
    endAt(turn.role === "user" ? turn.parent : turn.id);
    changed();
    area("message").focus();
  },
  new: () => { endAt(ROOT); changed(); area("message").focus(); },
  followed: () => { goOnBehind(lastOf(way())); changed(); },
  "keep-seed": (turn) => pg.tell("knob", { name: "seed", value: turn.seed }),
};
element.addEventListener("click", async (event) => {
  const button = event.target.closest("button[name]");
  if (!button) return;
  const turn = turnById(button.closest(".turn")?.dataset.turn);
  if (button.name === "copy") {
    await pg.copy(heardOf(turn));
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1200);
  } else if (!running) press[button.name]?.(turn);
});
element.addEventListener("input", (event) => {
  const name = event.target.name;
  if (!(name in talk.draft)) return; // an edit of a turn is not the draft
  talk.draft[name] = event.target.value;
  grow(event.target);
  complain(name, null);
  tell();
});
pg.on("say", () => {
  const { message, prefill } = talk.draft;
  const turns = way();
  speak({ under: lastOf(turns), text: message, prefill, draft: true }, { message, turns: heardBefore(lastOf(turns)) });
}, "talk");
pg.on("complaint", (complaint) => {
  element.querySelectorAll(".field.wrong").forEach((field) => complain(field.dataset.field, null));
  if (!complaint || !open) return;
  complaint.placed = complain(complaint.parameter === "prompt" ? "message" : String(complaint.parameter), complaint.text);
  if (complaint.parameter === "turns") tell(); // the window is counted again, and so what is left out is said
}, "talk");
pg.on("window", (now) => { seen = open ? now : {}; drawWindow(); }, "talk");
pg.on("kind", (kind) => {
  open = kind === "talk";
  if (open) draw();
}, "talk");
pg.on("run", (news) => {
  if (running && !news.running && [...begun.values()].some((turn) => !turn.finish)) settle(news.finish);
  running = news.running;
  const status = find(".talk-status");
  status.hidden = !running || !news.status;
  status.textContent = pg.sentence(news.status);
  drawTools();
}, "talk");
pg.on("connection", () => { // turns that were cut off say whether the server is back
  for (const turn of way()) if (turn.finish === "gone") drawTurn(views.get(turn.id), turn);
}, "talk");
pg.on("language", () => {
  draw();
  if (wrong) complain(wrong.name, wrong.text);
}, "talk");
window.addEventListener("pagehide", keepTalk);
pg.listen("talk", receive);
findTalk();
changed();
