// What the server tells elements while something runs, each thing once (updates.py): an entry says to whom, of which
// event, and what it changes of what was told before. Knows no element.

const FED = 16; // states that are kept to be changed: of the newest events
/** @type {Map<string, any>} */
const fed = new Map();
/** @type {Map<string, (value: any) => void>} */
const hearers = new Map();
/** By whom it was for: the last value told to an element that has not begun. @type {Map<string, any>} */
const unheard = new Map();

/**
 * @param {any} old
 * @param {any} how a list: the whole value, or where a text is cut and what follows; else the parts that change, by name
 * @returns {any}
 */
export const changed = (old, how) => {
  if (Array.isArray(how)) return how.length === 1 ? how[0] : old.slice(0, how[0]) + how[1];
  /** @type {any} */
  const now = Array.isArray(old) ? [...old] : { ...old };
  for (const [name, part] of Object.entries(how)) now[name] = changed(now[name], part);
  return now;
};

/** @param {[to: string, event: string, how: unknown][]} entries */
export const feed = (entries) => {
  for (const [to, event, how] of entries) {
    const key = `${event} ${to}`;
    const value = changed(fed.get(key), how);
    fed.delete(key);
    if (event) fed.set(key, value);
    const [oldest] = fed.keys();
    if (fed.size > FED && oldest !== undefined) fed.delete(oldest);
    const hearer = hearers.get(to);
    if (hearer) hearer(value);
    else unheard.set(to, value);
  }
};
/**
 * One that comes late is told first what it missed, which is the last value: each says all that was told before.
 * @param {string} to
 * @param {(value: any) => void} hearer
 */
export const listen = (to, hearer) => {
  hearers.set(to, hearer);
  if (!unheard.has(to)) return;
  const value = unheard.get(to);
  unheard.delete(to);
  hearer(value);
};
