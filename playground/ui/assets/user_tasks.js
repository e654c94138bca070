// A visitor's own tasks. This browser keeps them, as {key, yaml, record}; the server reads YAML and writes it, and
// keeps nothing. compose.js draws them: it hears of the list as "user_tasks", and of what to show as "write".
const pg = window.playground;
const find = (selector) => element.querySelector(selector);
const button = (name) => find(`.user-tasks-bar [name=${name}]`);
const KEPT = "playground-own-tasks";
let list = [];
let shown = { kind: "task", task: null, own: "", fields: 0 }; // what compose.js shows
let panel = ""; // "title", "yaml" or none
let key = null; // of the task that is being edited; null for a new one
let gone = null; // the last one deleted, and its place
let hasChat = true;
let said = null; // what was done last: a word and its values

const ownTask = (wanted) => list.find((one) => one.key === wanted);
const title = (one) => pg.say(one.record.title);
const readable = (one) => typeof one?.key === "string" && typeof one.yaml === "string" && Array.isArray(one.record?.fields);
const kept = () => {
  try {
    const found = JSON.parse(pg.stored(KEPT));
    return Array.isArray(found) ? found.filter(readable) : [];
  } catch { return []; }
};
const keep = (changed) => {
  try { localStorage.setItem(KEPT, JSON.stringify(changed)); } catch { return false; }
  list = changed;
  pg.tell("user_tasks", list);
  return true;
};
const complain = (text) => {
  for (const place of element.querySelectorAll(".field-error")) {
    place.hidden = !text;
    place.textContent = pg.sentence(text);
  }
};
const draw = () => {
  pg.apply(element);
  const [task, own] = [shown.kind === "task", Boolean(shown.own)];
  const show = (name, visible) => { button(name).hidden = !visible; };
  find(".user-tasks").hidden = shown.kind === "talk";
  show("keep", ["complete", "chat"].includes(shown.kind) && shown.fields > 0);
  show("start", task && !own);
  for (const name of ["edit", "export", "delete"]) show(name, task && own);
  show("import", task);
  show("bring_back", task && gone);
  find(".user-tasks-note").textContent = said ? pg.t(said.word, { title: pg.say(said.title) }) : "";
  for (const one of element.querySelectorAll("form")) one.hidden = one.dataset.panel !== panel;
  find(".user-tasks-about").textContent = pg.t(key ? "user_task_edit_hint" : "user_task_import_hint");
  for (const one of element.querySelectorAll("[name=save]")) one.textContent = pg.t(key ? "user_task_change" : "user_task_new");
  find("[name=copy]").hidden = !key;
};
const open = (wanted) => {
  panel = wanted;
  said = null;
  complain(null);
  draw();
  if (wanted) find(`[data-panel=${wanted}] :is(input, textarea)`).focus();
};
const ask = (event, more) => trigger(event, { ...more, at: Date.now() });
const check = (file) => ask("check", { yaml: find("[name=yaml]").value, file, key });
const choose = async (file) => {
  if (file.size > props.most) {
    complain(pg.t("user_task_too_large", { size: pg.bytes(file.size), most: pg.bytes(props.most) }));
    return;
  }
  try {
    find("[name=yaml]").value = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    complain(pg.t("user_task_not_text"));
    return;
  }
  check(file.name);
};
const save = (told) => {
  const before = kept(); // another tab may have changed it
  const one = { key: told.key ?? `own:${Date.now().toString(36)}`, yaml: told.yaml, record: told.record };
  const known = before.some((other) => other.key === one.key);
  if (!keep(known ? before.map((other) => (other.key === one.key ? one : other)) : [...before, one])) {
    complain(pg.t("user_task_full"));
    return;
  }
  key = null;
  gone = null;
  open("");
  pg.tell("write", { task: one.key });
  said = { word: "user_task_saved", title: one.record.title };
  draw();
};
const erase = (wanted) => {
  const before = kept();
  const at = before.findIndex((one) => one.key === wanted);
  if (at < 0 || !keep(before.toSpliced(at, 1))) return;
  gone = { at, one: before[at] };
  said = { word: "user_task_deleted", title: before[at].record.title };
};
const bringBack = () => {
  if (!keep(kept().toSpliced(gone.at, 0, gone.one))) return;
  said = null;
  const back = gone.one.key;
  gone = null;
  pg.tell("write", { task: back });
};
const carry = (one) => {
  const url = URL.createObjectURL(new Blob([one.yaml], { type: "text/yaml;charset=utf-8" }));
  pg.make("a", { href: url, download: `${one.record.id}.yaml` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
};
const showYaml = (one) => {
  find("[name=yaml]").value = one.yaml;
  open("yaml");
};
const edit = (one) => {
  key = one.key;
  const kind = one.record.as_prompt;
  if (kind && (kind !== "chat" || hasChat)) ask("start", { key });
  else showYaml(one);
};
// The line that an error names is selected, so that it can be mended at once.
const mark = (line) => {
  const area = find("[name=yaml]");
  const lines = area.value.split("\n");
  const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
  area.scrollTop = (line - 4) * parseFloat(getComputedStyle(area).lineHeight);
};
const press = {
  keep: () => {
    find("[name=title]").value = key && ownTask(key) ? title(ownTask(key)) : "";
    open("title");
  },
  start: () => { key = null; ask("start", { key }); },
  edit: () => edit(ownTask(shown.task.id)),
  export: () => carry(ownTask(shown.task.id)),
  delete: () => erase(shown.task.id),
  import: () => { key = null; find("[name=yaml]").value = ""; open("yaml"); },
  bring_back: bringBack,
  copy: () => ask("keep", { title: find("[name=title]").value, key: null }),
  close: () => open(""),
};

element.addEventListener("click", (event) => {
  const pressed = event.target.closest("button[type=button]");
  if (!pressed) return;
  press[pressed.name]();
  draw();
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  complain(null);
  if (panel === "title") ask("keep", { title: find("[name=title]").value, key });
  else check("");
});
element.addEventListener("change", (event) => {
  if (event.target.type !== "file" || !event.target.files.length) return;
  choose(event.target.files[0]);
  event.target.value = "";
});
watch("answer", () => {
  const answer = props.answer;
  if (!answer) return;
  if (answer.error) {
    if (!panel && ownTask(answer.key)) showYaml(ownTask(answer.key)); // it cannot be begun with, and can be mended there
    complain(answer.error);
    if (!panel) said = { word: answer.error };
    draw();
    if (answer.line && panel === "yaml") mark(answer.line);
  } else if (answer.record) save(answer);
  else if (answer.typed) pg.tell("write", { typed: answer.typed });
});
pg.on("composed", (now) => {
  const other = now.kind !== shown.kind || now.task.id !== shown.task?.id;
  shown = now;
  if (other && !(panel === "yaml" && now.kind === "task")) { panel = ""; said = null; }
  draw();
}, "user_tasks");
pg.on("language", draw, "user_tasks");
pg.on("server", (status) => { if (status.model) hasChat = status.model.has_chat_template; }, "user_tasks");
window.addEventListener("storage", (event) => {
  if (event.key !== KEPT) return;
  list = kept();
  pg.tell("user_tasks", list);
});
find("[name=title]").maxLength = props.most_title;
list = kept();
pg.tell("user_tasks", list);
draw();
