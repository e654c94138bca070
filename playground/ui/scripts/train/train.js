// The tab Train, which is its owner's: data and settings become a training, which is followed while it runs. The form is kept
// over a reload; a training goes on without any page.
import { here, open } from "../page/address.js";
import { on } from "../page/board.js";
import { around, find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { keep, kept } from "../page/kept.js";
import { apply, sentence, t } from "../page/words.js";
import * as files from "./data_files.js";
import * as list from "./list_view.js";
import * as mapping from "./mapping_form.js";
import { ageReport, drawReport, expectReport, showReport } from "./report_view.js";
import * as run from "./run_view.js";
import { turnSamples } from "./samples_view.js";
import * as form from "./settings_form.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {import("./data_files.js").Side} Side */

const { element, props, trigger, watch } = hostOf("train");
const KEPT = "playground-train"; // the form, over a reload
const QUIET = 500; // milliseconds after the last key until the data is looked at again
const sides = /** @type {Side[]} */ (["data", "validation"]);
const nameField = find(element, ".train-form [name=name]", HTMLInputElement);
let isOwner = false;
/** What each wish was, by when it was sent. @type {Map<number, string>} */
const wishes = new Map();
let wished = 0;
/** A training that was only measured, and may begin as it is. @type {string | null} */
let draft = null;
let checking = false; // an answer about the data is waited for
let again = false; // meanwhile the form has changed
let typing = 0;
/** The list's own trouble, as of a training that cannot be deleted. @type {Said} */
let trouble = null;

/** A number of its own for each wish. @param {string} what */
const wish = (what) => {
  wished = Math.max(Date.now(), wished + 1);
  wishes.set(wished, what);
  return wished;
};
const formNow = () => ({
  data: files.fileOf("data")?.key ?? "",
  validation: files.fileOf("validation")?.key ?? null,
  base: form.baseNow()?.key ?? null,
  name: nameField.value,
  mapping: mapping.mappingNow(),
  settings: form.settingsNow(),
  draft,
});
const keepForm = () => {
  const named = Object.fromEntries(sides.map((side) => [side, files.fileOf(side)?.key ?? ""]));
  keep(KEPT, { ...named, mapping: mapping.chosenNow(), settings: form.settingsNow(), name: nameField.value, draft });
};
const drawTrouble = () => {
  const line = find(element, ".train-error");
  line.hidden = !trouble;
  line.textContent = sentence(trouble);
};
/** @param {Said} said */
const fail = (said) => {
  trouble = said;
  drawTrouble();
};
/** @param {boolean} asks whether an answer about the form is waited for */
const drawAsked = (asks) => {
  find(element, ".train-asked").textContent = asks ? t("train_asking") : "";
  for (const name of ["begin", "measure"]) {
    find(element, `.train-form [name=${name}]`, HTMLButtonElement).disabled = asks || Boolean(form.baseNow()?.trouble);
  }
};
const draw = () => {
  apply(element);
  find(element, ".train-visitor").hidden = isOwner || props.opened === null;
  find(element, ".train-owner").hidden = !isOwner;
  if (!isOwner) return;
  find(element, ".train-peft").hidden = Boolean(props.opened?.peft);
  files.drawFiles();
  mapping.drawMapping();
  drawReport();
  find(element, ".train-how").hidden = !files.fileOf("data");
  form.drawSettings();
  drawAsked(wishes.size > 0 && [...wishes.values()].some((one) => one === "begin" || one === "measure"));
  run.drawAgain();
  list.drawList();
  drawTrouble();
};
/** What the data is, as the form stands; once an answer is here, what was changed meanwhile is asked for. */
const check = () => {
  clearTimeout(typing);
  if (!files.fileOf("data")) {
    showReport(null);
    return;
  }
  again = checking;
  if (checking) return;
  checking = true;
  expectReport();
  trigger("check", { ...formNow(), at: wish("check") });
};
/** @param {boolean} typed whether more is to come */
const formChanged = (typed) => {
  keepForm();
  clearTimeout(typing);
  typing = setTimeout(check, typed ? QUIET : 0);
};
const takeBase = () => {
  mapping.setChats(form.baseNow()?.chat ?? true);
  form.drawBase();
  drawAsked(false);
};
/** @param {any} told */
const takeAll = (told) => {
  if (told.bases) {
    form.setBases(told.bases);
    takeBase();
  }
  if (told.trainings) list.showList(told.trainings);
};
const ask = () => trigger("opened", { at: wish("opened") });

/** The server's answer to a wish, by what was wished. @type {Record<string, (answer: any) => void>} */
const HEARD = {
  check: ({ data, error }) => {
    checking = false;
    const isBeside = error && element.querySelector(`.train-form [data-field="${CSS.escape(String(error.field))}"]`);
    form.complain(isBeside ? error : null);
    if (isBeside) ageReport();
    else showReport(data ?? null, error?.text ?? null);
    if (again) check();
  },
  measure: ({ id, error }) => {
    form.complain(error ?? null);
    if (!id) return;
    draft = id;
    keepForm();
    run.openTraining(id);
  },
  begin: ({ id, error }) => {
    form.complain(error ?? null);
    if (!id) return;
    draft = null;
    keepForm();
    run.openTraining(id);
    find(element, ".train-new", HTMLDetailsElement).open = false;
    find(element, ".train-run").scrollIntoView({ block: "start" });
  },
  use: ({ error }) => (error ? run.giveUp() : run.markUsed()),
};
const hearAnswer = () => {
  const { answer } = props;
  const what = answer && wishes.get(answer.at);
  if (!what) return;
  wishes.delete(answer.at);
  takeAll(answer);
  if (HEARD[what]) HEARD[what](answer);
  else if (answer.error) run.giveUp();
  else run.refresh();
  if (!["check", "measure", "begin"].includes(what)) fail(answer.error?.text ?? null);
  drawAsked(false);
};
/** Which training a button is about: that of its line, or the open one. @param {HTMLButtonElement} button */
const idOf = (button) => button.dataset.id ?? run.openId() ?? "";
/** @param {"resume" | "pause" | "halt" | "remove" | "use"} name @param {string} id */
const send = (name, id) => {
  fail(null);
  trigger(name, { at: wish(name), id });
};
const takeAgain = () => {
  const plan = run.openPlan();
  if (!plan) return;
  form.setSettings(plan.settings);
  form.drawSettings();
  keepForm();
  const part = find(element, ".train-new", HTMLDetailsElement);
  part.open = true;
  part.scrollIntoView({ block: "start" });
  if (files.fileOf("data")) check();
};
/** What the buttons do. @type {Record<string, (button: HTMLButtonElement) => void>} */
const PRESSED = {
  way: ({ value }) => {
    mapping.chooseWay(value);
    formChanged(false);
  },
  insert: ({ dataset }) => {
    mapping.insert(dataset.name ?? "");
    formChanged(true);
  },
  forget: ({ dataset }) => files.forgetFile(/** @type {Side} */ (dataset.side)),
  "read-as": files.readAs,
  example: files.takeExample,
  favourites: files.takeFavourites,
  preset: ({ value }) => {
    form.choosePreset(value);
    formChanged(false);
  },
  measure: () => {
    trigger("measure", { ...formNow(), at: wish("measure") });
    drawAsked(true);
  },
  open: (button) => {
    run.openTraining(idOf(button));
    find(element, ".train-run").scrollIntoView({ block: "start" });
    list.drawList();
  },
  shut: () => {
    run.openTraining(null);
    list.drawList();
  },
  "begin-this": (button) => send("resume", idOf(button)),
  resume: (button) => send("resume", idOf(button)),
  pause: (button) => {
    run.expect("pausing");
    send("pause", idOf(button));
  },
  halt: (button) => {
    run.expect("halting");
    send("halt", idOf(button));
  },
  use: (button) => send("use", idOf(button)),
  again: takeAgain,
  remove: (button) => list.doubt(idOf(button)),
  unsure: () => list.doubt(null),
  sure: () => {
    const id = list.doubtedId();
    list.doubt(null);
    if (!id) return;
    if (id === run.openId()) run.openTraining(null);
    send("remove", id);
  },
  rename: () => run.rename(true),
  csv: run.saveCurves,
  earlier: () => turnSamples(-1),
  later: () => turnSamples(1),
};
element.addEventListener("click", (event) => {
  const button = around(event, "button", HTMLButtonElement);
  if (button) PRESSED[button.name]?.(button);
  const link = around(event, "a[href='#model']");
  if (!link) return;
  event.preventDefault();
  open("#model");
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  const sent = /** @type {HTMLFormElement} */ (event.target);
  if (sent.matches(".train-rename")) {
    const name = find(sent, "[name=new-name]", HTMLInputElement).value;
    trigger("describe", { at: wish("describe"), id: run.openId() ?? "", name });
    run.rename(false);
    return;
  }
  if (!files.fileOf("data")) return;
  trigger("begin", { ...formNow(), at: wish("begin") });
  drawAsked(true);
});
element.addEventListener("change", (event) => {
  const field = /** @type {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} */ (event.target);
  if (field instanceof HTMLInputElement && field.type === "file") {
    const [file] = field.files ?? [];
    if (file) files.sendFile(/** @type {Side} */ (field.name), file);
    field.value = "";
    return;
  }
  if (field.name === "compare") list.compare(/** @type {HTMLInputElement} */ (field));
  if (field.name === "note") trigger("describe", { at: wish("describe"), id: run.openId() ?? "", note: field.value });
  if (field.name === "base") {
    takeBase();
    mapping.drawMapping();
    formChanged(false);
  }
  if (field.name === "setting") {
    form.takeSetting(/** @type {HTMLInputElement | HTMLSelectElement} */ (field));
    formChanged(false);
  } else if (field.name === "name") keepForm();
  else if (field.closest(".train-columns") && mapping.takeField(field)) formChanged(false);
});
element.addEventListener("input", (event) => {
  const field = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (event.target);
  if (field.matches(".train-columns :is(textarea, input)") && mapping.takeField(field)) formChanged(true);
});
element.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !list.doubtedId()) return;
  event.preventDefault();
  list.doubt(null);
});
element.addEventListener("dragover", (event) => event.preventDefault());
element.addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  const side = /** @type {Side} */ (around(event, ".batch-drop")?.dataset.side ?? "data");
  if (file) files.sendFile(side, file);
});
files.onFile((side) => {
  const known = files.fileOf(side);
  if (side === "data") {
    if (known && !nameField.value) nameField.value = known.name.replace(/\.\w+$/, "");
    find(element, ".train-how").hidden = !known;
    mapping.beginMapping();
    mapping.drawMapping();
  }
  keepForm();
  check();
});
watch("opened", () => {
  const { opened } = props;
  if (!opened) return;
  const first = !isOwner && opened.owner;
  isOwner = Boolean(opened.owner);
  wishes.delete(opened.at);
  if (isOwner) takeAll(opened);
  draw();
  if (!first) return;
  const before = kept(KEPT);
  mapping.setChosen(before?.mapping);
  form.setSettings(before?.settings);
  form.drawSettings();
  if (typeof before?.name === "string") nameField.value = before.name;
  if (typeof before?.draft === "string") draft = before.draft;
  for (const side of sides) if (typeof before?.[side] === "string" && before[side]) files.findAgain(side, before[side]);
  run.openBefore();
  if (run.openId() && !draft) find(element, ".train-new", HTMLDetailsElement).open = false;
});
watch("taken", () => files.sendNext(props.taken));
watch("file", () => files.hearFile(props.file));
watch("guess", () => {
  if (mapping.hearGuess(props.guess)) formChanged(false);
});
watch("answer", hearAnswer);
watch("follow", () => {
  const changed = run.hearRun(props.follow);
  if (changed) ask();
  else list.showView(run.openView());
});
watch("curves", () => list.hearCurves(props.curves));
on(
  "refused",
  (said) => {
    if (here().tab !== "train") return;
    wishes.clear();
    checking = false;
    files.breakOff(said);
    fail(said);
    drawAsked(false);
  },
  "train",
);
on(
  "user_tasks",
  (own) => {
    mapping.setTasks(own);
    mapping.drawMapping();
  },
  "train",
);
/** What is loaded, and whose page this is: once it changes, the tab asks anew. */
let held = "";
on(
  "server",
  (status) => {
    const failed = run.hearServer();
    if (failed) fail(failed);
    const holds = JSON.stringify([status.owner, (status.pool?.entries ?? []).map(({ key }) => key)]);
    if (!status.pool || holds === held) return;
    held = holds;
    ask();
  },
  "train",
);
on(
  "place",
  ({ tab }) => {
    if (tab === "train" && isOwner) {
      ask();
      run.refresh();
    }
  },
  "train",
);
on(
  "connection",
  ({ again: back }) => {
    if (!back) return;
    checking = false;
    ask();
    run.refresh();
  },
  "train",
);
on("language", draw, "train");
draw();
