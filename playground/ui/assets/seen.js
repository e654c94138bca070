// What the model will see: the rendered prompt, and how much of the context window it takes.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);

const draw = () => {
  const seen = props.value || {};
  pg.apply(element);
  const warning = find(".seen-warning");
  warning.hidden = !seen.warning;
  warning.textContent = pg.say(seen.warning);
  find(".seen-count").textContent = seen.used === undefined ? "" : pg.t("count", {
    used: pg.number(seen.used), context: pg.number(seen.context),
  });
  find(".seen-count").classList.toggle("over", Boolean(seen.over));
  find(".seen-mode").textContent = seen.mode ? pg.t(`as_${seen.mode}`) : "";
  const text = find(".seen-text");
  if (seen.text === undefined) {
    text.textContent = seen.reason ? pg.say(seen.reason) : pg.t("seen_waits");
    return;
  }
  text.replaceChildren(seen.text);
  if (seen.cut) {
    text.replaceChildren(seen.text, pg.make("em", {}, pg.t("seen_cut", { count: pg.number(seen.cut) })), seen.tail);
  }
};
watch("value", () => { find(".seen").classList.remove("stale"); draw(); });
pg.on("counting", () => find(".seen").classList.add("stale"), "seen");
pg.on("language", draw, "seen");
draw();
