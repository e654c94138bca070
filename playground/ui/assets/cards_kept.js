// The cards over a reload of this tab: kept by the browser for this tab alone, never sent anywhere, gone when it closes.
const KEPT = "playground-cards";
const MOST_KEPT = 1_500_000; // characters; browsers give a tab about five million

const listOf = (value, check) => Array.isArray(value) && value.every(check);
const isText = (value) => typeof value === "string";
const isVersion = (one) => Boolean(one) && isText(one.id) && isText(one.text) && (one.parent === null || isText(one.parent));
const isCard = (card) => Boolean(card) && listOf(card.versions, isVersion) && card.versions.length > 0 && listOf(card.gone, isText)
  && card.versions.some((one) => one.id === card.at && !card.gone.includes(one.id));
const isRun = (run) => Boolean(run) && isText(run.id) && Boolean(run.request) && listOf(run.cards, isCard) && run.cards.length > 0;
const isStep = (step) => Boolean(step) && isText(step.run) && Number.isInteger(step.card) && isText(step.what)
  && listOf(step.show, isText) && listOf(step.hide, isText) && isText(step.from) && isText(step.to);

/** The newest runs that fit; a run is kept whole or not at all. */
const keepCards = (runs, at) => {
  const own = runs.filter((run) => !run.example);
  const told = own.map((run) => JSON.stringify(run));
  let first = own.length;
  for (let room = MOST_KEPT; first > 0 && told[first - 1].length <= room; first -= 1) room -= told[first - 1].length;
  const kept = own.slice(first);
  const steps = (list) => list.filter((step) => kept.some((run) => run.id === step.run));
  const rest = { at: Math.max(own.indexOf(runs[at]) - first, 0), past: { done: steps(past.done), undone: steps(past.undone) } };
  try {
    if (!kept.length) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, `{"runs":[${told.slice(first).join()}],${JSON.stringify(rest).slice(1)}`);
  } catch { /* no room, or a browser that keeps nothing: the cards end with the page */ }
};
/** {runs, at} as they were, or null. A text that was being written when the page went was stopped by that. */
const keptCards = () => {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    if (!kept || !listOf(kept.runs, isRun) || !kept.runs.length) return null;
    const steps = (list) => (listOf(list, isStep) ? list.filter((step) => {
      const card = kept.runs.find((run) => run.id === step.run)?.cards[step.card];
      return card && [...step.show, ...step.hide, step.from, step.to].every((id) => byId(card, id));
    }) : []);
    past.done = steps(kept.past?.done);
    past.undone = steps(kept.past?.undone);
    for (const run of kept.runs) for (const card of run.cards) for (const one of card.versions) one.finish ??= "stopped";
    const at = Number.isInteger(kept.at) ? Math.min(Math.max(kept.at, 0), kept.runs.length - 1) : kept.runs.length - 1;
    return { runs: kept.runs, at };
  } catch {
    return null;
  }
};
