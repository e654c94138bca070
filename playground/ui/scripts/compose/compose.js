// What to write: a task with its fields, a free prompt, a chat, or the next turn of a conversation, which the element
// behind this one tells. This puts the parts of the form together, and follows the hand, the address and the page.
import { go, here } from "../page/address.js";
import { on, tell } from "../page/board.js";
import { around, find, findAll } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { store, stored } from "../page/kept.js";
import { language } from "../page/language.js";
import { drawUndoLine } from "../page/undo_line.js";
import { apply } from "../page/words.js";
import { calm, complain, complainAgain, showComplaint } from "./field_errors.js";
import { drawFields, drawMeasured, drawVariables, forgetVariables, grow } from "./fields_view.js";
import {
  change,
  defaults,
  findKept,
  form,
  knobsLeftHere,
  setOwnTasks,
  task,
  taskNamed,
  tasks,
  turnedTo,
} from "./form.js";
import { drawKind, isOffered, setModel } from "./kinds.js";
import { fieldsOf, followed, survivingDrafts } from "./task_fields.js";
import { drawTaskList } from "./task_list.js";
import { tryRow } from "./try_row.js";
import { ask, bringBack, hear, look, pick } from "./wishes.js";

/** @typedef {import("../tasks").Task} Task */
/** @typedef {import("../tasks").Form} Form */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */

const { element } = hostOf("compose");
const picker = find(element, ".task-picker", HTMLSelectElement);
const FILL = "playground-fill"; // "off" where what stands in double braces is sent as it stands
const OTHER = /** @type {const} */ ({ en: "zh", zh: "en" });
let knowsOwn = false; // whether a visitor's own tasks have been told

const tries = [
  tryRow(find(element, "[name=prompt]", HTMLTextAreaElement), "complete"),
  tryRow(find(element, "[name=message]", HTMLTextAreaElement), "chat"),
];
const drawTries = () => {
  for (const draw of tries) draw();
};

const drawPicker = () => drawTaskList(picker, tasks(), task().id);
const drawAll = () => {
  apply(element);
  drawPicker();
  drawFields();
  /** @type {Record<string, any>} */
  const now = form();
  for (const area of findAll(element, "[data-for] > label textarea", HTMLTextAreaElement)) {
    area.value = now[area.name] ?? "";
  }
  for (const box of findAll(element, ".compose-switch[data-field] input", HTMLInputElement)) {
    box.checked = Boolean(now[box.name]);
  }
  drawTries();
  forgetVariables();
  drawKind();
};
/** The address says what stands here. @param {{replace?: boolean}} [how] */
const goHere = (how) => go({ kind: form().kind, task: form().task }, how);

/**
 * Where the address has gone by itself: with the texts and the knobs that were left there.
 * @param {import("../topics").Place} place
 */
const follow = ({ tab, kind, task: id }) => {
  if (tab !== "play") return;
  const now = form();
  const wanted = kind ?? now.kind;
  const one = wanted === "task" ? (taskNamed(id) ?? task()) : task();
  const there = wanted === now.kind && (wanted !== "task" || one.id === now.task);
  if (!there && isOffered(wanted)) {
    change({ kind: wanted, ...(one.id === now.task ? {} : turnedTo(one)) });
    const knobs = knobsLeftHere();
    drawAll();
    if (knobs) bringBack(knobs);
    else pick();
  }
  if (kind !== form().kind || (kind === "task" && id !== form().task)) goHere({ replace: true });
};
/**
 * @param {Task} one
 * @param {Form["drafts"]} [drafts]
 */
const take = (one, drafts) => {
  change(turnedTo(one, drafts));
  goHere();
  drawFields();
  pick();
};
const focusChosen = () => find(element, "[data-kind][aria-checked=true]").focus({ preventScroll: true });
/** @param {boolean} fill */
const fillIn = (fill) => {
  change({ fill });
  store(FILL, fill ? "on" : "off");
};

/** @param {Control} control */
const note = (control) => {
  const { name, value } = control;
  if (control.dataset.taskField !== undefined) {
    change({ fields: { ...form().fields, [name]: value } });
  } else if (control.dataset.variable !== undefined) {
    change({ variables: { ...form().variables, [name]: value } });
  } else if (control instanceof HTMLInputElement && control.type === "checkbox") {
    change({ [name]: control.checked });
  } else {
    change({ [name]: value });
    drawVariables();
  }
};
element.addEventListener("input", (event) => {
  const control = /** @type {Control} */ (event.target);
  if (control === picker) return;
  if (control instanceof HTMLInputElement && control.name === "fill") {
    fillIn(control.checked);
    drawVariables();
    calm();
    look();
    return;
  }
  note(control);
  drawTries();
  if (control instanceof HTMLTextAreaElement) grow(control);
  const field = /** @type {HTMLElement | null} */ (control.closest("[data-field]"));
  complain(field?.dataset.field ?? "", null);
  look();
});
picker.addEventListener("change", () => {
  const one = taskNamed(picker.value);
  if (one) take(one);
});
on("place", follow, "compose");
on("bring_back", bringBack, "compose");
on("replaced", (news) => drawUndoLine(find(element, ".compose-replaced"), news, focusChosen), "compose");
document.addEventListener("keydown", (event) => {
  const shown = element.offsetParent; // on another tab the key means something else, or nothing
  if (shown && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) {
    event.preventDefault();
    tell("generate", {});
  }
});

