// What the tab Batch says of a job, of its rows and of the first row's texts, drawn. Runs inside the same function as
// batch.js; text is always text.
const STATES = { waiting: "batch_is_waiting", done: "batch_is_done", failed: "batch_is_failed", refused: "batch_is_refused" };
const NOTHING = { all: 0, done: 0, failed: 0, refused: 0, waiting: 0, planned: false, running: false, rows: [] };
const option = (value, text, chosen) => pg.make("option", { value, dir: "auto", selected: value === chosen }, text);
const usable = (status) => status.all - status.refused;
/** Where a job stands: new, running, paused (rows are left, and nothing runs) or ended. */
const stageOf = (status) => (status.running ? "running" : !status.planned ? "new" : status.waiting > 0 ? "paused" : "ended");
const time = (seconds) => (seconds < 100 ? pg.t("batch_seconds", { count: Math.ceil(seconds) }) : pg.t("batch_minutes", { count: Math.round(seconds / 60) }));
const standing = (status) => {
  const all = usable(status);
  const stage = stageOf(status);
  if (stage === "new") return all ? pg.t("batch_rows", { count: pg.number(all) }) : pg.t("batch_none");
  return pg.t(`batch_${stage}`, { done: pg.number(status.done + status.failed), all: pg.number(all) });
};
const wordsOf = (status) => [
  standing(status),
  status.failed ? pg.t("batch_failed", { count: pg.number(status.failed) }) : "",
  status.refused ? pg.t("batch_refused", { count: pg.number(status.refused), all: pg.number(status.all) }) : "",
  pg.sentence(status.strayed),
  status.running && status.left !== null ? pg.t("batch_left", { time: time(status.left) }) : "",
  status.running && status.speed ? pg.t("speed", { count: pg.number(status.speed, 1) }) : "",
  status.pausing ? pg.t("batch_pausing") : "",
].filter(Boolean).join(" · ");
/** The cells of a row in one line, each for itself. */
const inputOf = (cells) => pg.make("div", { class: "batch-input", dir: bidi.direction(cells.join(" ")) || null },
  ...cells.flatMap((cell, at) => (at ? [" · ", pg.make("bdi", {}, cell)] : [pg.make("bdi", {}, cell)])));
const drawRow = (row, stage) => pg.make("tr", { class: row.state }, pg.make("td", {}, String(row.number)),
  pg.make("td", {}, inputOf(row.input)),
  pg.make("td", {}, pg.t(row.state === "waiting" && stage === "new" ? "batch_is_new" : STATES[row.state])),
  pg.make("td", {}, row.reason ? pg.sentence(row.reason) : null, ...row.texts.map((one) => pg.make("div", { dir: "auto" }, pg.say(one))),
    row.remark ? pg.make("p", { class: "remark" }, pg.sentence(row.remark)) : null));
const drawRows = (status) => {
  const names = ["batch_row", "batch_input", "batch_state", "batch_text"].map((name) => pg.make("th", { scope: "col" }, pg.t(name)));
  find(".batch-rows").replaceChildren(...(status.rows.length ? [pg.make("table", {},
    pg.make("thead", {}, pg.make("tr", {}, ...names)),
    pg.make("tbody", {}, ...status.rows.map((row) => drawRow(row, stageOf(status)))))] : []));
  find(".batch-pages").hidden = status.all <= PAGE;
  find(".batch-pages span").textContent = pg.t("batch_page", { from: first, to: Math.min(first + PAGE - 1, status.all), all: status.all });
  find("[name=earlier]").disabled = first === 1;
  find("[name=later]").disabled = first + PAGE > status.all;
};
const drawBar = (status, stage) => {
  const ended = status.done + status.failed;
  const bar = find(".batch-progress");
  bar.hidden = stage === "new";
  bar.setAttribute("aria-valuemax", usable(status));
  bar.setAttribute("aria-valuenow", ended);
  bar.firstElementChild.style.width = `${(100 * ended) / Math.max(1, usable(status))}%`;
  find(".batch-words").textContent = status.all ? wordsOf(status) : "";
};
/** The green button is what one wants next: run a new job, go on with a paused one. It never replaces results. */
const drawButtons = (status, stage) => {
  const show = (name, shown) => { find(`[name=${name}]`).hidden = !shown; };
  show("pause", stage === "running");
  show("halt", stage === "running");
  show("resume", stage === "paused");
  show("retry", !status.running && status.failed > 0);
  show("csv", status.done + status.failed > 0);
  show("jsonl", status.done + status.failed > 0);
  show("run", stage !== "running");
  const run = find("[name=run]");
  run.className = stage === "new" ? "go" : "halt";
  run.disabled = !usable(status);
  run.textContent = stage === "new" ? pg.t("batch_run", { count: pg.number(usable(status)) }) : pg.t("batch_run_again");
  find("[name=first]").disabled = !usable(status);
  find("[name=pause]").disabled = Boolean(status.pausing);
};
const drawPreview = () => {
  const told = preview;
  const place = find(".batch-preview");
  place.hidden = !told;
  if (!told) return;
  place.classList.toggle("older", Boolean(told.older));
  place.replaceChildren(...[
    told.waits ? pg.make("p", {}, pg.sentence(told.waits)) : null,
    told.error ? pg.make("p", { class: "batch-error" }, pg.sentence(told.error)) : null,
    told.prompt ? pg.make("details", {}, pg.make("summary", {}, pg.t("seen")), pg.make("pre", { dir: "auto" }, told.prompt)) : null,
    ...(told.texts ?? []).map((one) => pg.make("p", { class: "batch-text", dir: "auto" }, pg.say(one) || pg.t("writing"))),
  ].filter(Boolean));
};
const drawRefused = () => {
  const { refused = [] } = job ?? {};
  const more = (state?.refused ?? refused.length) - refused.length;
  find(".batch-refused").hidden = !refused.length;
  find(".batch-refused").replaceChildren(pg.make("p", {}, pg.t("batch_refused_rows")), pg.make("ul", {},
    ...refused.map((one) => pg.make("li", {}, `${pg.t("batch_row")} ${one.number}: ${pg.sentence(one.reason)}`)),
    more > 0 ? pg.make("li", {}, pg.t("batch_refused_more", { count: pg.number(more) })) : null));
};
/** The name of the file that is spoken of: of the one that was sent last, or of the job that stands below. */
const drawFile = () => {
  const name = sending ? sending.file.name : fileName;
  const parts = sending || !job ? [] : [job.columns.length ? pg.t("batch_columns", { names: job.columns.map(bidi.isolate).join(", ") }) : ""];
  find(".batch-file").hidden = !sending && !job;
  find(".batch-file b").textContent = name || pg.t("batch_unnamed");
  find(".batch-file span").textContent = sending?.busy ? pg.t("batch_sending", { name }) : parts.filter(Boolean).join(" · ");
  find(".batch-file b").hidden = Boolean(sending?.busy);
  find(".batch-job").hidden = !job || aside;
  find("[name=last-file]").hidden = !job || !aside || Boolean(sending?.busy);
  find("[name=last-file]").textContent = pg.t("batch_back", { name: fileName || pg.t("batch_unnamed") });
};
/** A question before results go away; what answers it stands where it came from. */
const drawDoubt = () => {
  const box = find(".batch-sure");
  box.hidden = !doubt;
  if (!doubt) return;
  find(doubt.place).after(box);
  box.querySelector("p").textContent = pg.t(doubt.says, doubt.values());
  box.querySelector("[name=sure]").textContent = pg.t(doubt.does);
};
