// How one token came about: the model's candidates, what each stage of the chain did to them, the draw. Says `pick`
// (walking on), `branch` {run, row, position, token_id}, `ask` {run, row, position, text} and `close`. With the prop
// `ahead` it is about the next token before any run.
const panel = find(".wf");
const SHOWN = 10;
let value = null;
let wantsFocus = false;
let opener = null; // where the focus was, for a panel that was opened from elsewhere

const where = () => ({ run: value.run, row: value.row, position: value.position });
const isChosen = (token) => value.token && value.token.id !== null && token.id === value.token.id;
const chartRow = (chance, most) => {
  const removed = chance.after === 0 && chance.before > 0;
  const numbers = chance.before === null || percent(chance.before) === percent(chance.after) ? percent(chance.after)
    : removed ? percent(chance.before) : `${percent(chance.before)} → ${percent(chance.after)}`;
  const names = ["wf-row", isChosen(chance) ? "wf-chosen" : "", removed ? "wf-removed" : ""].filter(Boolean).join(" ");
  return make("li", { class: names }, nameOf(chance), bar(chance.before, chance.after, most),
    make("span", { class: "wf-numbers" }, numbers, removed ? make("em", {}, t("removed")) : null,
      isChosen(chance) ? make("span", { class: "wf-voice" }, ` (${t("chosen")})`) : null));
};
const chart = (chances, label) => {
  const most = Math.max(...chances.map((chance) => Math.max(chance.before ?? 0, chance.after)), 0);
  const list = make("ul", { class: "wf-chart", "aria-label": label }, ...chances.slice(0, SHOWN).map((one) => chartRow(one, most)));
  if (chances.length <= SHOWN) return [list];
  const more = make("button", { type: "button", class: "wf-more" }, t("more", { n: chances.length - SHOWN }));
  more.addEventListener("click", () => {
    list.append(...chances.slice(SHOWN).map((one) => chartRow(one, most)));
    more.remove();
  });
  return [list, more];
};
const facts = (...pairs) => make("p", { class: "wf-facts" }, ...pairs.filter(Boolean).map(([name, figure]) =>
  make("span", {}, `${name} `, make("b", {}, figure))));
const change = (before, after, show) => (show(before) === show(after) ? show(after) : `${show(before)} → ${show(after)}`);

const modelStage = () => make("li", { class: "wf-stage wf-model" },
  make("h4", {}, t("model")),
  facts([t("alive"), count(value.alive)], [t("entropy"), bits(value.entropy)]),
  make("p", { class: "wf-sentence" }, t("model_says", { n: count(value.alive) })),
  ...chart(value.model.map((one) => ({ ...one, before: null, after: one.p })), t("model")));