// Fields that still hold what we filled in follow the language; what a person typed stays.
const followLanguage = () => {
  const to = language();
  change({ fields: followed(task(), form().fields, OTHER[to], to), drafts: {} });
};
on(
  "language",
  () => {
    followLanguage();
    drawAll();
    complainAgain();
    ask();
  },
  "compose",
);
// A visitor's own tasks have changed. The one that is open may have another text now, or be gone.
on(
  "user_tasks",
  (list) => {
    const known = new Map(list.map((one) => [one.key, one.yaml]));
    const first = !knowsOwn; // what was kept of them over a reload is not older than this list
    const drafts = first ? form().drafts : survivingDrafts(form().drafts, tasks(), known);
    const open = form().own !== (known.get(form().task) ?? "");
    const linked = first && !taskNamed(here().task);
    knowsOwn = true;
    setOwnTasks(list);
    drawPicker();
    if (open) take(task(), drafts);
    else change({ drafts });
    if (first && form().own) drawFields();
    if (linked) follow(here());
  },
  "compose",
);
// Something else is to stand here: a task by its id, or a prompt with its values under the knobs as they are.
on(
  "write",
  ({ task: id, typed }) => {
    if (typed) {
      change(typed);
      goHere();
      fillIn(true); // it came of a task, whose places are there to be filled
      ask();
    } else {
      const one = taskNamed(id);
      if (!one) return;
      change({ kind: "task" });
      take(one, form().drafts);
    }
    drawAll();
  },
  "compose",
);
// What a run was made of is to stand here again, with its knobs.
on(
  "restore",
  ({ request, task: key, knobs, preset }) => {
    const one = taskNamed(key ?? request.task);
    if (one) change({ kind: "task", ...turnedTo(one), fields: { ...request.fields } });
    else if (request.mode === "chat") {
      const { system, prompt, prefill } = request;
      change({ kind: "chat", system, message: prompt, prefill });
    } else change({ kind: "complete", prompt: request.prompt });
    goHere();
    drawAll();
    bringBack({ knobs, preset });
  },
  "compose",
);
// The form folds around its fields while a text is written (growth.js); what is pressed must not move from under the hand,
// so a button unfolds it once it was pressed.
const unfold = () => element.closest("#compose")?.classList.remove("folded");
element.addEventListener("focusin", (event) => {
  if (around(event, "textarea, input:not([type=checkbox])")) unfold();
});
element.addEventListener("input", unfold);
element.addEventListener("click", unfold);
on(
  "server",
  (status) => {
    if (!status.model) return;
    setModel(status.model);
    if (!isOffered(form().kind)) {
      change({ kind: "complete" });
      go({ kind: form().kind }, { replace: true });
    }
    drawKind();
    if (form().ready !== status.model.id) {
      change({ ready: status.model.id });
      drawMeasured();
      ask();
    }
  },
  "compose",
);
hear();
on(
  "complaint",
  (complaint) => {
    calm();
    if (!complaint || form().kind === "talk") return;
    const name = complaint.parameter === "prompt" && form().kind === "chat" ? "message" : complaint.parameter;
    complaint.placed = name ? complain(name, complaint.text) : false;
    if (complaint.placed) showComplaint();
  },
  "compose",
);

/** What stood here before a reload. */
const putBack = () => {
  const kept = findKept();
  change({ fields: defaults(task()), fill: stored(FILL) !== "off" });
  if (!kept) return false;
  const { language: spoken = language(), fields = form().fields, ...rest } = kept;
  change(rest);
  const one = taskNamed(form().task); // one's own comes later, with its fields
  change({ fields: one ? fieldsOf(one, fields, spoken, defaults(one)) : fields });
  if (spoken !== language()) followLanguage();
  return true;
};
/** What stood here before, and then where the address points, with the knobs that belong to it. */
const begin = () => {
  const place = here();
  const kept = putBack();
  const linked = place.kind === "task" ? taskNamed(place.task) : undefined;
  if (place.kind) change({ kind: place.kind });
  if (linked && linked.id !== form().task) change(turnedTo(linked));
  const knobs = kept ? knobsLeftHere() : null;
  if (linked || place.kind !== "task" || !place.task) goHere({ replace: true });
  const other = kept || form().kind !== "task" || form().task !== tasks()[0].id;
  drawAll();
  if (knobs) bringBack(knobs);
  else if (other) pick({ seen: false });
  else if (language() === "zh") ask();
  else look();
};
on(
  "talk",
  (talk) => {
    change({ talk });
    if (form().kind === "talk") look();
  },
  "compose",
);
begin();
