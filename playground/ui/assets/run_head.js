// The head of a run: what it was made of, so that nothing stands unnamed, and the way back to its settings. A run of another
// task than the one that is open folds under it. Runs inside the same function as cards.js.
const LONGEST_NAME = 40; // characters of a prompt or a field in it
let composed = {}; // what the form holds now
let lastKnobs = null;
let lastPreset = "";
let model = "";
let restoring = false; // the knobs of a run come back: what they did in it is asked for again once they have
let unfolded = null; // the run that is shown although the form is about something else

/** What a run is remembered by beside its request. */
const aboutNow = () => ({ at: Date.now(), model, knobs: lastKnobs, preset: lastPreset, kind: composed.kind, ...(composed.kind === "task" ? { task: composed.task?.id, title: composed.task?.title } : {}) });
const shortened = (text) => {
  const line = String(text ?? "").replace(/\s+/g, " ").trim();
  return line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME)}…` : line;
};
const subjectOf = ({ request, about }) => {
  const title = pg.say(about?.title);
  const first = request.task ? Object.values(request.fields ?? {}).find((value) => typeof value === "string" && value.trim()) : request.prompt;
  const name = shortened(first);
  return [title, name ? pg.t("quoted", { text: name }) : ""].filter(Boolean).join(pg.language === "zh" ? "" : " ");
};
const headWords = (run) => {
  const one = version(run.cards[0]);
  const count = run.cards.length;
  const time = run.about?.at ? new Date(run.about.at).toLocaleTimeString(pg.language === "zh" ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit" }) : "";
  return [pg.t("run_number", { n: runs.indexOf(run) + 1 }), subjectOf(run), run.about?.model, one.path ? pg.t(`path_${one.path}`) : "",
    pg.t("some_texts", { count }), time].filter(Boolean);
};
/** Whether the form is about the same as this run. */
const isOfForm = ({ request, example, about }) => {
  if (example || !composed.kind) return true;
  if (about?.kind && about.kind !== composed.kind) return false;
  return composed.kind === "task" ? (about?.task ?? request.task) === composed.task?.id : !request.task;
};
/** What knobs did in a run is not said beside a form that is about something else. */
const noteApart = (other) => {
  const ofCards = Boolean(looked && pg.cards?.holds(looked.run));
  const apart = Boolean(looked) && (ofCards ? other || composed.kind === "talk" : composed.kind !== "talk");
  document.getElementById("knobs")?.classList.toggle("apart", apart);
};
const drawHead = () => {
  const run = runs[at];
  const named = Boolean(run && !run.example);
  const other = named && !isOfForm(run) && unfolded !== run.id && !growing;
  find(".run-head").hidden = !named;
  find(".results").classList.toggle("other", other);
  find(".results-unchecked").hidden = !named || other;
  noteApart(other);
  if (!named) return;
  const parts = headWords(run);
  find(".run-name").replaceChildren(...parts.map((part) => pg.make("bdi", {}, part)));
  find("[name=restore]").hidden = !run.about?.knobs;
  find("[name=copy-all]").hidden = run.cards.length < 2 || other;
  const show = find("[name=unfold]");
  show.hidden = isOfForm(run) || Boolean(growing);
  show.textContent = pg.t(other ? "show_run" : "fold_run");
  show.setAttribute("aria-expanded", String(!other));
};
const restoreRun = () => {
  const run = runs[at];
  unfolded = null;
  restoring = true;
  pg.tell("restore", { request: run.request, task: run.about.task, knobs: run.about.knobs, preset: run.about.preset });
};
/** The form takes one line a part while there is something to read. */
const foldForm = () => document.getElementById("compose")?.classList.add("folded");
const hearHead = () => {
  pg.on("composed", (news) => {
    const other = news.kind !== composed.kind || news.task?.id !== composed.task?.id;
    composed = news;
    if (other) showExample();
    drawHead();
  }, "cards");
  pg.on("wishing", (now) => {
    if (now || !restoring) return;
    restoring = false;
    lookAgain();
  }, "cards");
  pg.on("knobs", (values) => { lastKnobs = values; }, "cards");
  pg.on("preset", (preset) => { lastPreset = preset; }, "cards");
  pg.on("server", (status) => { model = status.model?.title ?? ""; }, "cards");
};
