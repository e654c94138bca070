// One turn of a conversation drawn: who, its buttons, what was thought, the text, a line of facts. Runs inside the same
// function as talk.js, behind cards_view.js, whose icons and text it shares.
const BRANCH = "M4 2.5v11M4 9.5h4a4 4 0 0 0 4-4v-2M9.5 6L12 3.5 14.5 6";
const TURN_TOOLS = { user: ["copy", "edit", "regenerate", "branch"], assistant: ["copy", "edit", "continue", "regenerate", "branch"] };
const turnTool = (name, role) => {
  const label = name === "branch" ? pg.t("talk_branch") : role === "user" && name === "edit" ? pg.t("talk_edit") : pg.t(name);
  const made = pg.make("button", { type: "button", class: "quiet tool", name, title: label, "aria-label": label });
  made.innerHTML = icon(name === "branch" ? BRANCH : ICONS[name]);
  return made;
};
const makeTurn = (turn) => {
  const others = beside(turn);
  const place = others.indexOf(turn);
  const step = (name, label, sign, end) => pg.make("button",
    { type: "button", class: "quiet", name, "aria-label": pg.t(label), disabled: place === end }, sign);
  const walk = others.length < 2 ? null : pg.make("div", { class: "walk" }, step("back", "previous_version", "‹", 0),
    pg.make("output", {}, `${place + 1}/${others.length}`), step("on", "next_version", "›", others.length - 1));
  const tools = pg.make("div", { class: "tools" }, walk, ...TURN_TOOLS[turn.role].map((name) => turnTool(name, turn.role)));
  const text = pg.make("div", { class: "turn-text", dir: "auto" });
  const thought = makeThought();
  const remark = pg.make("p", { class: "remark", hidden: true });
  const line = pg.make("div", { class: "card-line" });
  const node = pg.make("article", { class: "turn", "data-role": turn.role, "data-turn": turn.id },
    pg.make("header", { class: "turn-head" },
      pg.make("span", { class: "turn-who" }, pg.t(turn.role === "user" ? "talk_you" : "talk_model")),
      pg.make("span", { class: "turn-gone" }, pg.t("talk_gone")), tools),
    ...(turn.role === "user" ? [text] : [thought.node, text, remark, line]));
  return { node, thought, remark, line, text: { body: text, shown: null } };
};
const drawTurn = (view, turn) => {
  const answer = heardOf(turn);
  const nothing = Boolean(turn.finish) && !answer.trim() && !turn.thought;
  const writes = turn.role === "assistant" && !turn.finish;
  drawThought(view.thought, turn);
  view.text.body.classList.toggle("writing", writes);
  view.text.body.classList.toggle("nothing", nothing);
  drawText(view.text, nothing ? nothingWords(turn) : answer.trimStart());
  if (turn.role !== "assistant") return;
  drawRemark(view.remark, turn);
  drawLine(view.line, turn);
};
