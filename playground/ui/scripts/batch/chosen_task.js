// The tasks that a job can be run with, and which of them is chosen: the shipped ones, a visitor's own, and the one that the
// job was run with, also when this browser has changed or deleted it since.
import shipped from "playground/data/tasks.js";
import { drawTaskList, withOwn } from "../compose/task_list.js";
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { openJob } from "./open_job.js";

/** @typedef {import("../tasks").Task} Task */
/** @typedef {import("../tasks").OwnTask} OwnTask */

const { element, props } = hostOf("batch");
const KEPT_TASK = "own:kept"; // a task that only the job has yet
const picker = find(element, "[name=task]", HTMLSelectElement);
let tasks = shipped;
/** Those of the visitor, as user_tasks.js keeps them. @type {OwnTask[]} */
let own = [];

/** @param {string | undefined} id */
export const named = (id) => tasks.find((one) => one.id === id);
/** @param {string | undefined} yaml */
export const written = (yaml) => tasks.find((one) => yaml && one.yaml === yaml);
export const firstTask = () => named(props.first_task) ?? tasks[0];
export const taskNow = () => named(picker.value) ?? firstTask();
export const drawTasks = (wish = taskNow()) => drawTaskList(picker, tasks, wish.id);
export const gatherTasks = () => {
  const job = openJob();
  const known = job?.own && own.some((one) => one.yaml === job.plan.own);
  const kept = job?.own && !known ? [{ key: KEPT_TASK, yaml: job.plan.own ?? "", record: job.own }] : [];
  tasks = withOwn(shipped, [...own, ...kept]);
};
/** @param {OwnTask[]} list */
export const setOwnTasks = (list) => {
  own = list;
};
