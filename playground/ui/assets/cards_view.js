// One card drawn: its buttons, its text, its line of facts. Runs inside the same function as cards.js.
const icon = (path) => `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none"
  stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"><path d="${path}"></path></svg>`;
const ICONS = {
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  edit: "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2zM9.4 4.4l2.2 2.2",
  continue: "M2.5 8h10M9 4.5L12.5 8 9 11.5",
  regenerate: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
};
const TREE = "M4 2.5v11M4 5.5h3.5a4 4 0 0 1 4 4M11.5 11.5v-2M2.5 2.5h3M2.5 13.5h3M10 13.5h3";
const UNDO = "M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M5.5 4L3 6.5 5.5 9";
const REDO = "M13 6.5H6.5a3.5 3.5 0 0 0 0 7H10M10.5 4L13 6.5 10.5 9";

const finishWords = (row) => {
  if (row.edited) return pg.t("edited");
  if (!row.finish) return pg.t(row.tokens ? "writing" : "reading");
  return [pg.ending(row.finish), row.end_token].filter(Boolean).join(" ");
};
/** What stands where a text would, once it has ended without one. */
const nothingWords = (row) => pg.t(row.edited ? "emptied" : row.finish === "end" ? "empty_text" : "nothing_written");
/** A text without what was thought before it. */
const answerOf = (row) => row.answer ?? row.text;
const isList = (row) => Boolean(row.items && row.items.length && !row.plain && row.finish);
const isTable = (row) => Boolean(row.table && row.table.rows.length && !row.plain && row.finish);
const headings = (row) => row.table.head.map((label) => pg.say(label));
// Tabs between cells: so a spreadsheet takes it as a table. What has no headings is a JSON object, and stays one.
const plainText = (row) => {
  if (isTable(row) && row.table.head.length) return [headings(row), ...row.table.rows].map((cells) => cells.join("\t")).join("\n");
  if (!isList(row)) return answerOf(row).trimStart(); // as it is shown
  return row.items.map((item, at) => (row.numbered ? `${at + 1}. ${item}` : item)).join("\n");
};
/** Which way the parts of a list or a table stand: as their text goes. */
const wayOf = (texts) => bidi.direction(texts.join("\n")) || null;
const tableOf = (row) => {
  const heads = headings(row);
  const cells = row.table.rows.map((line) => line.map(pg.say));
  const way = wayOf(cells.flatMap((line) => (heads.length ? line : line.slice(1))));
  const part = (tag, text, more) => pg.make(tag, { dir: bidi.direction(text) ? "auto" : way, ...more }, text); // a number goes along
  const cellOf = (text, at) => (at || heads.length ? part("td", text) : part("th", text, { scope: "row" }));
  return pg.make("table", { class: "rows", dir: wayOf([...heads, ...cells.flat()]) },
    ...(heads.length ? [pg.make("thead", {}, pg.make("tr", {}, ...heads.map((label) => part("th", label, { scope: "col" }))))] : []),
    pg.make("tbody", {}, ...cells.map((line) => pg.make("tr", {}, ...line.map(cellOf)))));
};

const tool = (name, label) => {
  const made = pg.make("button", { type: "button", class: "quiet tool", name, title: label, "aria-label": label });
  made.innerHTML = icon(ICONS[name]);
  return made;
};
const makeCard = (number) => {
  const node = pg.make("article", { class: "card", "data-card": number });
  const body = pg.make("div", { class: "card-body", tabindex: 0, dir: "auto" });
  const walk = pg.make("div", { class: "walk" },
    pg.make("button", { type: "button", class: "quiet", name: "version-back", "aria-label": pg.t("previous_version") }, "‹"),
    pg.make("output", {}),
    pg.make("button", { type: "button", class: "quiet", name: "version-on", "aria-label": pg.t("next_version") }, "›"));
  const branch = pg.make("button", { type: "button", class: "quiet tool", name: "tree", title: pg.t("versions"), "aria-label": pg.t("versions") });
  branch.innerHTML = icon(TREE);
  walk.prepend(branch);
  const tools = pg.make("div", { class: "tools" }, walk, ...Object.keys(ICONS).map((name) => tool(name, pg.t(name))));
  const head = pg.make("header", { class: "card-head" }, pg.make("span", { class: "card-number" }, String(number + 1)), tools);
  const tree = pg.make("div", { class: "tree", hidden: true });
  const thought = makeThought();
  node.append(head, tree, thought.node, body, pg.make("p", { class: "remark", hidden: true }),
    pg.make("div", { class: "card-line" }));
  return { node, body, walk, tree, thought, shown: null };
};
// What a reasoning model thought, folded away; the same on a card and in a conversation.
const makeThought = () => {
  const body = pg.make("div", { class: "thought-text", dir: "auto" });
  return { node: pg.make("details", { class: "thought", hidden: true }, pg.make("summary", {}), body), body, shown: null };
};
const drawThought = (view, row) => {
  view.node.hidden = !row.thought && !row.thinks;
  if (view.node.hidden) return;
  view.node.querySelector("summary").textContent = pg.t(row.thinks && !row.finish ? "thinking" : "thought");
  drawText(view, row.thought);
};
const drawRemark = (place, row) => {
  const told = [row.edited ? null : row.reason, row.remark].filter(Boolean).map(pg.sentence);
  place.hidden = !told.length;
  place.textContent = told.join(" ");
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
  if (!row.edited && row.proposed) {
    parts.push(pg.make("span", {}, pg.t("guesses", { right: pg.number(row.accepted), all: pg.number(row.proposed) })));
  }
  if (row.path) parts.push(pg.make("span", { class: "card-path" }, pg.t(`card_${row.path}`, { weights: row.weights })));
  if (row.finish !== "example") parts.push(pg.make("span", { class: "finish" }, finishWords(row)));
  if (!row.edited) {
    parts.push(pg.make("button", {
      type: "button", class: "quiet card-seed", name: "keep-seed", title: pg.t("lock_this_seed", { count: row.seed }),
    }, pg.t("card_seed", { count: row.seed })));
  }
  if (row.short && !row.edited) parts.push(pg.make("span", { class: "finish" }, pg.t("cut_short")));
  if (((row.items && row.items.length) || (row.table && row.table.rows.length)) && row.finish) {
    parts.push(pg.make("button", { type: "button", class: "quiet", name: "plain" }, pg.t(row.plain ? (row.table ? "as_table" : "as_list") : "as_text")));
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
  drawThought(view.thought, row);
  if (drawTokens(view, row)) return;
  const answer = answerOf(row);
  const nothing = Boolean(row.finish) && !answer.trim() && !row.thought;
  view.body.classList.toggle("writing", !row.finish);
  view.body.classList.toggle("nothing", nothing);
  if (nothing) {
    view.body.replaceChildren(nothingWords(row));
    view.shown = null;
  } else if (isTable(row)) {
    view.body.replaceChildren(tableOf(row));
    view.shown = null;
  } else if (isList(row)) {
    view.body.replaceChildren(pg.make(row.numbered ? "ol" : "ul", { class: "items", dir: wayOf(row.items) },
      ...row.items.map((item) => pg.make("li", { dir: "auto" }, item))));
    view.shown = null;
  } else {
    drawText(view, answer.trimStart()); // a completion often begins with the space behind its prompt
  }
};
