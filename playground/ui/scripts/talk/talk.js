// A conversation: its turns, the next message, and how much of the window they take. Says `speak` {message, turns, …};
// the server only sends the answer that grows. What would be sent is told to the rest of the page as `talk`. The browser
// keeps it for this tab alone.

import { tryRow } from "../compose/try_row.js";
import { on, tell } from "../page/board.js";
import { around, copy, find, findAll } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { listen } from "../page/feed.js";
import { say } from "../page/language.js";
import { number } from "../page/numbers.js";
import { apply, sentence, t } from "../page/words.js";
import { Answers } from "./answers.js";
import { isSameWay, leftOut, share } from "./context_window.js";
import { Conversation, heardOf, lastOf, ROOT } from "./conversation.js";
import { complain, complainAgain, drawDraft, focusMessage, forgive, grow, showComplaint } from "./draft_fields.js";
import { openEditor } from "./turn_editor.js";
import { drawTurn, makeTurn } from "./turn_view.js";

/** @typedef {import("./answers.js").Ask} Ask */
/** @typedef {import("./answers.js").News} News */
/** @typedef {import("./context_window.js").Counted} Counted */
/** @typedef {import("./conversation.js").Draft} Draft */
/** @typedef {import("./conversation.js").Heard} Heard */
/** @typedef {import("./conversation.js").Turn} Turn */
/** @typedef {import("./turn_view.js").TurnView} TurnView */

const KEPT = "playground-talk";
const COPIED = 1200; // milliseconds for which a button says so
const { element, trigger } = hostOf("talk");
const list = find(element, ".talk-turns");
const talk = new Conversation();
const answers = new Answers(talk);
const drawTries = tryRow(find(element, "[data-field=message] textarea", HTMLTextAreaElement), "talk");
/** @type {Map<string, TurnView>} */
let views = new Map();
let open = false; // whether the conversation is what is chosen
let running = false;
let heard = 0; // the number of the newest news
/** @type {Counted} */
let counted = {};
let looked = 0; // which asking for the count was the last
/** The turns that the count is asked for, and since which asking. @type {{way: Turn[], since: number}} */
let countedFor = { way: [], since: 0 };

const keepTalk = () => {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(talk.kept()));
  } catch {
    // no room, or a browser that keeps nothing: the conversation ends with the page
  }
};
const findTalk = () => {
  try {
    talk.restore(JSON.parse(sessionStorage.getItem(KEPT) ?? "null"));
  } catch {
    // nothing that could be read
  }
};
const tellTalk = () => {
  keepTalk();
  const way = talk.way();
  tell("talk", { ...talk.draft, turns: talk.heardBefore(lastOf(way)) });
  countedFor = { way, since: isSameWay(countedFor.way, way) ? countedFor.since : looked };
};
/** How many of the first turns it says will be left out. @param {Turn[]} turns those that are shown */
const leftOutOf = (turns) => leftOut(counted, turns.length, countedFor.since);

const drawWindow = () => {
  const turns = talk.way();
  const left = open ? leftOutOf(turns) : 0;
  turns.forEach((turn, place) => {
    views.get(turn.id)?.node.classList.toggle("left-out", place < left);
  });
  const meter = find(element, ".talk-meter");
  find(meter, "i").style.width = `${share(counted)}%`;
  meter.classList.toggle("over", Boolean(counted.over || left));
  meter.setAttribute("aria-valuemax", String(counted.context ?? 0));
  meter.setAttribute("aria-valuenow", String(counted.used ?? 0));
  const figures = () => t("count", { used: number(counted.used), context: number(counted.context) });
  find(element, ".talk-count").textContent = counted.used === undefined ? say(counted.uncounted) : figures();
  const said = find(element, ".talk-left-out");
  said.hidden = !left;
  said.textContent = left ? t("talk_left_out", { count: left }) : "";
};
const drawTools = () => {
  for (const button of findAll(element, ".turn .tool, .walk button, [name=new], [name=followed]", HTMLButtonElement)) {
    button.classList.toggle("waits", running && button.name !== "copy");
  }
};
const draw = () => {
  const turns = talk.way();
  apply(element);
  const before = views;
  views = new Map();
  for (const turn of turns) {
    const view = makeTurn(turn, talk.beside(turn));
    views.set(turn.id, view);
    drawTurn(view, turn);
    view.thought.node.open = before.get(turn.id)?.thought.node.open ?? false;
  }
  list.replaceChildren(...[...views.values()].map((view) => view.node));
  find(element, ".talk-empty").hidden = turns.length > 0;
  find(element, "[name=new]").hidden = !turns.length;
  find(element, ".talk-followed").hidden = !talk.behind(lastOf(turns)).length;
  drawDraft(talk.draft);
  drawTries(!turns.length);
  drawWindow();
  drawTools();
};
/**
 * One turn, where it is shown.
 * @param {Turn} turn
 */
const drawOne = (turn) => {
  const view = views.get(turn.id);
  if (view) drawTurn(view, turn);
};
const changed = () => {
  tellTalk();
  draw();
};

/**
 * @param {Ask} ask
 * @param {{message: string, turns: Heard[], goes_on?: boolean, again?: boolean}} said
 */
const speak = (ask, said) => {
  const name = answers.ask(ask);
  tell("complaint", null);
  tell("run", { running: true, status: t("starting"), asked: true });
  const { system } = talk.draft;
  trigger("speak", { talk: name, system, prefill: ask.prefill, left_out: leftOutOf(talk.way()), ...said });
};
/**
 * Another answer to a message: a new one, or with `goes_on` the one that is there and more.
 * @param {Turn} turn the message, or an answer to it
 * @param {string} prefill
 * @param {{goes_on?: boolean, again?: boolean}} how
 */
