// What the fields of a task hold: at first, after a reload, in another language, and once a visitor's own tasks have
// changed. Knows no node and keeps nothing.

/** @typedef {import("../tasks").Task} Task */
/** @typedef {import("../tasks").TaskField} TaskField */
/** @typedef {import("../tasks").Words} Words */
/** @typedef {import("../types").Language} Language */

/**
 * @param {Task} task
 * @param {Language} language
 * @returns {Words}
 */
export const defaultsOf = (task, language) =>
  Object.fromEntries(task.fields.map((field) => [field.name, field.default?.[language] ?? field.default?.en ?? ""]));
/**
 * What was kept where the field still takes it, else its default.
 * @param {Task} task
 * @param {Words} kept
 * @param {Language} language in which it was kept
 * @param {Words} defaults
 * @returns {Words}
 */
export const fieldsOf = (task, kept, language, defaults) => {
  /** @param {TaskField} field */
  const takes = (field) =>
    typeof kept[field.name] === "string" &&
    kept[field.name].length <= (field.max_length ?? Infinity) &&
    (!field.choices || (field.choices[language] ?? field.choices.en).includes(kept[field.name]));
  return { ...defaults, ...Object.fromEntries(task.fields.filter(takes).map(({ name }) => [name, kept[name]])) };
};
/**
 * In another language: what still holds a default or a choice follows it; what a person typed stays.
 * @param {Task} task
 * @param {Words} fields
 * @param {Language} from
 * @param {Language} to
 * @returns {Words}
 */
export const followed = (task, fields, from, to) => {
  const now = { ...fields };
  for (const field of task.fields) {
    const place = field.choices ? field.choices[from].indexOf(now[field.name]) : -1;
    if (field.choices && place >= 0) now[field.name] = field.choices[to][place];
    else if (now[field.name] === field.default[from]) now[field.name] = field.default[to];
  }
  return now;
};
/**
 * The drafts of tasks whose YAML is what it was: of one that is changed or gone, the fields may be others now.
 * @param {Record<string, Words>} drafts by the ids of tasks
 * @param {Task[]} before
 * @param {Map<string, string>} yaml of a visitor's own as they are now
 * @returns {Record<string, Words>}
 */
export const survivingDrafts = (drafts, before, yaml) => {
  /** @param {string} id */
  const same = (id) => before.find((task) => task.id === id)?.yaml === yaml.get(id);
  return Object.fromEntries(Object.entries(drafts).filter(([id]) => same(id)));
};
