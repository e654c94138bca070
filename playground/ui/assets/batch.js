// A file of rows through one task. The server keeps the job; this browser keeps the key to it, and asks for its state
// with `follow` again and again while it runs. Results come back as text and become a file here.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const KEY = "playground-batch";
const PAGE = 50;
const [AGAIN, UNHEARD] = [500, 10_000]; // milliseconds
const PIECE = 393_216; // bytes of a file that go with one event; a multiple of 3, so that base64 needs no filling
const STATES = { waiting: "batch_is_waiting", done: "batch_is_done", failed: "batch_is_failed", refused: "batch_is_refused" };
const SAME = "\u0000same"; // no column is named so
let job = null;
let first = 1;
let wanted = {}; // by field: the column that fills it, or SAME
let fixed = {};
let tasks = props.tasks; // and a visitor's own behind them
let path = "";
let mine = []; // those, as user_tasks.js keeps them
let preview = null; // of the first row
let state = null; // of the job, as the server told it last
let asks = 0; // the timer of the next question about it
let question = 0;
let several = {}; // by field: the columns that may be meant, where there are more than one
let sending = null; // the file that was sent last, when, and what was said of how it is read: {file, at, reading}
let asked = null; // since when an answer about the chosen task is waited for, and whether columns are wanted of it

