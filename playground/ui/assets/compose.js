// What to write: a task with its fields, a free prompt, a chat, or the next turn of a conversation, which the element
// behind this one tells. Everything typed is in `props.value` at once.
const pg = window.playground;
let tasks = props.tasks; // and a visitor's own behind them, each with its `yaml`
let listed = false; // which have been told
const find = (selector) => element.querySelector(selector);
const picker = find(".task-picker");
const fields = find(".fields");
const note = find(".compose-note");
const KEEP = 300; // milliseconds behind a change
const CHATS = ["chat", "talk"]; // the kinds that need a chat template
const FILL = "playground-fill"; // "off" where what stands in double braces is sent as it stands
let hasChat = true;
let model = "";
let timer = 0;
let turned = "";
let drawn = null; // the names whose fields stand there
let asked = 0; // how often knobs were asked for
let wishing = false; // and have not come yet
let restoring = null; // the knobs that were left here, until the server has taken them
let held = { knobs: null, preset: "" }; // by the panel
let keeps = 0;
// The rule of tasks/task.py, so that fields appear while a person types; what is sent is decided there.
const PLACE = /\{\{[ \t]*([\p{L}\p{N}_]{1,40})[ \t]*\}\}/gu;
// What is filled in is decided here and nowhere else. Gradio may set an element back to what it was when the page
// came, just after its script has run: then this is put in force again.
let form = props.value;

const task = () => tasks.find((one) => one.id === form.task) || tasks[0];
const defaults = (one) => Object.fromEntries(one.fields.map((field) => [field.name, pg.say(field.default)]));
const change = (changes) => {
  form = { ...form, ...changes, language: pg.language };
  props.value = form;
  pg.tell("composed", { kind: form.kind, task: task(), own: form.own, fields: variables().length });
  keepSoon();
};
const keep = () => {
  clearTimeout(keeps);
  keeps = 0;
  keepForm(form);
  keepKnobs();
};
const keepSoon = () => { keeps ||= setTimeout(keep, KEEP); };
/** The knobs are those of what is written here, and not of what was chosen before. */
const noteKnobs = () => {
  if (wishing || !held.knobs) return;
  leaveKnobs(form, held.knobs, held.preset);
  keepSoon();
};
const TEXTS = { complete: ["prompt"], chat: ["system", "message", "prefill"] }; // where variables may stand
const places = () => {
  const text = (TEXTS[form.kind] ?? []).map((name) => form[name]).join("\n");
  return [...new Set([...text.matchAll(PLACE)].map((place) => place[1]))];
};
/** The places that are filled in; the rule of tasks/user_task.py. */
const variables = () => {
  const names = places();
  return form.fill && names.length <= props.most_variables ? names : [];
};
watch("answered", () => {
  if (props.answered !== asked || !wishing) return;
  wishing = false;
  restoring = null;
  change({ restored: null });
  pg.tell("wishing", false);
  noteKnobs();
});
watch("value", () => { if (JSON.stringify(props.value) !== JSON.stringify(form)) props.value = form; });

