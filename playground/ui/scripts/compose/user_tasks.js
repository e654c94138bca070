// The bar for a visitor's own tasks, and its two forms: a title, and YAML. The server reads YAML and writes it, and keeps
// nothing; this browser keeps them (own_tasks.js). compose.js draws them: it hears of what to show as "write".
import rules from "playground/data/rules.js";
import { on, tell } from "../page/board.js";
import { around, find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { bytes } from "../page/numbers.js";
import { apply, sentence, t } from "../page/words.js";
import { begin, ownTask, put, putBack, remove, twin } from "./own_tasks.js";

/** @typedef {import("../tasks").OwnTask} OwnTask */
/** @typedef {import("../types").Said} Said */
/** @typedef {import("../types").Text} Text */
/**
 * What the server answers: a task that was read or written, a prompt to begin with, or what is wrong and in which line.
 * @typedef {{key: string | null, yaml?: string, record?: OwnTask["record"],
 *   typed?: Partial<import("../tasks").Form>, error?: Text, line?: number | null}} Answer
 */

/** @typedef {"" | "title" | "yaml" | "twin"} Panel */
/** A task as the server has read it, and the key by which this browser knows it, if it does.
 * @typedef {Pick<OwnTask, "yaml" | "record"> & {key: string | null}} Told */

const { element, props, trigger, watch } = hostOf("user_tasks");
const [titleField, yamlField] = [
  find(element, "[name=title]", HTMLInputElement),
  find(element, "[name=yaml]", HTMLTextAreaElement),
];
const ABOVE = 4; // lines over the one that is shown
/** What the form shows. @type {Omit<import("../topics").Topics["composed"], "task"> & {task: {id: string} | null}} */
let shown = { kind: "task", task: null, own: "", fields: 0 };
/** The form that is open. @type {Panel} */
let panel = "";
/** A new task beside the kept one with its id, and the form it came from, until somebody has said what is to be done.
 * @type {{told: Told, alike: OwnTask, from: Panel} | null} */
let pending = null;
/** Of the task that is being edited; null for a new one. @type {string | null} */
let key = null;
/** The last one deleted, and its place. @type {{at: number, one: OwnTask} | null} */
let gone = null;
let hasChat = true;
/**
 * What was done last, as a key of the word list with a title, or what was wrong.
 * @type {{word: string, title?: Said} | {error: Text} | null}
 */
let said = null;

/** @param {Said} text */
const complain = (text) => {
  for (const place of findAll(element, ".field-error")) {
    place.hidden = !text;
    place.textContent = sentence(text);
  }
};
const noted = () => {
  if (!said) return "";
  return "error" in said ? say(said.error) : t(said.word, { title: say(said.title) });
};
const draw = () => {
  apply(element);
  const [task, own] = [shown.kind === "task", Boolean(shown.own)];
  /** @param {string} name @param {boolean} visible */
  const show = (name, visible) => {
    find(element, `.user-tasks-bar [name=${name}]`).hidden = !visible;
  };
  find(element, ".user-tasks").hidden = shown.kind === "talk";
  show("keep", ["complete", "chat"].includes(shown.kind) && shown.fields > 0);
  show("start", task && !own);
  for (const name of ["edit", "export", "delete"]) show(name, task && own);
  show("import", task);
  show("bring_back", task && gone !== null);
  find(element, ".user-tasks-note").textContent = noted();
  for (const one of findAll(element, "form")) one.hidden = one.dataset.panel !== panel;
  find(element, ".user-tasks-about").textContent = t(key ? "user_task_edit_hint" : "user_task_import_hint");
  for (const one of findAll(element, "[name=save]")) one.textContent = t(key ? "user_task_change" : "user_task_new");
  find(element, "[name=copy]").hidden = !key;
  if (pending) {
    const { id, title } = pending.alike.record;
    find(element, ".user-tasks-alike").textContent = t("user_task_alike", { id, title: say(title) });
  }
};
/** @param {Panel} wanted */
const open = (wanted) => {
  panel = wanted;
  said = null;
  complain(null);
  draw();
  if (wanted !== "twin") pending = null;
  if (wanted) find(element, `[data-panel=${wanted}] :is(input, textarea, button)`).focus();
};

/** @param {string} file its name; "" where the YAML was typed */
const check = (file) => trigger("check", { yaml: yamlField.value, file, key, at: Date.now() });
/** @param {File} file */
const read = async (file) => {
  const most = rules.most_task_bytes;
  if (file.size > most) {
    complain(t("user_task_too_large", { size: bytes(file.size), most: bytes(most) }));
    return;
  }
  try {
    yamlField.value = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    complain(t("user_task_not_text"));
    return;
  }
  check(file.name);
};
/** @param {Told} told */
const save = (told) => {
  const found = twin(told);
  if (!found) keepIt(told);
  else if ("same" in found) choose(found.same, "user_task_already");
  else askOf(told, found.alike);
};
/**
 * Whether it is to replace this one, or to stand beside it.
 * @param {Told} told
 * @param {OwnTask} alike
 */
const askOf = (told, alike) => {
  pending = { told, alike, from: panel };
  open("twin");
};
/** @param {Told} told */
const keepIt = (told) => {
  const one = { key: told.key ?? `own:${Date.now().toString(36)}`, yaml: told.yaml, record: told.record };
  if (!put(one)) {
    complain(t("user_task_full"));
    return;
  }
  gone = null;
  choose(one, "user_task_saved");
};
/**
 * @param {OwnTask} one is what is shown
 * @param {string} word what is said of it
 */
const choose = (one, word) => {
  key = null;
  open("");
  tell("write", { task: one.key });
  said = { word, title: one.record.title };
  draw();
};
/** @param {boolean} replaces the task that has its id */
const settle = (replaces) => {
  if (!pending) return;
  const { told, alike } = pending;
  keepIt({ ...told, key: replaces ? alike.key : null });
};
/** @param {string | undefined} wanted */
const erase = (wanted) => {
  const removed = remove(wanted);
  if (!removed) return;
  gone = removed;
  said = { word: "user_task_deleted", title: removed.one.record.title };
};
const bringBack = () => {
  if (!gone || !putBack(gone.at, gone.one)) return;
  said = null;
  const back = gone.one.key;
  gone = null;
  tell("write", { task: back });
};
/** @param {OwnTask} one */
const carry = (one) => {
  const url = URL.createObjectURL(new Blob([one.yaml], { type: "text/yaml;charset=utf-8" }));
  make("a", { href: url, download: `${one.record.id}.yaml` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
};
/** @param {OwnTask} one */
const showYaml = (one) => {
  yamlField.value = one.yaml;
  open("yaml");
};
/** @param {OwnTask} one */
const edit = (one) => {
  key = one.key;
  const kind = one.record.as_prompt;
  if (kind && (kind !== "chat" || hasChat)) trigger("start", { key, at: Date.now() });
  else showYaml(one);
};
/**
 * The line that an error names is selected, so that it can be mended at once.
 * @param {number} line
 */
const mark = (line) => {
  const lines = yamlField.value.split("\n");
  const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  yamlField.focus();
  yamlField.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
  yamlField.scrollTop = (line - ABOVE) * parseFloat(getComputedStyle(yamlField).lineHeight);
};

/** @param {(one: OwnTask) => void} act on the own task that is shown */
const withShown = (act) => () => {
  const one = ownTask(shown.task?.id);
  if (one) act(one);
};
/** By the names of buttons. @type {Record<string, () => void>} */
const press = {
  keep: () => {
    titleField.value = say(ownTask(key)?.record.title);
    open("title");
  },
  start: () => {
    key = null;
    trigger("start", { key, at: Date.now() });
  },
  edit: withShown(edit),
  export: withShown(carry),
  delete: () => erase(shown.task?.id),
  import: () => {
    key = null;
    yamlField.value = "";
    open("yaml");
  },
  bring_back: bringBack,
  copy: () => trigger("keep", { title: titleField.value, key: null, at: Date.now() }),
  both: () => settle(false),
  close: () => open(pending?.from ?? ""),
};

element.addEventListener("click", (event) => {
  const pressed = around(event, "button[type=button]", HTMLButtonElement);
  if (!pressed) return;
  press[pressed.name]();
  draw();
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  complain(null);
  if (panel === "twin") settle(true);
  else if (panel === "title") trigger("keep", { title: titleField.value, key, at: Date.now() });
  else check("");
});
element.addEventListener("change", (event) => {
  const chosen = event.target;
  if (!(chosen instanceof HTMLInputElement) || chosen.type !== "file" || !chosen.files?.length) return;
  read(chosen.files[0]);
  chosen.value = "";
});
watch("answer", () => {
  /** @type {Answer | null} */
  const answer = props.answer;
  if (!answer) return;
  const { yaml, record, typed, error, line } = answer;
  if (error) {
    const own = ownTask(answer.key);
    if (!panel && own) showYaml(own); // it cannot be begun with, and can be mended there
    complain(error);
    if (!panel) said = { error };
    draw();
    if (line && panel === "yaml") mark(line);
  } else if (record) save({ key: answer.key, yaml: yaml ?? "", record });
  else if (typed) tell("write", { typed });
});
on(
  "composed",
  (now) => {
    const other = now.kind !== shown.kind || now.task.id !== shown.task?.id;
    shown = now;
    if (other && !(panel === "yaml" && now.kind === "task")) {
      panel = "";
      pending = null;
      said = null;
    }
    draw();
  },
  "user_tasks",
);
on("language", draw, "user_tasks");
on(
  "server",
  (status) => {
    if (status.model) hasChat = status.model.has_chat_template;
  },
  "user_tasks",
);
titleField.maxLength = rules.most_task_title;
begin();
draw();