const named = (id) => tasks.find((one) => one.id === id);
const written = (yaml) => tasks.find((one) => yaml && one.yaml === yaml);
const taskNow = () => named(find("[name=task]").value) ?? named(props.first_task) ?? tasks[0];
const fail = (text) => {
  const place = find(".batch-error");
  place.hidden = !text;
  place.textContent = pg.sentence(text);
};
const option = (value, text, chosen) => pg.make("option", { value, dir: "auto", selected: value === chosen }, text);
const drawTasks = (wish = taskNow()) => drawTaskList(find("[name=task]"), tasks, (wish ?? taskNow()).id);
// The task that a job was run with stays on offer when this browser has changed or deleted it since.
const gather = () => {
  const known = job?.own && mine.some((one) => one.yaml === job.plan.own);
  const kept = job?.own && !known ? [{ key: "own:kept", yaml: job.plan.own, record: job.own }] : [];
  tasks = withMine(props.tasks, [...mine, ...kept]);
};
const chosen = () => ({ task: taskNow().id, own: taskNow().yaml ?? "", language: pg.language });
const same = (field) => {
  const known = field.choices?.[pg.language];
  const given = { name: "fixed", dir: "auto", "data-field": field.name, "aria-label": pg.say(field.label), maxlength: field.max_length };
  if (known) return pg.make("select", given, ...known.map((one) => option(one, one, fixed[field.name] ?? pg.say(field.default))));
  const input = pg.make("input", given);
  input.value = fixed[field.name] ?? "";
  return input;
};
const drawFields = () => {
  if (!job) return;
  find(".batch-fields").replaceChildren(...taskNow().fields.map((field) => {
    const column = wanted[field.name] ?? "";
    const choice = several[field.name];
    const unset = choice ? pg.t("batch_several", { columns: choice.map(bidi.isolate).join(" / ") }) : field.choices ? pg.t("batch_usual", { value: pg.say(field.default) }) : pg.t(field.required ? "batch_choose_column" : "batch_empty");
    const none = option("", unset, column);
    return pg.make("div", { class: "field" },
      pg.make("span", { class: "field-label" }, pg.make("bdi", {}, pg.say(field.label)), field.required ? null : pg.make("i", {}, pg.t("optional"))),
      pg.make("select", { name: "column", "data-field": field.name, "aria-label": `${pg.say(field.label)}: ${pg.t("batch_column")}` },
        none, option(SAME, pg.t("batch_same"), column), ...job.columns.map((one) => option(one, one, column))),
      column === SAME ? same(field) : null,
      column && column !== SAME ? pg.make("span", { class: "batch-cell", dir: "auto" }, job.first[column] || "—") : null);
  }));
};
const ask = (columns) => {
  if (!job) return;
  asked = { at: Date.now(), columns: columns || Boolean(asked?.columns) };
  trigger("about", { ...chosen(), key: job.key, at: asked.at });
};
const begin = () => {
  fail(null);
  wanted = {};
  fixed = {};
  several = {};
  drawFields();
  ask(true);
};
const wish = () => {
  const task = taskNow();
  const columns = task.fields.filter((one) => wanted[one.name] && wanted[one.name] !== SAME);
  const alike = task.fields.filter((one) => wanted[one.name] === SAME);
  const seed = find("[name=seed]").value;
  return {
    ...chosen(), key: job.key, first, n: Number(find("[name=n]").value) || 1,
    seed: seed === "" ? -1 : Number(seed), knobs: find("[name=knobs]").checked,
    mapping: Object.fromEntries(columns.map((one) => [one.name, wanted[one.name]])),
    fixed: Object.fromEntries(alike.map((one) => [one.name, fixed[one.name] ?? (one.choices ? pg.say(one.default) : "")])),
  };
};
// The job's state is asked for again as long as it runs, and some time after a question that nobody answered.
const follow = () => {
  clearTimeout(asks);
  asks = setTimeout(follow, UNHEARD);
  question += 1;
  trigger("follow", { key: job.key, first, number: question, seen: state?.first === first ? state.seen : null });
};
const go = (wanted) => {
  question += 1;
  trigger("go", { ...wanted, number: question });
};
const heard = () => {
  const told = props.status;
  if (!told) { // another file is open
    state = null;
    drawStatus();
    return;
  }
  if (told.key !== job?.key || told.first !== first) return; // of another file, or another page of it
  if (!told.same) state = told;
  clearTimeout(asks);
  if (state.running) asks = setTimeout(follow, AGAIN);
  drawStatus();
  drawRefused();
};
const time = (seconds) => (seconds < 100 ? pg.t("batch_seconds", { count: Math.ceil(seconds) }) : pg.t("batch_minutes", { count: Math.round(seconds / 60) }));
const words = (status) => [
  pg.t("batch_done", { done: pg.number(status.done + status.failed), all: pg.number(status.all - status.refused) }),
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
const drawRow = (row) => pg.make("tr", { class: row.state }, pg.make("td", {}, String(row.number)),
  pg.make("td", {}, inputOf(row.input)), pg.make("td", {}, pg.t(STATES[row.state])),
  pg.make("td", {}, row.reason ? pg.sentence(row.reason) : null, ...row.texts.map((one) => pg.make("div", { dir: "auto" }, pg.say(one))),
    row.remark ? pg.make("p", { class: "remark" }, pg.sentence(row.remark)) : null));
const NOTHING = { all: 0, done: 0, failed: 0, refused: 0, waiting: 0, running: false, rows: [] };
const drawStatus = () => {
  const status = state ?? NOTHING;
  const ended = status.done + status.failed;
  const begun = ended > 0 || status.running;
  const show = (name, shown) => { find(`[name=${name}]`).hidden = !shown; };
  show("pause", status.running);
  show("halt", status.running);
  show("resume", !status.running && begun && status.waiting > 0);
  show("retry", !status.running && status.failed > 0);
  show("csv", ended > 0);
  show("jsonl", ended > 0);
  find("[name=run]").disabled = status.running;
  find("[name=run]").textContent = pg.t(begun ? "batch_run_again" : "batch_run", { count: pg.number(status.all - status.refused) });
  find("[name=pause]").disabled = status.pausing;
  const bar = find(".batch-progress");
  bar.hidden = !begun;
  bar.setAttribute("aria-valuemax", status.all - status.refused);
  bar.setAttribute("aria-valuenow", ended);
  bar.firstElementChild.style.width = `${(100 * ended) / Math.max(1, status.all - status.refused)}%`;
  find(".batch-words").textContent = status.all ? words(status) : "";
  if (status.error) fail(status.error);
  const names = ["batch_row", "batch_input", "batch_state", "batch_text"].map((name) => pg.make("th", { scope: "col" }, pg.t(name)));
  find(".batch-rows").replaceChildren(...(status.rows.length ? [pg.make("table", {},
    pg.make("thead", {}, pg.make("tr", {}, ...names)), pg.make("tbody", {}, ...status.rows.map(drawRow)))] : []));
  find(".batch-pages").hidden = status.all <= PAGE;
  find(".batch-pages span").textContent = pg.t("batch_page", { from: first, to: Math.min(first + PAGE - 1, status.all), all: status.all });
  find("[name=earlier]").disabled = first === 1;
  find("[name=later]").disabled = first + PAGE > status.all;
};
const drawPreview = () => {
  const told = preview;
  const place = find(".batch-preview");
  place.hidden = !told;
  if (!told) return;
  place.replaceChildren(...[
    told.waits ? pg.make("p", {}, pg.sentence(told.waits)) : null,
    told.error ? pg.make("p", { class: "batch-error" }, pg.sentence(told.error)) : null,
    told.prompt ? pg.make("details", {}, pg.make("summary", {}, pg.t("seen")), pg.make("pre", { dir: "auto" }, told.prompt)) : null,
    ...(told.texts ?? []).map((one) => pg.make("p", { class: "batch-text", dir: "auto" }, pg.say(one) || pg.t("writing"))),
  ].filter(Boolean));
};
const drawRemark = () => {
  const remark = props.about?.remark;
  find(".batch-job > .remark").hidden = !remark;
  find(".remark-text").textContent = pg.sentence(remark);
};
/** What has to be said of a file before it can be read: it is sent again with each answer. */
const drawChoices = () => {
  const { option, choices } = props.job?.ask ?? {};
  find(".batch-choices").hidden = !option;
  find(".batch-choices").replaceChildren(...(choices ?? []).map((one) =>
    pg.make("button", { type: "button", class: "halt", name: "choose", "data-option": option, value: one.value }, pg.say(one.label))));
};
const drawRefused = () => {
  const { refused = [] } = job ?? {};
  const more = (state?.refused ?? refused.length) - refused.length;
  find(".batch-refused").hidden = !refused.length;
  find(".batch-refused").replaceChildren(pg.make("p", {}, pg.t("batch_refused_rows")), pg.make("ul", {},
    ...refused.map((one) => pg.make("li", {}, `${pg.t("batch_row")} ${one.number}: ${pg.sentence(one.reason)}`)),
    more > 0 ? pg.make("li", {}, pg.t("batch_refused_more", { count: pg.number(more) })) : null));
};
const drawJob = () => {
  const told = props.job;
  drawChoices();
  if (told?.error) {
    if (told.known) fail(told.error);
    if (!told.known) pg.store(KEY, "");
    return;
  }
  if (!told) return;
  fail(null);
  job = told;
  first = 1;
  sending = null;
  preview = null;
  drawPreview();
  pg.store(KEY, job.key);
  drawRefused();
  find(".batch-job").hidden = false;
  const plan = job.plan;
  gather();
  drawTasks(plan.own ? written(plan.own) : named(plan.task));
  if (plan.task) {
    wanted = { ...Object.fromEntries(Object.keys(plan.fixed).map((name) => [name, SAME])), ...plan.mapping };
    fixed = { ...plan.fixed };
    find("[name=n]").value = plan.values.n ?? 1;
    drawFields();
    ask(false);
  } else begin();
  follow();
};
const drawPath = () => { find(".batch-path").textContent = path ? pg.t(`batch_on_${path}`) : ""; };
const draw = () => {
  pg.apply(element);
  find(".batch-limits").textContent = pg.t("batch_limits", { rows: pg.number(props.most.rows), size: pg.bytes(props.most.bytes) });
  find("[name=n]").max = props.most.candidates;
  drawTasks();
  drawFields();
  drawStatus();
  drawPreview();
  drawRemark();
  drawPath();
  drawChoices();
  drawRefused();
};
const send = (file, reading = {}) => {
  fail(null);
  if (file.size > props.most.bytes) {
    fail(pg.t("batch_too_large", { size: pg.bytes(file.size), most: pg.bytes(props.most.bytes) }));
    return;
  }
  sending = { file, reading, at: Date.now() };
  sendPiece(0);
};
const sendPiece = (from) => {
  const { file, reading, at } = sending;
  const read = new FileReader();
  read.onload = () => {
    const [, data = ""] = read.result.split(",");
    if (sending?.at === at) trigger("piece", { ...reading, at, name: file.name, size: file.size, from, data });
  };
  read.onerror = () => fail(pg.t("batch_unreadable"));
  read.readAsDataURL(file.slice(from, from + PIECE));
};
const turn = (by) => {
  first = Math.max(1, first + by);
  follow();
};

element.addEventListener("change", (event) => {
  const { name, dataset, value, files } = event.target;
  if (event.target.type === "file" && files.length) { send(files[0]); event.target.value = ""; }
  if (name === "task") begin();
  if (name === "column") wanted = { ...wanted, [dataset.field]: value };
  if (name === "fixed") fixed = { ...fixed, [dataset.field]: value };
  if (name === "column") drawFields();
});
element.addEventListener("dragover", (event) => event.preventDefault());
element.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.name === "choose" && sending) send(sending.file, { ...sending.reading, [button.dataset.option]: button.value });
  if (!button || !job) return;
  fail(null);
  switch (button.name) {
    case "run": button.disabled = true; go(wish()); break;
    case "first": trigger("look", wish()); break;
    case "resume": go({ key: job.key, first, resume: true }); break;
    case "retry": go({ key: job.key, first, retry: true }); break;
    case "pause": trigger("pause", { key: job.key }); break;
    case "halt": trigger("halt", { key: job.key }); break;
    case "csv": case "jsonl": trigger("save", { key: job.key, kind: button.name, language: pg.language, at: Date.now() }); break;
    case "earlier": turn(-PAGE); break;
    case "later": turn(PAGE); break;
  }
});
watch("taken", () => {
  const { at, from } = props.taken ?? {};
  if (sending && at === sending.at) sendPiece(from + PIECE);
});
watch("job", drawJob);
watch("about", () => {
  const { at, guess, several: more, error } = props.about ?? {};
  if (!asked || at !== asked.at) return;
  const { columns } = asked;
  asked = null;
  if (error) fail(error);
  drawRemark();
  if (!columns) return;
  wanted = { ...guess, ...wanted };
  several = more ?? {};
  drawFields();
});
watch("status", heard);
pg.listen("batch-preview", (told) => {
  preview = told;
  drawPreview();
});
watch("file", () => {
  if (!props.file) return;
  const url = URL.createObjectURL(new Blob([props.file.text], { type: "text/plain;charset=utf-8" }));
  pg.make("a", { href: url, download: props.file.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
});
pg.on("refused", (sentence) => {
  if (!job) return;
  fail(sentence);
  drawStatus();
}, "batch");
pg.on("connection", ({ again }) => { if (again) fail(null); }, "batch"); // what was asked meanwhile is asked again
pg.on("user_tasks", (list) => {
  const before = taskNow();
  mine = list;
  gather();
  drawTasks(named(before.id) ?? written(before.yaml));
  if (taskNow().yaml === before.yaml) return;
  drawFields();
  ask(true);
}, "batch");
pg.on("path", (chosen) => { path = chosen; drawPath(); }, "batch");
pg.on("server", (status) => { if (status.model) ask(false); }, "batch"); // only then is there a model to speak of
pg.on("language", () => { draw(); ask(false); }, "batch");
draw();
if (pg.stored(KEY)) trigger("opened", { key: pg.stored(KEY) });
