// What is filled in on Play, and the tasks that may be chosen. It is decided here and nowhere else, told to the page, and
// kept for this tab. Draws nothing and asks for nothing.
import rules from "playground/data/rules.js";
import shipped from "playground/data/tasks.js";
import { tell } from "../page/board.js";
import { hostOf } from "../page/element.js";
import { keep as keepFor, kept as keptBefore } from "../page/kept.js";
import { language } from "../page/language.js";
import { formOf, LeftByPlace, placeKey, toKeep } from "./form_kept.js";
import { defaultsOf } from "./task_fields.js";
import { withOwn } from "./task_list.js";
import * as places from "./variables.js";

/** @typedef {import("../tasks").Form} Form */
/** @typedef {import("../tasks").Task} Task */

const { props, watch } = hostOf("compose");
const KEPT_FORM = "playground-form";
const KEPT_KNOBS = "playground-knobs";
const KEEP = 300; // milliseconds behind a change
const PLACE = new RegExp(rules.place, "gu");
export const MOST_VARIABLES = rules.most_variables;

/** @type {Form} */
let now = props.value;
let listed = shipped;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let soon;
const left = new LeftByPlace();

export const form = () => now;
/** All that may be chosen: a visitor's own behind the shipped ones. */
export const tasks = () => listed;
/** @param {import("../tasks").OwnTask[]} own */
export const setOwnTasks = (own) => {
  listed = withOwn(shipped, own);
};
/** @param {string | undefined} id */
export const taskNamed = (id) => listed.find((one) => one.id === id);
/** The one that is chosen, or would be if a task were. */
export const task = () => taskNamed(now.task) ?? listed[0];
/** @param {Task} one */
export const defaults = (one) => defaultsOf(one, language());

export const placeNames = () => places.placesOf(now, PLACE);
export const variables = () => places.variablesOf(now, PLACE, MOST_VARIABLES);

/** @param {Partial<Form>} changes */
export const change = (changes) => {
  now = { ...now, ...changes, language: language() };
  props.value = now;
  tell("composed", { kind: now.kind, task: task(), own: now.own, fields: variables().length });
  keepSoon();
};
/**
 * What belongs to a task when it is put in the place of another, whose fields are remembered.
 * @param {Task} one
 * @param {Form["drafts"]} [drafts]
 * @returns {Partial<Form>}
 */
export const turnedTo = (one, drafts = { ...now.drafts, [now.task]: now.fields }) => ({
  task: one.id,
  own: one.yaml ?? "",
  fields: drafts[one.id] || defaults(one),
  drafts,
});

const keep = () => {
  clearTimeout(soon);
  soon = undefined;
  keepFor(KEPT_FORM, toKeep(now));
  keepFor(KEPT_KNOBS, left.toKeep());
};
const keepSoon = () => {
  soon ??= setTimeout(keep, KEEP);
};
/**
 * The knobs that are left where the form is now.
 * @param {import("../tasks").LeftKnobs} held
 */
export const leaveKnobs = (held) => {
  left.leave(placeKey(now), held);
  keepSoon();
};
/** Those that were left here before, if any were. */
export const knobsLeftHere = () => left.at(placeKey(now));
/** What was kept of this tab's form before a reload, where anything was; its knobs are known from here on. */
export const findKept = () => {
  const kept = formOf(keptBefore(KEPT_FORM), listed);
  left.find(keptBefore(KEPT_KNOBS));
  return kept;
};

window.addEventListener("pagehide", keep);
// Gradio may set an element back to what it was when the page came, just after its script has run: then this is put in
// force again.
watch("value", () => {
  if (JSON.stringify(props.value) !== JSON.stringify(now)) props.value = now;
});
