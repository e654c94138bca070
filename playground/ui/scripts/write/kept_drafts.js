// What this browser keeps of drafts: which there are, and of each what the server does not have. Several tabs share it, so
// it is read again before each change. Runs inside the same function as write.js.
const KEYS = "playground-drafts"; // [{key, title}], the newest first
const SETTINGS = "playground-write";
const CARDS = "playground-write-cards"; // by draft: candidates that wait to be accepted
const TYPED = "playground-write-typed"; // by draft: what was typed and not sent yet, {head, edit}
const REMOVED = "playground-write-removed"; // by draft: removed sections that can be brought back, the last one last
const OPEN = "playground-write-open"; // of this tab: the draft that it shows
const TAB = "playground-write-tab"; // of this tab: its name, which stands for a draft that has no key yet
const NAMELESS = "new:";
const MOST_KEPT = 40; // drafts of which something is kept
const ofTab = (name) => { try { return sessionStorage.getItem(name); } catch { return null; } };
const keepOfTab = (name, text) => { try { sessionStorage.setItem(name, text); } catch { /* private window: not kept */ } };
const read = (name, otherwise) => { try { return JSON.parse(pg.stored(name)) ?? otherwise; } catch { return otherwise; } };
const readAll = (name) => {
  const all = read(name, {});
  return typeof all === "object" && !Array.isArray(all) ? all : {};
};
const storeAll = (name, entries) => pg.store(name, entries.length ? JSON.stringify(Object.fromEntries(entries.slice(-MOST_KEPT))) : "");
const keptOf = (name, key) => {
  const found = readAll(name)[key];
  return typeof found === "object" ? found : null;
};
/** Nothing is kept where `what` is null. */
const keepOf = (name, key, what) => {
  const others = Object.entries(readAll(name)).filter(([one]) => one !== key);
  storeAll(name, what === null ? others : [...others, [key, what]]);
};
const tabName = () => {
  if (!ofTab(TAB)) keepOfTab(TAB, NAMELESS + Math.random().toString(36).slice(2));
  return ofTab(TAB) ?? NAMELESS;
};
/** A new tab takes up what a closed one left of a draft without a key; one that is still open keeps its own again. */
const adopt = () => {
  if (ofTab(TAB)) return;
  const left = [...Object.keys(readAll(CARDS)), ...Object.keys(readAll(TYPED))].filter((key) => key.startsWith(NAMELESS)).pop();
  if (!left) return;
  for (const name of [CARDS, TYPED]) {
    const found = keptOf(name, left);
    keepOf(name, left, null);
    if (found) keepOf(name, tabName(), found);
  }
};
const listed = () => {
  const found = read(KEYS, []);
  return Array.isArray(found) ? found.filter((one) => typeof one?.key === "string") : [];
};
const remember = ({ key, head: { title } }, first = true) => {
  const others = listed().filter((one) => one.key !== key);
  pg.store(KEYS, JSON.stringify(first ? [{ key, title }, ...others] : [...others, { key, title }]));
};
const forgotten = (key) => {
  pg.store(KEYS, JSON.stringify(listed().filter((one) => one.key !== key)));
  for (const name of [CARDS, TYPED, REMOVED]) keepOf(name, key, null);
};

// The numbers of the form, and their settings, which are those of the browser.
const numbers = ["n", "length", "room"];
/** A whole number; what is none goes on as it is, to be refused by name. */
const whole = (name) => {
  const given = find(`[name=${name}]`).value.trim();
  return /^-?\d+$/.test(given) ? Number(given) : given;
};
/** −1 draws anew; what is no number goes on as it is, to be refused by name. */
const seed = () => {
  const given = find("[name=seed]").value.trim();
  return given === "" ? -1 : /^-?\d+$/.test(given) ? Number(given) : given;
};
const keepSettings = () => {
  drawCards();
  const usable = numbers.filter((one) => whole(one) > 0);
  pg.store(SETTINGS, JSON.stringify({ ...Object.fromEntries(usable.map((one) => [one, whole(one)])), seed: find("[name=seed]").value }));
};
const lockSeed = (chosen) => {
  find("[name=seed]").value = chosen;
  keepSettings();
};
