// A section, its editor and a candidate drawn. Runs inside the same function as write.js; text is always text.
const paragraphs = (text) => text.split(/\n\s*\n/).map((one) => pg.make("p", { dir: "auto" }, one));
const press = (name, key, more = {}) => pg.make("button", { type: "button", class: "quiet", name, ...more }, pg.t(key));
const labelled = (key, control) => pg.make("label", { class: "field" }, pg.make("span", { class: "field-label" }, pg.t(key)), control);
const grow = (area, most = 640) => {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, most)}px`;
};
const box = (name, text, rows, most) => {
  const made = pg.make("textarea", { name, rows, dir: "auto", maxlength: most });
  made.value = text;
  return made;
};
const line = (name, text, most, hint) => {
  const made = pg.make("input", { name, dir: "auto", maxlength: most, placeholder: hint });
  made.value = text;
  return made;
};

const drawSection = (section) => pg.make("article", { class: "write-section", "data-number": section.number },
  pg.make("header", {},
    section.heading ? pg.make("h4", { dir: "auto" }, section.heading) : pg.make("span", {}),
    pg.make("span", { class: "write-tools" }, press("edit", "write_edit"), press("remove", "write_remove"))),
  ...paragraphs(section.text));
const drawEditor = (section) => pg.make("form", { class: "write-section write-editor", "data-number": section.number },
  labelled("write_section_heading", line("heading", section.heading, props.heads.heading)),
  labelled("write_section_text", box("text", section.text, 8, props.most.section)),
  labelled("write_gist", line("gist", section.gist, props.most.gist, section.sentence)),
  pg.make("div", { class: "write-tools" },
    pg.make("button", { type: "submit", class: "quiet strong", name: "keep" }, pg.t("save")), press("discard", "discard")));

// A candidate is a text that can be edited at any time but while it is being written.
const finish = (card) => (card.own ? pg.t("write_own") : card.finish ? pg.ending(card.finish) : pg.t(card.text ? "writing" : "reading"));
const facts = (card) => [
  card.tokens ? pg.t("tokens", { count: pg.number(card.tokens) }) : "",
  card.speed ? pg.t("speed", { count: pg.number(card.speed) }) : "",
  finish(card),
  card.reason && !card.edited ? pg.say(card.reason) : "",
  card.path ? pg.t(card.path === "fast" ? "card_fast" : "card_exact", { weights: card.weights }) : "",
].filter(Boolean).join(" · ");
/** What stands in a candidate that has no text: why, once it has ended. */
const nothingIn = (card) => {
  if (card.own || card.edited) return pg.t("write_own_hint");
  if (!card.finish) return "";
  return pg.t(card.finish === "end" ? "empty_text" : "nothing_written");
};
const makeCard = (at) => {
  const area = pg.make("textarea", { class: "write-text", dir: "auto", rows: 6, maxlength: props.most.section, "aria-label": `${pg.t("write_section_text")} ${at + 1}` });
  const tools = pg.make("div", { class: "write-tools" },
    press("accept", "write_accept", { class: "halt" }), press("continue", "continue"), press("regenerate", "regenerate"));
  return pg.make("article", { class: "write-card", "data-card": at }, area, pg.make("div", { class: "write-facts" }, pg.make("span", {}), press("keep-seed", "seed")), tools);
};
const drawCard = (node, card, busy) => {
  const area = node.querySelector("textarea");
  const below = area.scrollTop + area.clientHeight >= area.scrollHeight - 24;
  if (area.value !== card.text) {
    area.value = card.text;
    grow(area, 420);
    if (below) area.scrollTop = area.scrollHeight;
  }
  area.placeholder = nothingIn(card);
  area.readOnly = busy && !card.finish;
  node.classList.toggle("writing", busy && !card.finish);
  node.querySelector(".write-facts span").textContent = facts(card);
  const own = node.querySelector("[name=keep-seed]");
  own.hidden = Boolean(card.own);
  own.textContent = pg.t("card_seed", { count: card.seed });
  own.title = pg.t("lock_this_seed", { count: card.seed });
  for (const button of node.querySelectorAll(".write-tools button")) button.disabled = busy || (button.name === "accept" && !card.text.trim());
  const again = node.querySelector("[name=regenerate]");
  again.hidden = Boolean(card.own);
  again.textContent = pg.t(seed() === -1 ? "regenerate" : "write_same_seed");
};