const answer = (turn, prefill, how) => {
  const message = turn.role === "user" ? turn : talk.turn(turn.parent);
  if (!message) return;
  const said = { message: message.text, turns: talk.heardBefore(message.parent), ...how };
  speak({ under: message.id, text: null, prefill }, said);
};
const sendDraft = () => {
  const { message, prefill } = talk.draft;
  const last = lastOf(talk.way());
  speak({ under: last, text: message, prefill, draft: true }, { message, turns: talk.heardBefore(last) });
};
/** @param {string} [finish] */
const settle = (finish = "stopped") => {
  answers.settle(finish);
  changed();
};
/** @param {News | null | undefined} news */
const receive = (news) => {
  if (!news?.phase || news.number <= heard) return;
  heard = news.number;
  if (news.rows.length) {
    const { turn, fresh } = answers.take(news);
    if (fresh) draw();
    else drawOne(turn);
  }
  const over = news.phase === "done" || news.phase === "refused";
  if (news.error) tell("complaint", { ...news.error });
  tell("run", { running: !over, status: news.status, notice: news.notice, seed: news.rows[0]?.seed });
  if (over) settle();
};

/** @param {Turn} turn */
const edit = (turn) => {
  const view = views.get(turn.id);
  if (!view) return;
  openEditor(view.text.body, heardOf(turn), t(turn.role === "user" ? "talk_send" : "save"), (text) => {
    if (!text.trim() || text === heardOf(turn)) return;
    if (turn.role === "user") {
      const said = { message: text, turns: talk.heardBefore(turn.parent) };
      speak({ under: turn.parent, text, prefill: "" }, said);
      return;
    }
    const byHand = { edited: true, finish: "edited", tokens: 0, seed: null };
    talk.add(turn.parent, "assistant", { text, prefill: turn.prefill, ...byHand });
    changed();
  });
};
/**
 * Another turn takes the place of this one.
 * @param {Turn} turn
 * @param {number} steps
 */
const walk = (turn, steps) => {
  talk.walk(turn, steps);
  changed();
};
/**
 * The next message stands behind this turn.
 * @param {string} id
 */
const goOnFrom = (id) => {
  talk.endAt(id);
  changed();
  focusMessage();
};
/** What the buttons of a turn do. @type {Record<string, (turn: Turn) => void>} */
const TURN = {
  back: (turn) => walk(turn, -1),
  on: (turn) => walk(turn, 1),
  edit,
  continue: (turn) => answer(turn, turn.text, { goes_on: true }),
  regenerate: (turn) => answer(turn, turn.role === "user" ? "" : (turn.prefill ?? ""), { again: true }),
  branch: (turn) => goOnFrom(turn.role === "user" ? turn.parent : turn.id), // a message makes way for another one
  "keep-seed": (turn) => tell("knob", { name: "seed", value: turn.seed }),
};
/** What those of the conversation do. @type {Record<string, () => void>} */
const TALK = {
  new: () => goOnFrom(ROOT),
  followed: () => {
    talk.goOnBehind(lastOf(talk.way()));
    changed();
  },
};
/**
 * @param {HTMLButtonElement} button
 * @param {string} text
 */
const copyOf = async (button, text) => {
  await copy(text);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), COPIED);
};
element.addEventListener("click", (event) => {
  const button = around(event, "button[name]", HTMLButtonElement);
  if (!button) return;
  const turn = talk.turn(around(event, ".turn")?.dataset.turn);
  if (button.name === "copy" && turn) copyOf(button, heardOf(turn));
  else if (running) return;
  else if (turn) TURN[button.name]?.(turn);
  else TALK[button.name]?.();
});
element.addEventListener("input", (event) => {
  const field = event.target;
  // an edit of a turn is not the draft
  if (!(field instanceof HTMLTextAreaElement) || !Object.hasOwn(talk.draft, field.name)) return;
  talk.draft[/** @type {keyof Draft} */ (field.name)] = field.value;
  grow(field);
  drawTries(!talk.way().length);
  complain(field.name, null);
  tellTalk();
});

on("say", sendDraft, "talk");
on(
  "complaint",
  (complaint) => {
    forgive();
    if (!complaint || !open) return;
    const name = complaint.parameter === "prompt" ? "message" : String(complaint.parameter);
    complaint.placed = complain(name, complaint.text);
    if (complaint.placed) showComplaint();
    if (complaint.parameter === "turns") tellTalk(); // the window is counted again, and so what is left out is said
  },
  "talk",
);
on(
  "window",
  (now) => {
    counted = open ? now : {};
    drawWindow();
  },
  "talk",
);
on(
  "counting",
  (now) => {
    looked = now.looked;
  },
  "talk",
);
on(
  "kind",
  (kind) => {
    open = kind === "talk";
    if (open) draw();
  },
  "talk",
);
on(
  "run",
  (news) => {
    if (running && !news.running && answers.writing) settle(news.finish);
    running = news.running;
    const status = find(element, ".talk-status");
    status.hidden = !running || !news.status;
    status.textContent = sentence(news.status);
    drawTools();
  },
  "talk",
);
/** @param {Turn} turn */
const isCutOff = (turn) => turn.finish === "gone"; // it says whether the server is back
on("connection", () => talk.way().filter(isCutOff).forEach(drawOne), "talk");
on(
  "language",
  () => {
    draw();
    complainAgain();
  },
  "talk",
);
window.addEventListener("pagehide", keepTalk);
listen("talk", receive);
findTalk();
changed();
