// What to write: a task with its fields, a free prompt, a chat, or the next turn of a conversation, which the element
// behind this one tells. Everything typed is in `props.value` at once.
const pg = window.playground;
let tasks = props.tasks; // and a visitor's own behind them, each with its `yaml`
const find = (selector) => element.querySelector(selector);
const picker = find(".task-picker");
const fields = find(".fields");
const note = find(".compose-note");
const CHATS = ["chat", "talk"]; // the kinds that need a chat template
const KIND = "playground-kind";
const FILL = "playground-fill"; // "off" where what stands in double braces is sent as it stands
let hasChat = true;
let model = "";
let timer = 0;
let turned = "";
let drawn = null; // the names whose fields stand there
let asked = 0; // how often knobs were asked for
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
  if (props.answered !== asked) return;
  pg.tell("wishing", false);
  setTimeout(takeKnobs); // once the panel has taken the task's own
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
const wish = (picked) => {
  asked += 1;
  change({ picked, asked });
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

const input = (field) => {
  const shared = { name: field.name, "data-task-field": "", dir: "auto", maxlength: field.max_length };
  if (field.choices) {
    const options = field.choices[pg.language] || field.choices.en;
    return pg.make("select", shared, ...options.map((choice) => pg.make("option", { value: choice, dir: "auto" }, choice)));
  }
  const hint = field.placeholder ? pg.say(field.placeholder) : null;
  if (field.type === "long_text") return pg.make("textarea", { ...shared, rows: 4, placeholder: hint });
  return pg.make("input", {
    ...shared, type: "text", inputmode: field.type === "number" ? "decimal" : null, placeholder: hint, autocomplete: "off",
  });
};
const drawFields = () => {
  const one = task();
  find(".task-about").textContent = pg.say(one.description);
  fields.replaceChildren(...one.fields.map((field) => {
    const control = input(field);
    control.value = form.fields[field.name] ?? "";
    return pg.make("label",
      { class: `field${field.type === "long_text" || field.type === "list" ? " wide" : ""}`, "data-field": field.name },
      pg.make("span", { class: "field-label" }, pg.make("bdi", {}, pg.say(field.label)),
        field.required ? null : pg.make("i", {}, pg.t("optional"))),
      control,
      pg.make("span", { class: "field-error", role: "alert", hidden: true }));
  }));
  fields.querySelectorAll("textarea").forEach(grow);
  drawMeasured();
};
// A field for each variable of the free prompt or the chat; what was typed for a name stays when the name comes back.
const drawVariables = () => {
  const names = variables();
  const found = places().length;
  const many = form.fill && found > names.length;
  find(".variables-hint").hidden = found > 0 || !form.fill;
  find(".variables-bar").hidden = !found && form.fill;
  find("[name=fill]").checked = form.fill;
  find(".fill-note").textContent = many ? pg.t("fill_many", { count: found, most: props.most_variables }) : form.fill ? "" : pg.t("fill_off");
  find(".variables").hidden = !names.length;
  if (drawn === names.join()) return;
  drawn = names.join();
  find(".variables").replaceChildren(...names.map((name) => {
    const area = pg.make("textarea", { name, rows: 1, dir: "auto", "data-variable": "" });
    area.value = Object.hasOwn(form.variables, name) ? form.variables[name] : "";
    return pg.make("label", { class: "field", "data-field": `{{${name}}}` },
      pg.make("span", { class: "field-label" }, pg.make("bdi", {}, name)), area,
      pg.make("span", { class: "field-error", role: "alert", hidden: true }));
  }));
  element.querySelectorAll(".variables textarea").forEach(grow);
};
// What `measure` found, where it measured the model that is loaded in the language that is shown.
const drawMeasured = () => {
  const report = task().measured.find((one) => one.model === form.ready && one.language === pg.language);
  const place = find(".task-measured");
  place.hidden = !report;
  place.textContent = report ? pg.t("measured", report) : "";
};
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
  try { sessionStorage.setItem(KIND, kind); } catch { /* nothing is kept: a reload begins with a task */ }
  drawKind();
  wish(true);
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
  drawFields();
  wish(true);
};
picker.addEventListener("change", () => {
  take(tasks.find((one) => one.id === picker.value), { ...form.drafts, [form.task]: form.fields });
});
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
  const kept = Object.fromEntries(Object.entries(form.drafts).filter(([id]) => !changed(id)));
  const open = changed(form.task);
  tasks = withMine(props.tasks, list);
  drawPicker();
  if (open) take(task(), kept);
  else change({ drafts: kept });
}, "compose");
// Something else is to stand here: a task by its id, or a prompt with its values under the knobs as they are.
pg.on("write", ({ task: id, typed }) => {
  if (id) {
    change({ kind: "task" });
    take(tasks.find((one) => one.id === id), form.drafts);
  } else {
    change(typed);
    fillIn(true); // it came of a task, whose places are there to be filled
    wish(false);
  }
  drawAll();
}, "compose");
// What a run was made of is to stand here again, and its knobs: those once the task's own have come.
let awaited = null;
const takeKnobs = () => {
  const values = awaited ?? {};
  awaited = null;
  for (const [name, value] of Object.entries(values)) pg.tell("knob", { name, value });
};
pg.on("restore", ({ request, kind, knobs }) => {
  const isTask = Boolean(request.task) && tasks.some((one) => one.id === request.task);
  change(isTask ? { kind: "task" } : request.mode === "chat" ? { kind: "chat", system: request.system, message: request.prompt, prefill: request.prefill }
    : { kind: "complete", prompt: request.prompt });
  awaited = knobs;
  if (isTask) take(tasks.find((one) => one.id === request.task), { ...form.drafts, [request.task]: { ...request.fields } });
  else wish(kind !== form.kind);
  drawAll();
}, "compose");
element.addEventListener("focusin", () => element.classList.remove("folded"));
element.addEventListener("input", () => element.classList.remove("folded"));
pg.on("server", (status) => {
  if (!status.model) return;
  hasChat = status.model.has_chat_template;
  model = status.model.title;
  if (!hasChat && CHATS.includes(form.kind)) change({ kind: "complete" });
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
}, "compose");
pg.on("complaint", (complaint) => {
  calm();
  if (!complaint || form.kind === "talk") return;
  const name = complaint.parameter === "prompt" && form.kind === "chat" ? "message" : complaint.parameter;
  complaint.placed = Boolean(name) && complain(name, complaint.text);
}, "compose");

const talks = () => {
  try {
    return sessionStorage.getItem(KIND) === "talk";
  } catch {
    return false;
  }
};
change({ fields: defaults(task()), kind: talks() ? "talk" : form.kind, fill: pg.stored(FILL) !== "off" });
pg.on("talk", (talk) => {
  change({ talk });
  if (form.kind === "talk") look();
}, "compose");
drawAll();
if (form.kind === "talk") wish(true);
else if (pg.language === "zh") wish(false);
else look();
