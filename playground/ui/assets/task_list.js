// Tasks to choose from, for every element that has such a list: the shipped ones, and a visitor's own behind them, each
// with its `yaml`, under the key by which this browser knows it.
const withMine = (shipped, mine) => [...shipped, ...mine.map((one) => ({ ...one.record, id: one.key, yaml: one.yaml }))];
const drawTaskList = (list, tasks, chosen) => {
  const groups = new Map();
  for (const one of tasks) {
    const name = window.playground.say(one.group);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(window.playground.make("option", { value: one.id, dir: "auto" }, window.playground.say(one.title)));
  }
  list.replaceChildren(...[...groups].map(([name, options]) => window.playground.make("optgroup", { label: name }, ...options)));
  list.value = chosen;
};