const stageOf = (stage, number) => {
  const settings = Object.entries(stage.settings ?? {}).map(([name, setting]) => `${name} = ${JSON.stringify(setting)}`).join("  ");
  const label = say(stage.label) || stage.stage;
  const idle = stage.alive[0] === stage.alive[1] && !stage.mass && stage.top.every((one) => Math.abs(one.before - one.after) < 1e-6);
  return make("li", { class: idle ? "wf-stage wf-idle" : "wf-stage" },
    make("h4", {}, make("span", { class: "wf-number" }, String(number + 1)), label,
      label === stage.stage ? null : make("code", {}, stage.stage)),
    facts([t("alive"), change(...stage.alive, count)], stage.mass ? [t("mass"), percent(stage.mass)] : null,
      [t("entropy"), change(...stage.entropy, (entropy) => fixed(entropy, 2)) + ` ${t("bits_unit")}`]),
    make("p", { class: "wf-sentence" }, sentenceOf(stage.sentence)),
    stage.formula || settings ? make("p", { class: "wf-formula" }, stage.formula ?? "",
      settings ? make("span", {}, settings) : null, stage.filled ? make("span", { class: "wf-filled" }, sentenceOf(stage.filled)) : null) : null,
    ...(idle ? [make("p", { class: "wf-nothing" }, t("idle"))] : chart(stage.top, label)));
};
const drawDraw = () => {
  const box = find(".wf-draw");
  const draw = value.draw;
  box.hidden = !draw && !value.kept_best && !value.note;
  box.replaceChildren(make("h4", {}, t("draw")));
  if (value.kept_best) box.append(make("p", { class: "wf-sentence" }, t("kept_best")));
  if (value.note) box.append(make("p", { class: "wf-sentence" }, sentenceOf(value.note)));
  if (!draw) return;
  box.append(make("p", { class: "wf-sentence" }, sentenceOf(draw.sentence)));
  const pair = (name, ...figure) => [make("div", {}, make("dt", {}, name), make("dd", {}, ...figure))];
  const second = draw.runner_up;
  box.append(make("dl", {}, ...pair(t("chosen_token"), nameOf(draw.token)), ...pair(t("probability"), percent(draw.probability)),
    ...pair(t("rank"), count(draw.rank)), ...(known(draw.race) ? pair(t("race"), draw.race.toPrecision(3)) : []),
    ...(second ? [...pair(t("runner_up"), nameOf(second.token), ` ${percent(second.probability)}`),
      ...pair(t("lead"), t("nats", { n: fixed(second.lead, 2) }))] : [])));
};
// Without a draw only the best can come, however likely another was.
const survived = () => t(value.draw && !known(value.draw.race) ? "not_best" : "survived");
const fateOf = (outcome) => {
  const chosen = isChosen(outcome);
  const name = alone(outcome);
  const deed = props.ahead ? "begin" : "branch";
  const action = chosen && !outcome.begins ? make("span", { class: "wf-is" }, nameOf(outcome), make("em", {}, t("chosen")))
    : value.branch === false || outcome.begins === false ? nameOf(outcome)
    : make("button", { type: "button", name: "branch", "data-id": outcome.id, title: t(deed, { text: name }),
      "aria-label": t(deed, { text: spoken(outcome) }) }, nameOf(outcome), make("span", { class: "wf-arrow", "aria-hidden": "true" }, "⤷"));
  const reason = outcome.reason ? sentenceOf(outcome.reason) : chosen && outcome.begins ? t("chosen") : known(outcome.p_after) && !chosen ? survived() : "";
  const names = [chosen ? "wf-chosen" : "", outcome.id === value.asked ? "wf-asked" : "", outcome.reason ? "wf-removed" : ""];
  return make("tr", { class: names.filter(Boolean).join(" ") || null }, make("td", {}, action), make("td", {}, count(outcome.rank)),
    make("td", {}, percent(outcome.p_model)), make("td", {}, outcome.reason ? "–" : percent(outcome.p_after)), make("td", {}, reason));
};
const drawFates = () => {
  const heads = [props.ahead ? "begin_head" : "token_head", "rank", "p_model", "p_after", "what_became"].map((key) => make("th", { scope: "col" }, t(key)));
  const outcomes = [...value.outcomes].sort((one, two) => (two.id === value.asked) - (one.id === value.asked));
  find(".wf-list").replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...outcomes.map(fateOf))));
  const note = find(".wf-note");
  const forbidden = value.forbidden ?? [];
  note.hidden = !forbidden.length && !value.branch_reason;
  note.textContent = [sentenceOf(value.branch_reason), forbidden.length ? t("forbidden", { list: forbidden.map(alone).join(" ") }) : ""].filter(Boolean).join(" ");
};
// model → stage → … → draw, each a jump to its part.
const drawPath = () => {
  const stages = [...find(".wf-stages").children];
  const parts = [[t("model"), stages[0]], ...value.stages.map((stage, at) => [say(stage.label) || stage.stage, stages[at + 1]]),
    ...(value.draw || value.note ? [[t("draw"), find(".wf-draw")]] : []), [t("alternatives"), find(".wf-outcomes")]];
  find(".wf-path").replaceChildren(...parts.map(([name, part]) => {
    const button = make("button", { type: "button" }, name);
    button.addEventListener("click", () => part.scrollIntoView({ block: "start" }));
    return make("li", {}, button);
  }));
};
const drawStale = () => { find(".wf-stale").hidden = !props.stale || !value?.stages; };
const draw = () => {
  speakAll();
  drawStale();
  const walks = value?.token && !props.ahead;
  const title = walks ? t("title", { text: alone(value.token), n: value.position + 1 }) : t("title_next");
  find(".wf-title").textContent = title;
  panel.setAttribute("aria-label", title);
  find("[name=back]").hidden = find("[name=on]").hidden = !walks;
  find(".wf-body").hidden = !value?.stages;
  find(".wf-error").hidden = !value?.error;
  if (!value) return;
  find("[name=back]").disabled = value.position === 0;
  find("[name=on]").disabled = known(value.length) && value.position >= value.length - 1;
  const ask = find("[name=ask]");
  ask.placeholder = t("ask_hint");
  ask.setAttribute("aria-label", t("ask_label"));
  find(".wf-error").textContent = sentenceOf(value.error);
  if (!value.stages) return;
  find(".wf-stages").replaceChildren(modelStage(), ...value.stages.map(stageOf));
  drawDraw();
  drawFates();
  drawPath();
};
const open = ({ waits = false } = {}) => {
  if (panel.hidden && !opener) opener = document.activeElement;
  const at = panel.hidden ? 0 : panel.scrollTop;
  panel.hidden = false;
  find(".wf-wait").hidden = !waits;
  draw();
  panel.scrollTop = at;
  panel.toggleAttribute("aria-busy", waits);
  tellViews("panel", { open: true });
  pg?.tell?.("sheet", element);
  if (wantsFocus) find(".wf-title").focus({ preventScroll: true });
  wantsFocus = false;
};
const close = ({ silent = false } = {}) => {
  if (panel.hidden) return;
  const focus = panel.contains(document.activeElement);
  panel.hidden = true;
  tellViews("panel", { open: false });
  if (!silent) trigger("close");
  if (focus && opener?.isConnected && (props.ahead || !value?.token)) opener.focus({ preventScroll: true });
  opener = null;
  if (value) tellViews("closed", { run: value.run, row: value.row, focus });
};
const walk = (step) => {
  const next = { ...where(), position: value.position + step };
  if (next.position < 0) return;
  panel.setAttribute("aria-busy", "true");
  tellViews("picked", next);
  trigger("pick", next);
};
const receive = () => {
  if (!props.value || !("position" in props.value)) {
    close({ silent: true });
    value = null;
    return;
  }
  if (props.value.live && panel.hidden) return; // the knobs go on moving behind a closed panel
  value = props.value;
  open();
};
panel.addEventListener("click", (event) => {
  const button = event.target.closest("button[name]");
  if (!button || button.disabled) return;
  if (button.name === "close") close();
  if (button.name === "back") walk(-1);
  if (button.name === "on") walk(1);
  if (button.name === "again") pg.tell("look", { focus: true });
  if (button.name === "branch") {
    trigger("branch", { ...where(), token_id: Number(button.dataset.id) });
    if (props.ahead) close({ silent: true }); // what is written now stands below; the server knows
  }
});
find(".wf-ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = find("[name=ask]").value;
  if (asked !== "") trigger("ask", { ...where(), text: asked });
});
document.addEventListener("keydown", function escape(event) {
  if (!element.isConnected) document.removeEventListener("keydown", escape);
  else if (event.key === "Escape" && !panel.hidden && !event.defaultPrevented) {
    event.preventDefault();
    close();
  }
});
onlySheet(() => close());
if (props.ahead) {
  pg?.on?.("look", ({ focus }) => {
    wantsFocus = focus;
    open({ waits: true });
  }, element);
}
hearViews((news) => {
  if (news.kind !== "picked") return;
  wantsFocus = Boolean(news.focus);
  if (!panel.hidden) panel.setAttribute("aria-busy", "true");
});
const translate = () => { if (!panel.hidden) draw(); };
watch("value", receive);
watch("stale", drawStale);
watch("language", translate);
pg?.on?.("language", translate, element);
speakAll();
receive();
