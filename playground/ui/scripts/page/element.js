// How an element of the page begins, and what it gets of Gradio. Python and it speak in JSON texts, which Gradio takes for
// texts and searches no further (element.py). What stands on a tab begins once that tab is shown. Knows no element by name.
import { here } from "./address.js";
import { on } from "./board.js";

/** @typedef {import("../types").Host<any>} Host */

/** @type {Map<string, Host>} */
const hosts = new Map();
/** What stands on a tab that was not shown yet, in the order of the page. @type {{tab: string, begin: () => void}[]} */
let waiting = [];
let begun = Promise.resolve();
let beginning = 0; // elements whose modules have not run yet

/**
 * Props as what they say: Gradio holds the text, `props` reads and sets what it stands for.
 * @param {Record<string, any>} raw
 * @returns {Record<string, any>}
 */
const spoken = (raw) => {
  /** @type {Map<string, {text: string, says: any}>} */
  const known = new Map(); // by name: the last text and what it says
  return new Proxy(raw, {
    get: (place, key) => {
      const name = String(key);
      const text = place[name];
      if (typeof text !== "string") return text;
      const before = known.get(name);
      if (before?.text === text) return before.says;
      let says = text;
      try {
        says = JSON.parse(text);
      } catch {
        // one of Gradio's own props
      }
      known.set(name, { text, says });
      return says;
    },
    set: (place, key, says) => {
      const name = String(key);
      const text = JSON.stringify(says ?? null);
      known.set(name, { text, says });
      place[name] = text;
      return true;
    },
  });
};

/**
 * Called by Gradio for each element that it has put on the page (`Element` in element.py), in their order; the modules run
 * in this order too, those of a tab when it is first shown. What was told to one that had not begun reaches it then: its
 * props as they stand, of each topic that is a state the last message (board.js), and what the server fed it (feed.js).
 * @param {string} module below scripts/; it takes its host with hostOf, or exports begin(host) where there are several
 * @param {string} name
 * @param {string[]} _events that the server may listen to; named here because Gradio looks for them in the call
 * @param {{element: HTMLElement, trigger: (event: string, data: string) => void, props: Record<string, any>,
 *   watch: Host["watch"]}} given
 * @param {string} [tab] the only one on which it is seen, if it begins no earlier
 */
export const start = (module, name, _events, { element, trigger, props, watch }, tab) => {
  /** @type {Host} */
  const host = {
    name,
    element,
    props: spoken(props),
    trigger: (event, data) => trigger(event, JSON.stringify(data ?? null)),
    watch,
  };
  hosts.set(name, host);
  const begin = () => {
    beginning += 1;
    begun = begun
      .then(() => import(`../${module}`))
      .then((loaded) => loaded.begin?.(host))
      .then(() => {
        element.style.visibility = "";
      })
      .catch((error) => console.error(error))
      .finally(() => {
        beginning -= 1;
      });
  };
  if (!tab || here().tab === tab) {
    begin();
    return;
  }
  element.style.visibility = "hidden"; // so that nothing is pressed that would not be heard
  waiting.push({ tab, begin });
};
on(
  "place",
  ({ tab }) => {
    const shown = waiting.filter((one) => one.tab === tab);
    waiting = waiting.filter((one) => one.tab !== tab);
    for (const { begin } of shown) begin();
  },
  "element",
);
/** Whether all that is shown so far is drawn: until then what stands there is markup without life. */
export const allBegun = () => beginning === 0;
/**
 * Of an element that has begun.
 * @template {keyof import("../events").Events} Name
 * @param {Name} name
 * @returns {import("../types").Host<Name>}
 */
export const hostOf = (name) => {
  const host = hosts.get(name);
  if (!host) throw new Error(`${name} has not begun.`);
  return /** @type {import("../types").Host<Name>} */ (/** @type {unknown} */ (host));
};
