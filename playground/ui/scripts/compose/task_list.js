// Tasks to choose from, for every element that has such a list: the shipped ones, and a visitor's own behind them, each
// with its `yaml`, under the key by which this browser knows it.
import { make } from "../page/dom.js";
import { say } from "../page/language.js";

/** @typedef {import("../tasks").Task} Task */
/** @typedef {import("../tasks").OwnTask} OwnTask */

/**
 * @param {Task[]} shipped
 * @param {OwnTask[]} own
 * @returns {Task[]}
 */
export const withOwn = (shipped, own) => [
  ...shipped,
  ...own.map((one) => ({ ...one.record, id: one.key, yaml: one.yaml })),
];
/**
 * @param {HTMLSelectElement} list
 * @param {Task[]} tasks
 * @param {string} chosen
 */
export const drawTaskList = (list, tasks, chosen) => {
  /** @type {Map<string, HTMLOptionElement[]>} */
  const groups = new Map();
  for (const one of tasks) {
    const name = say(one.group);
    const options = groups.get(name) ?? [];
    groups.set(name, options);
    options.push(make("option", { value: one.id, dir: "auto" }, say(one.title)));
  }
  list.replaceChildren(...[...groups].map(([name, options]) => make("optgroup", { label: name }, ...options)));
  list.value = chosen;
};
