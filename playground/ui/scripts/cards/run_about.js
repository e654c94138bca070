// What a run is about: what it is called, and whether the form is about the same. Knows no word and no drawing.

/** @typedef {import("../types").Said} Said */
/** @typedef {import("./runs").Run} Run */
/** @typedef {import("./runs").Form} Form */

const LONGEST = 40; // characters of a prompt or a field in a name

/** @param {unknown} text */
export const shortened = (text) => {
  const line = String(text ?? "")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
};
/**
 * The title of its task, and the beginning of what it was asked for.
 * @param {Pick<Run, "request" | "about">} run
 * @returns {{title: Said, asked: string}}
 */
export const subjectOf = ({ request, about }) => {
  const fields = Object.values(request.fields ?? {});
  const first = request.task ? fields.find((value) => typeof value === "string" && value.trim()) : request.prompt;
  return { title: about?.title, asked: shortened(first) };
};
/**
 * Whether the form is about the same as this run.
 * @param {Run} run
 * @param {Form} form
 */
export const isOfForm = ({ request, example, about }, form) => {
  if (example || !form.kind) return true;
  if (about?.kind && about.kind !== form.kind) return false;
  return form.kind === "task" ? (about?.task ?? request.task) === form.task?.id : !request.task;
};
/**
 * Whether a run folds under its head: it is of something else than the form, nobody unfolded it, and nothing is written.
 * @param {Run} run
 * @param {{form: Form, unfolded: string | null, growing: string | null}} now
 */
export const isFolded = (run, { form, unfolded, growing }) =>
  !run.example && !isOfForm(run, form) && unfolded !== run.id && !growing;
