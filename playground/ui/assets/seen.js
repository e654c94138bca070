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
    text.textContent = seen.reason ? pg.say(seen.reason) : pg.t("seen_waits");
    return;
  }
  text.replaceChildren(seen.text);
  if (seen.cut) {
    text.replaceChildren(seen.text, pg.make("em", {}, pg.t("seen_cut", { count: pg.number(seen.cut) })), seen.tail);
  }
};
const draw = () => {
  const seen = props.value || {};
  pg.apply(element);
  const warning = find(".seen-warning");
  warning.hidden = !seen.warning;
  warning.textContent = pg.say(seen.warning);
  find(".remark").hidden = !seen.remark;
  find(".remark-text").textContent = pg.say(seen.remark);
  find(".seen-count").textContent = seen.used === undefined ? "" : pg.t("count", {
    used: pg.number(seen.used), context: pg.number(seen.context),
  });
  find(".seen-count").classList.toggle("over", Boolean(seen.over));
  find(".seen-mode").textContent = seen.mode ? pg.t(`as_${seen.mode}`) : "";
  details.dataset.as = asTokens ? "tokens" : "text";
  find("[name=text]").setAttribute("aria-pressed", String(!asTokens));
  find("[name=tokens]").setAttribute("aria-pressed", String(asTokens));
  find(".seen-changed").hidden = !asTokens || read === prompt();
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
