// What the model expected where a token of a text stands that was only read. Everything is in the tokens already, so it
// hears of the token from the views of its scope and asks nobody.
const panel = find(".wf");
const held = rowsOf();
let at = 0;
let wantsFocus = false;

const tokens = () => held.rows.get(0)?.tokens ?? [];
const row = (token, share, most, own) => make("li", { class: own ? "wf-row wf-chosen" : "wf-row" },
  make("span", { class: "ex-name" }, nameOf(token), own ? make("em", {}, t("stands")) : null), bar(0, share, most),
  make("span", { class: "wf-numbers" }, percent(share)));
const sentence = (token) => {
  if (!known(token.logprob)) return t("nothing_before");
  return token.rank === 1 ? t("was_first") : t("would_rather", { text: alone(token.top[0]), p: percent(token.top[0].p) });
};
const chart = (token) => {
  const own = { ...token, p: modelChance(token) };
  const list = token.top.map((one) => (one.id === token.id ? { ...own, p: one.p } : one));
  if (!list.some((one) => one.id === token.id)) list.push(own);
  const most = Math.max(...list.map((one) => one.p));
  return make("ul", { class: "wf-chart", "aria-label": t("expected") }, ...list.map((one) => row(one, one.p, most, one.id === token.id)));
};
const facts = (token) => make("p", { class: "wf-facts" }, ...[
  [t("by_probability"), percent(modelChance(token))], [t("by_rank"), count(token.rank)],
  [t("by_surprise"), bits(surprise(token), 1)], [t("by_entropy"), bits(token.entropy, 1)],
].map(([name, figure]) => make("span", {}, `${name} `, make("b", {}, figure))));
const draw = () => {
  const token = tokens()[at];
  if (!token) return;
  speakAll();
  const title = t("title", { text: alone(token), n: at + 1 });
  find(".wf-title").textContent = title;
  panel.setAttribute("aria-label", title);
  find("[name=back]").disabled = at === 0;
  find("[name=on]").disabled = at >= tokens().length - 1;
  find(".ex-body").replaceChildren(make("p", { class: "wf-sentence" }, sentence(token)),
    ...(known(token.logprob) ? [facts(token), chart(token)] : []));
};
const open = () => {
  panel.hidden = false;
  draw();
  tellViews("panel", { open: true });
  pg?.tell?.("sheet", element);
  if (wantsFocus) find(".wf-title").focus({ preventScroll: true });
  wantsFocus = false;
};
const shut = () => {
  if (panel.hidden) return;
  const focus = panel.contains(document.activeElement);
  panel.hidden = true;
  tellViews("panel", { open: false });
  tellViews("closed", { run: held.run, row: 0, focus });
};
const walk = (step) => {
  at += step;
  tellViews("picked", { run: held.run, row: 0, position: at });
  draw();
};
panel.addEventListener("click", (event) => {
  const button = event.target.closest("button[name]");
  if (!button || button.disabled) return;
  if (button.name === "shut") shut();
  if (button.name === "back") walk(-1);
  if (button.name === "on") walk(1);
});
document.addEventListener("keydown", function escape(event) {
  if (!element.isConnected) document.removeEventListener("keydown", escape);
  else if (event.key === "Escape" && !panel.hidden && !event.defaultPrevented) {
    event.preventDefault();
    shut();
  }
});
hearViews((news) => {
  if (news.kind === "news" && held.merge(news.value).fresh) shut();
  if (news.kind !== "picked" || news.run !== held.run) return;
  at = news.position;
  wantsFocus = Boolean(news.focus);
  open();
});
onlySheet(shut);
const translate = () => { if (!panel.hidden) draw(); };
watch("language", translate);
pg?.on?.("language", translate, element);
speakAll();
