// What the form, the knobs and the model are now, as the rest of the page told: a run remembers it. Knows no drawing.

/** @typedef {import("./runs").About} About */

/** @type {{form: import("./runs").Form, knobs: import("../topics").Knobs | null, preset: string,
 *   preset_title: import("../types").Said, model: string}} */
export const now = { form: {}, knobs: null, preset: "", preset_title: null, model: "" };

/**
 * What a run that begins now is remembered by.
 * @returns {About}
 */
export const aboutNow = () => {
  const { kind, task } = now.form;
  const { model, knobs, preset, preset_title } = now;
  const about = { at: Date.now(), model, knobs, preset, preset_title, kind };
  return kind === "task" ? { ...about, task: task?.id, title: task?.title } : about;
};
