// What the model will see: the rendered prompt as text, or as the tokens that the element behind this one shows, and
// how much of the context window it takes; before it, what speaks against the model. Says `read` when the tokens are wanted; that asks the model once.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const details = find("details");
let asTokens = false;
let read = null; // the prompt whose tokens are shown

const prompt = () => {
  const { text, tail, used } = props.value || {};
  return text === undefined ? null : JSON.stringify([text, tail ?? "", used]);
};
const drawText = () => {
  const seen = props.value || {};
  const text = find(".seen-text");
  text.hidden = asTokens;
  if (seen.text === undefined) {
    text.textContent = seen.reason ? pg.sentence(seen.reason) : pg.t("seen_waits");
    return;
  }
  text.replaceChildren(...marked(seen.text, seen.controls));
  if (seen.cut) {
    text.append(pg.make("em", {}, pg.t("seen_cut", { count: pg.number(seen.cut) })), ...marked(seen.tail, seen.tail_controls));
  }
};
// A text with the control tokens that act in it; one that was typed, and is read as text, looks like any text.
const marked = (text, controls) => {
  const nodes = [];
  let last = 0;
  for (const [begins, ends] of controls ?? []) {
    nodes.push(text.slice(last, begins), pg.make("mark", { title: pg.t("seen_control") }, text.slice(begins, ends)));
    last = ends;
  }
  return [...nodes, text.slice(last)];
};
const drawNote = (seen) => {
  const note = find(".seen-note");
  const plain = seen.as_text?.length ? pg.t("seen_as_plain", { tokens: seen.as_text.join(" ") }) : "";
  const parts = [pg.say(seen.notice), plain].filter(Boolean);
  note.hidden = !parts.length;
  note.textContent = parts.join(" ");
};
const draw = () => {
  const seen = props.value || {};
  pg.apply(element);
  const warning = find(".seen-warning");
  warning.hidden = !seen.warning;
  warning.textContent = pg.sentence(seen.warning);
  find(".remark").hidden = !seen.remark;
  find(".remark-text").textContent = pg.sentence(seen.remark);
  find(".seen-count").textContent = seen.used === undefined ? "" : pg.t("count", {
    used: pg.number(seen.used), context: pg.number(seen.context),
  });
  find(".seen-count").classList.toggle("over", Boolean(seen.over));
  find(".seen-mode").textContent = seen.mode ? pg.t(`as_${seen.mode}`) : "";
  details.dataset.as = asTokens ? "tokens" : "text";
  find("[name=text]").setAttribute("aria-pressed", String(!asTokens));
  find("[name=tokens]").setAttribute("aria-pressed", String(asTokens));
  find(".seen-changed").hidden = !asTokens || read === prompt();
  drawNote(seen);
  drawText();
};
const ask = () => {
  read = prompt();
  draw();
  trigger("read");
};
element.addEventListener("click", (event) => {
  const pressed = event.target.closest("button");
  if (!pressed) return;
  asTokens = pressed.name !== "text";
  if (pressed.name === "again" || (asTokens && read === null)) ask();
  else draw();
});
watch("value", () => {
  find(".seen").classList.remove("stale");
  pg.tell("window", props.value || {});
  draw();
});
pg.on("counting", () => find(".seen").classList.add("stale"), "seen");
pg.on("language", draw, "seen");
draw();
