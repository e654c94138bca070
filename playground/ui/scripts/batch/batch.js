// The tab Batch: a file of rows through one task. The server keeps the job; this browser keeps the key to it. Results come
// back as text and become a file here.
import { on } from "../page/board.js";
import { around, find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { listen } from "../page/feed.js";
import { language } from "../page/language.js";
import { bytes, number } from "../page/numbers.js";
import { saveFile } from "../page/save_file.js";
import { seedText } from "../page/typed_numbers.js";
import { apply, t } from "../page/words.js";
import * as files from "./chosen_file.js";
import * as tasks from "./chosen_task.js";
import * as doubt from "./doubt.js";
import * as form from "./form.js";
import { forgetKey, keepKey, keptKey } from "./kept_job.js";
import { fail } from "./notices.js";
import { openJob, setJob, setNameOfFile, showFrom } from "./open_job.js";
import { drawPreview, showPreview } from "./preview.js";
import * as progress from "./progress.js";

/** @typedef {import("./open_job.js").Job} Job */

const { element, props, trigger, watch } = hostOf("batch");
let path = "";

const drawPath = () => {
  find(element, ".batch-path").textContent = path ? t(`batch_on_${path}`) : "";
};
const draw = () => {
  apply(element);
  const { rows, bytes: size, candidates } = props.most;
  find(element, ".batch-limits").textContent = t("batch_limits", { rows: number(rows), size: bytes(size) });
  find(element, "[name=n]", HTMLInputElement).max = candidates;
  tasks.drawTasks();
  form.drawFields();
  progress.drawStatus();
  drawPreview();
  form.drawRemark();
  drawPath();
  files.drawChoices();
  progress.drawRefused();
  files.drawFile();
  doubt.drawDoubt();
};
/** @param {Job} job which the server has opened */
const showJob = (job) => {
  fail(null);
  setJob(job);
  showFrom(1);
  showPreview(null);
  doubt.settle();
  tasks.gatherTasks();
  const left = form.formOf(job);
  setNameOfFile(files.becomesJob() ?? left?.name ?? "");
  files.drawFile();
  keepKey(job.key);
  progress.drawRefused();
  tasks.drawTasks(left?.own ? tasks.written(left.own) : tasks.named(left?.task));
  if (left) form.fillForm(left);
  else form.beginForm();
  form.keepForm();
  progress.follow();
};
const heardJob = () => {
  const told = props.job;
  files.drawChoices();
  files.sendingEnds();
  if (told?.error) {
    if (told.known) fail(told.error);
    else forgetKey();
    files.drawFile();
    return;
  }
  if (told) showJob(told);
};

/** What the buttons do with the open job. @type {Record<string, (job: Job, button: HTMLButtonElement) => void>} */
const PRESSED = {
  run: (_job, button) => progress.run(button),
  first: (job) => trigger("look", form.wishOf(job)),
  resume: () => progress.goOn("resume"),
  retry: () => progress.goOn("retry"),
  pause: ({ key }) => trigger("pause", { key }),
  halt: ({ key }) => trigger("halt", { key }),
  csv: ({ key }) => trigger("save", { key, kind: "csv", language: language(), at: Date.now() }),
  jsonl: ({ key }) => trigger("save", { key, kind: "jsonl", language: language(), at: Date.now() }),
  earlier: () => progress.turn(-1),
  later: () => progress.turn(1),
};
element.addEventListener("click", (event) => {
  const button = around(event, "button", HTMLButtonElement);
  if (!button) return;
  if (button.name === "choose") files.sendAgain(button);
  if (button.name === "sample") files.takeExample();
  if (button.name === "last-file") files.goBack();
  if (button.name === "unsure") doubt.settle();
  if (button.name === "sure") doubt.act();
  const job = openJob();
  if (!job || files.isAside()) return;
  fail(null);
  PRESSED[button.name]?.(job, button);
});
element.addEventListener("change", (event) => {
  const field = /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target);
  const { name, value } = field;
  if (field instanceof HTMLInputElement && field.type === "file") {
    const [file] = field.files ?? [];
    if (!file) return;
    files.take(file);
    field.value = "";
    return;
  }
  const ofField = field.dataset.field ?? "";
  if (name === "seed") field.value = seedText(value);
  if (name === "task") form.beginForm();
  if (name === "column") form.chooseColumn(ofField, value);
  if (name === "fixed") form.fix(ofField, value);
  if (name === "column") form.drawFields();
  form.formChanged();
});
element.addEventListener("input", (event) => {
  const field = around(event, "[name=n], [name=seed], [name=fixed]");
  if (field) form.formChanged();
});
element.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !doubt.doubted()) return;
  event.preventDefault();
  doubt.settle();
});
element.addEventListener("dragover", (event) => event.preventDefault());
element.addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) files.take(file);
});
watch("taken", () => files.sendNext(props.taken));
watch("job", heardJob);
watch("about", form.heardAbout);
watch("status", () => progress.heard(props.status));
watch("file", () => {
  if (!props.file) return;
  progress.markSaved();
  saveFile(props.file.name, props.file.text, "text/plain;charset=utf-8");
});
listen("batch-preview", showPreview);
on(
  "refused",
  (sentence) => {
    if (!openJob() && !files.isSending()) return;
    files.sendingEnds();
    fail(sentence);
    files.drawFile();
    progress.drawStatus();
  },
  "batch",
);
on(
  "connection",
  ({ again }) => {
    if (again) fail(null); // what was asked meanwhile is asked again
  },
  "batch",
);
on(
  "user_tasks",
  (list) => {
    const before = tasks.taskNow();
    tasks.setOwnTasks(list);
    const job = openJob();
    const isKnown = list.some((/** @type {{key: string}} */ one) => one.key === before.id);
    if (job && progress.isPlanned() && before.yaml && !isKnown) {
      setJob({ ...job, own: before, plan: { ...job.plan, own: before.yaml } }); // it is the job's alone now
    }
    tasks.gatherTasks();
    tasks.drawTasks(tasks.named(before.id) ?? tasks.written(before.yaml));
    if (tasks.taskNow().yaml === before.yaml) return;
    form.drawFields();
    form.ask(true);
  },
  "batch",
);
on(
  "path",
  (chosen) => {
    path = chosen;
    drawPath();
  },
  "batch",
);
on(
  "server",
  (status) => {
    if (status.model) form.ask(false); // only then is there a model to speak of
  },
  "batch",
);
on(
  "language",
  () => {
    draw();
    form.ask(false);
  },
  "batch",
);

draw();
const key = keptKey();
if (key) trigger("opened", { key });
