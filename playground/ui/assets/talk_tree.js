// A conversation as a tree of turns, and one way through it that is shown. Nothing is ever deleted: an edited turn or
// another answer stands beside the old one. The browser keeps it for this tab alone. No drawing here.
//
// turn: {id, parent, role, text, prefill, thought, answer, …} beside what the server told of its row. A message has at
// least one answer, always: both begin together. shown: by a turn's id the one behind it, or null where the way ends.
const ROOT = "";
const KEPT_TALK = "playground-talk";
const talk = { turns: [], shown: {}, draft: { system: "", message: "", prefill: "" } };

const turnById = (id) => talk.turns.find((turn) => turn.id === id);
const behind = (id) => talk.turns.filter((turn) => turn.parent === id);
const way = () => {
  const found = [];
  for (let at = ROOT; at !== null;) {
    const chosen = talk.shown[at];
    const next = chosen === null ? undefined : behind(at).find((turn) => turn.id === chosen) ?? behind(at).at(-1);
    if (next) found.push(next);
    at = next ? next.id : null;
  }
  return found;
};
const lastOf = (turns) => turns.at(-1)?.id ?? ROOT;
const beside = (turn) => behind(turn.parent);
const newId = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
const addTurn = (parent, role, more) => {
  const turn = { id: newId(), parent, role, ...more };
  talk.turns.push(turn);
  talk.shown[parent] = turn.id;
  return turn;
};
const endAt = (id) => { talk.shown[id] = null; };
const goOnBehind = (id) => { delete talk.shown[id]; };
/** What the model hears of a turn: never what it thought. */
const heardOf = (turn) => answerOf(turn);
const heardBefore = (id) => {
  const turns = [];
  for (let turn = turnById(id); turn; turn = turnById(turn.parent)) turns.unshift([turn.role, heardOf(turn)]);
  return turns;
};

const isWord = (value) => typeof value === "string";
const isTurn = (turn) => Boolean(turn) && isWord(turn.id) && isWord(turn.parent) && isWord(turn.text) && ["user", "assistant"].includes(turn.role);
const keepTalk = () => {
  try {
    sessionStorage.setItem(KEPT_TALK, JSON.stringify(talk));
  } catch { /* no room, or a browser that keeps nothing: the conversation ends with the page */ }
};
/** What was kept, if it is whole. A text that was being written when the page went was stopped by that. */
const findTalk = () => {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_TALK));
    if (!kept || !Array.isArray(kept.turns) || !kept.turns.every(isTurn) || !kept.shown || !kept.draft) return;
    const known = new Map([[ROOT, "assistant"]]);
    for (const turn of kept.turns) { // each behind a turn of the other role, that is there already: so no way runs in a circle
      if (known.has(turn.id) || known.get(turn.parent) !== (turn.role === "user" ? "assistant" : "user")) return;
      known.set(turn.id, turn.role);
    }
    talk.turns = kept.turns;
    talk.shown = kept.shown;
    for (const name of Object.keys(talk.draft)) if (isWord(kept.draft[name])) talk.draft[name] = kept.draft[name];
    for (const turn of talk.turns) if (turn.role === "assistant") turn.finish ??= "stopped";
  } catch { /* nothing that could be read */ }
};
