// A file of rows through one task. The server keeps the job; this browser keeps the key to it, and asks for its state
// with `follow` again and again while it runs. Results come back as text and become a file here.
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const PAGE = 50;
const [AGAIN, UNHEARD] = [500, 10_000]; // milliseconds
const PIECE = 393_216; // bytes of a file that go with one event; a multiple of 3, so that base64 needs no filling
const KEPT_TASK = "own:kept"; // a task that only the job has yet
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
let sending = null; // the file that was sent and is no job yet: {file, at, reading, busy}
let fileName = ""; // of the job's file
let aside = false; // the job is not shown while another file is spoken of
let doubt = null; // what is asked before results go away: {place, says, values, does, act}
let saved = null; // the state of the job that was downloaded last
let asked = null; // since when an answer about the chosen task is waited for, and whether columns are wanted of it

const named = (id) => tasks.find((one) => one.id === id);
const written = (yaml) => tasks.find((one) => yaml && one.yaml === yaml);
const taskNow = () => named(find("[name=task]").value) ?? named(props.first_task) ?? tasks[0];
const fail = (text) => {
  const place = find(".batch-error");
  place.hidden = !text;
  place.textContent = pg.sentence(text);
};
const drawTasks = (wish = taskNow()) => drawTaskList(find("[name=task]"), tasks, (wish ?? taskNow()).id);
// The task that a job was run with stays on offer when this browser has changed or deleted it since.
const gather = () => {
  const known = job?.own && mine.some((one) => one.yaml === job.plan.own);
  const kept = job?.own && !known ? [{ key: KEPT_TASK, yaml: job.plan.own, record: job.own }] : [];
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
/** What was said of the form before it was changed: errors go, the first row's texts turn pale. */
const formChanged = () => {
  fail(null);
  preview = preview?.error ? null : preview && { ...preview, older: true };
  drawPreview();
  keepForm();
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
  const [n, seed] = ["n", "seed"].map((name) => find(`[name=${name}]`).value.trim());
  const whole = (text) => (/^-?\d+$/.test(text) ? Number(text) : text); // what is none is refused by name
  return {
    ...chosen(), key: job.key, first, n: whole(n), seed: seed === "" ? -1 : whole(seed), knobs: find("[name=knobs]").checked,
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
  if (preview?.error) preview = null;
  drawPreview();
  trigger("go", { ...wanted, number: question });
};
const settle = () => {
  doubt = null;
  drawDoubt();
};
const wonder = (asked) => {
  doubt = asked;
  drawDoubt();
  find("[name=unsure]").focus();
};
const ended = () => (state ? state.done + state.failed : 0);
const doubtAnew = () => wonder({
  place: ".batch-bar", says: "batch_sure_anew", does: "batch_do_anew", values: () => ({ count: pg.number(ended()) }),
  act: () => go({ ...wish(), anew: true }),
});
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
  if (state.running && doubt?.says === "batch_sure_anew") settle();
  drawStatus();
  if (told.asks) doubtAnew();
  drawRefused();
};
const drawStatus = () => {
  const status = state ?? NOTHING;
  const stage = stageOf(status);
  drawButtons(status, stage);
  if (!state) find("[name=run]").hidden = true; // until it is known how many rows there are
  drawBar(status, stage);
  if (status.error) fail(status.error);
  drawRows(status);
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
const drawJob = () => {
  const told = props.job;
  drawChoices();
  if (sending) sending = { ...sending, busy: false };
  if (told?.error) {
    if (told.known) fail(told.error);
    else forget();
    drawFile();
    return;
  }
  if (!told) return;
  fail(null);
  job = told;
  first = 1;
  preview = null;
  drawPreview();
  settle();
  gather();
  const form = keptForm(job);
  fileName = sending?.file.name ?? form?.name ?? "";
  sending = null;
  aside = false;
  drawFile();
  keep(KEY, job.key);
  drawRefused();
  drawTasks(form?.own ? written(form.own) : named(form?.task));
  if (form) {
    ({ wanted, fixed } = form);
    for (const name of ["n", "seed"]) if (name in form) find(`[name=${name}]`).value = form[name];
    find("[name=knobs]").checked = Boolean(form.knobs);
    drawFields();
    ask(false);
  } else begin();
  keepForm();
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
  drawFile();
  drawDoubt();
};
const send = (file, reading = {}) => {
  fail(null);
  const large = file.size > props.most.bytes;
  sending = { file, reading, at: Date.now(), busy: !large };
  aside = Boolean(job);
  if (large) fail(pg.t("batch_too_large", { size: pg.bytes(file.size), most: pg.bytes(props.most.bytes) }));
  else sendPiece(0);
  drawFile();
};
/** Takes a file, once it is clear that no results are lost by it. */
const take = (file) => {
  const goes = () => {
    if (state?.running) trigger("halt", { key: job.key });
    send(file);
  };
  if (!job || !(state?.running || (ended() && saved !== state.seen))) { goes(); return; }
  wonder({
    place: ".batch-drop", says: state.running ? "batch_sure_running" : "batch_sure_file", does: "batch_do_file", act: goes,
    values: () => ({ name: fileName || pg.t("batch_unnamed"), count: pg.number(ended()) }),
  });
};
const takeExample = () => {
  drawTasks(named(props.first_task));
  take(new File([pg.t("batch_example_rows")], pg.t("batch_example_file"), { type: "text/csv" }));
};
const goBack = () => {
  [sending, aside] = [null, false];
  find(".batch-choices").hidden = true;
  fail(null);
  drawFile();
};
const sendPiece = (from) => {
  const { file, reading, at } = sending;
  const read = new FileReader();
  read.onload = () => {
    const [, data = ""] = read.result.split(",");
    if (sending?.at === at) trigger("piece", { ...reading, at, name: file.name, size: file.size, from, data });
  };
  read.onerror = () => {
    sending = { ...sending, busy: false };
    fail(pg.t("batch_unreadable"));
    drawFile();
  };
  read.readAsDataURL(file.slice(from, from + PIECE));
};
const turn = (by) => {
  first = Math.max(1, first + by);
  follow();
};

element.addEventListener("change", (event) => {
  const { name, dataset, value, files } = event.target;
  if (event.target.type === "file" && files.length) { take(files[0]); event.target.value = ""; }
  if (name === "task") begin();
  if (name === "column") wanted = { ...wanted, [dataset.field]: value };
  if (name === "fixed") fixed = { ...fixed, [dataset.field]: value };
  if (name === "column") drawFields();
  if (event.target.type !== "file") formChanged();
});
element.addEventListener("input", (event) => { if (["n", "seed", "fixed"].includes(event.target.name)) formChanged(); });
element.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !doubt) return;
  event.preventDefault();
  settle();
});
element.addEventListener("dragover", (event) => event.preventDefault());
element.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.name === "choose" && sending) send(sending.file, { ...sending.reading, [button.dataset.option]: button.value });
  if (button?.name === "sample") takeExample();
  if (button?.name === "last-file") goBack();
  if (button?.name === "unsure") settle();
  if (button?.name === "sure") {
    const { act } = doubt;
    settle();
    act();
  }
  if (!button || !job || aside) return;
  fail(null);
  switch (button.name) {
    case "run": if (stageOf(state) === "new") { button.disabled = true; go(wish()); } else doubtAnew(); break;
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
  keepForm();
});
watch("status", heard);
pg.listen("batch-preview", (told) => {
  preview = told;
  drawPreview();
});
watch("file", () => {
  if (!props.file) return;
  saved = state?.seen ?? null;
  const url = URL.createObjectURL(new Blob([props.file.text], { type: "text/plain;charset=utf-8" }));
  pg.make("a", { href: url, download: props.file.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
});
pg.on("refused", (sentence) => {
  if (!job && !sending) return;
  if (sending) sending = { ...sending, busy: false };
  fail(sentence);
  drawFile();
  drawStatus();
}, "batch");
pg.on("connection", ({ again }) => { if (again) fail(null); }, "batch"); // what was asked meanwhile is asked again
pg.on("user_tasks", (list) => {
  const before = taskNow();
  mine = list;
  if (state?.planned && before.yaml && !list.some((one) => one.key === before.id)) job = { ...job, own: before, plan: { ...job.plan, own: before.yaml } };
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
if (kept(KEY)) trigger("opened", { key: kept(KEY) });