// The server counts the tokens a moment after the last key.
const look = () => {
  clearTimeout(timer);
  pg.tell("counting", true);
  timer = setTimeout(() => trigger("look"), 300);
};
// Asks for the knobs that go with what is chosen. One event for both cases, so that answers come in order. A run that is
// asked for before the answer has come waits for it, or it would be made with the knobs of another task.
// What was left here before comes back instead, until something else is picked.
const wish = (picked) => {
  asked += 1;
  if (picked) restoring = null;
  // Of wishes that wait only the last is sent: what was picked stays picked until it is answered.
  change({ picked: picked || (wishing && form.picked && !restoring), asked, restored: restoring });
  wishing = true;
  pg.tell("wishing", true);
  trigger("pick");
  look();
};
const grow = (area) => {
  if (!area.offsetParent) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 420)}px`;
};
let wrong = null; // the field that something was said of, and what
const complain = (name, text) => {
  if (text) wrong = { name, text };
  else if (wrong?.name === name) wrong = null;
  const field = element.querySelector(`.compose-kind:not([hidden]) [data-field="${CSS.escape(name)}"]`);
  if (!field) return false;
  field.classList.toggle("wrong", Boolean(text));
  const place = field.querySelector(".field-error");
  place.hidden = !text;
  place.textContent = pg.sentence(text);
  field.querySelector("input, textarea, select")?.setAttribute("aria-invalid", String(Boolean(text)));
  return true;
};
const calm = () => element.querySelectorAll(".field.wrong").forEach((field) => complain(field.dataset.field, null));

const drawPicker = () => drawTaskList(picker, tasks, task().id);
const drawKind = () => {
  const kind = form.kind;
  for (const button of element.querySelectorAll("[data-kind]")) {
    const chosen = button.dataset.kind === kind;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    if (CHATS.includes(button.dataset.kind)) {
      button.setAttribute("aria-disabled", String(!hasChat));
      button.title = hasChat ? "" : pg.t("no_chat", { model });
    }
  }
  for (const part of element.querySelectorAll(".compose-kind")) part.hidden = !part.dataset.for.split(" ").includes(kind);
  picker.hidden = kind !== "task";
  drawVariables();
  document.body.dataset.writes = kind;
  pg.tell("kind", kind);
  note.hidden = hasChat;
  note.textContent = hasChat ? "" : pg.t("no_chat", { model });
  element.querySelectorAll(".compose-kind:not([hidden]) textarea").forEach(grow);
};
const drawAll = () => {
  pg.apply(element);
  drawPicker();
  drawFields();
  for (const area of element.querySelectorAll("[data-for] > label textarea")) area.value = form[area.name] ?? "";
  for (const box of element.querySelectorAll(".compose-switch[data-field] input")) box.checked = Boolean(form[box.name]);
  drawn = null;
  drawKind();
};
const choose = (kind) => {
  if (kind === form.kind || (CHATS.includes(kind) && !hasChat)) return; // chosen again, it keeps what was turned since
  change({ kind });
  pg.address.go({ kind, task: form.task });
  drawKind();
  wish(true);
};
/** What belongs to a task when it is put in the place of another, whose fields are remembered. */
const turnTo = (one) => {
  const drafts = { ...form.drafts, [form.task]: form.fields };
  return { task: one.id, own: one.yaml ?? "", fields: drafts[one.id] || defaults(one), drafts };
};
/** Where the address has gone by itself: with the texts and the knobs that were left there. */
const follow = ({ tab, kind, task: id }) => {
  if (tab !== "play") return;
  const wanted = kind ?? form.kind;
  const one = wanted === "task" ? tasks.find((known) => known.id === id) ?? task() : task();
  const there = wanted === form.kind && (wanted !== "task" || one.id === form.task);
  if (!there && !(CHATS.includes(wanted) && !hasChat)) {
    change({ kind: wanted, ...(one.id === form.task ? {} : turnTo(one)) });
    restoring = leftKnobs.get(placeKey(form)) ?? null;
    drawAll();
    wish(!restoring);
  }
  if (kind !== form.kind || (kind === "task" && id !== form.task)) pg.address.go({ kind: form.kind, task: form.task }, { replace: true });
};

const fillIn = (on) => {
  change({ fill: on });
  pg.store(FILL, on ? "on" : "off");
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-kind]");
  if (button) choose(button.dataset.kind);
});
element.addEventListener("keydown", (event) => {
  const button = event.target.closest("[data-kind]");
  const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!button || !way) return;
  event.preventDefault();
  const all = [...element.querySelectorAll("[data-kind]")].filter((one) => hasChat || !CHATS.includes(one.dataset.kind));
  const next = all[(all.indexOf(button) + way + all.length) % all.length];
  choose(next.dataset.kind);
  next.focus();
});
element.addEventListener("input", (event) => {
  const control = event.target;
  if (control === picker) return;
  if (control.name === "fill") {
    fillIn(control.checked);
    drawVariables();
    calm();
    look();
    return;
  }
  if (control.dataset.taskField !== undefined) {
    change({ fields: { ...form.fields, [control.name]: control.value } });
  } else if (control.dataset.variable !== undefined) {
    change({ variables: { ...form.variables, [control.name]: control.value } });
  } else if (control.type === "checkbox") {
    change({ [control.name]: control.checked });
  } else {
    change({ [control.name]: control.value });
    drawVariables();
  }
  if (control.tagName === "TEXTAREA") grow(control);
  complain(control.closest("[data-field]").dataset.field, null);
  look();
});
const take = (one, drafts) => {
  change({ task: one.id, own: one.yaml ?? "", fields: drafts[one.id] || defaults(one), drafts });
  pg.address.go({ kind: form.kind, task: one.id });
  drawFields();
  wish(true);
};
picker.addEventListener("change", () => {
  take(tasks.find((one) => one.id === picker.value), { ...form.drafts, [form.task]: form.fields });
});
pg.on("place", follow, "compose");
document.addEventListener("keydown", (event) => {
  const here = element.offsetParent; // on another tab the key means something else, or nothing
  if (here && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) {
    event.preventDefault();
    pg.tell("generate", {});
  }
});

// Fields that still hold what we filled in follow the language; what a person typed stays.
const other = { en: "zh", zh: "en" };
const followLanguage = () => {
  const [from, to] = [other[pg.language], pg.language];
  const kept = { ...form.fields };
  for (const field of task().fields) {
    const place = field.choices ? field.choices[from].indexOf(kept[field.name]) : -1;
    if (place >= 0) kept[field.name] = field.choices[to][place];
    else if (kept[field.name] === field.default[from]) kept[field.name] = field.default[to];
  }
  change({ fields: kept, drafts: {} });
};
pg.on("language", () => {
  followLanguage();
  drawAll();
  if (wrong) complain(wrong.name, wrong.text);
  wish(false);
}, "compose");
// A visitor's own tasks have changed. The one that is open may have another text now, or be gone.
pg.on("user_tasks", (list) => {
  const known = new Map(list.map((one) => [one.key, one.yaml]));
  const changed = (id) => tasks.find((one) => one.id === id)?.yaml !== known.get(id);
  const first = !listed; // what was kept of them over a reload is not older than this list
  const kept = first ? form.drafts : Object.fromEntries(Object.entries(form.drafts).filter(([id]) => !changed(id)));
  const open = form.own !== (known.get(form.task) ?? "");
  const linked = first && tasks.every((one) => one.id !== pg.address.now.task);
  listed = true;
  tasks = withMine(props.tasks, list);
  drawPicker();
  if (open) take(task(), kept);
  else change({ drafts: kept });
  if (first && form.own) drawFields();
  if (linked) follow(pg.address.now);
}, "compose");
// Something else is to stand here: a task by its id, or a prompt with its values under the knobs as they are.
pg.on("write", ({ task: id, typed }) => {
  if (id) {
    change({ kind: "task" });
    take(tasks.find((one) => one.id === id), form.drafts);
  } else {
    change(typed);
    pg.address.go({ kind: form.kind, task: form.task });
    fillIn(true); // it came of a task, whose places are there to be filled
    wish(false);
  }
  drawAll();
}, "compose");
// What a run was made of is to stand here again, with its knobs.
pg.on("restore", ({ request, task: key, knobs, preset }) => {
  const one = tasks.find(({ id }) => id === (key ?? request.task));
  if (one) change({ kind: "task", ...turnTo(one), fields: { ...request.fields } });
  else if (request.mode === "chat") change({ kind: "chat", system: request.system, message: request.prompt, prefill: request.prefill });
  else change({ kind: "complete", prompt: request.prompt });
  pg.address.go({ kind: form.kind, task: form.task });
  restoring = { knobs, preset };
  drawAll();
  wish(false);
}, "compose");
element.addEventListener("focusin", () => element.classList.remove("folded"));
element.addEventListener("input", () => element.classList.remove("folded"));
pg.on("server", (status) => {
  if (!status.model) return;
  hasChat = status.model.has_chat_template;
  model = status.model.title;
  if (!hasChat && CHATS.includes(form.kind)) {
    change({ kind: "complete" });
    pg.address.go({ kind: form.kind }, { replace: true });
  }
  drawKind();
  if (form.ready !== status.model.id) {
    change({ ready: status.model.id });
    drawMeasured();
    wish(false);
  }
}, "compose");
// The window that is left depends on the knobs too, and a negative prompt is part of what is sent.
pg.on("knobs", (values) => {
  const now = JSON.stringify(values);
  if (now !== turned) look();
  turned = now;
  held = { ...held, knobs: values };
  noteKnobs();
}, "compose");
pg.on("preset", (preset) => {
  held = { ...held, preset };
  noteKnobs();
}, "compose");
pg.on("connection", (now) => {
  if (!now.again) return;
  if (wishing) trigger("pick"); // nobody has heard of it
  look();
}, "compose");
window.addEventListener("pagehide", keep);
pg.on("complaint", (complaint) => {
  calm();
  if (!complaint || form.kind === "talk") return;
  const name = complaint.parameter === "prompt" && form.kind === "chat" ? "message" : complaint.parameter;
  complaint.placed = Boolean(name) && complain(name, complaint.text);
}, "compose");

/** What stood here before a reload, and then where the address points. True where other knobs go with it. */
const begin = () => {
  const place = pg.address.now;
  const kept = keptForm(tasks);
  findKnobs();
  change({ fields: defaults(task()), fill: pg.stored(FILL) !== "off" });
  if (kept) {
    const { language = pg.language, fields = form.fields, ...rest } = kept;
    change(rest);
    const one = tasks.find((known) => known.id === form.task); // one's own comes later, with its fields
    change({ fields: one ? fieldsOf(one, fields, language, defaults(one)) : fields });
    if (language !== pg.language) followLanguage();
  }
  const linked = place.kind === "task" ? tasks.find((one) => one.id === place.task) : null;
  if (place.kind) change({ kind: place.kind });
  if (linked && linked.id !== form.task) change(turnTo(linked));
  restoring = kept ? leftKnobs.get(placeKey(form)) ?? null : null;
  if (linked || place.kind !== "task" || !place.task) pg.address.go({ kind: form.kind, task: form.task }, { replace: true });
  return Boolean(kept) || form.kind !== "task" || form.task !== tasks[0].id;
};
pg.on("talk", (talk) => {
  change({ talk });
  if (form.kind === "talk") look();
}, "compose");
const turns = begin();
drawAll();
if (turns) wish(!restoring);
else if (pg.language === "zh") wish(false);
else look();
