// What the browser keeps: for this tab over a reload, a crash and "reopen", or for good. Anybody may have written what is
// found, so whoever reads it checks it. Knows nothing of what is kept.

const KEPT_VERSION = 1; // what another version of this page kept is not read
const MOST_KEPT = 1_500_000; // characters; browsers give a tab about five million

/**
 * For good, in all tabs.
 * @param {string} key
 * @returns {string | null}
 */
export const stored = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};
/**
 * @param {string} key
 * @param {string} value
 * @returns {boolean} whether it is kept: a private window keeps nothing, and a full one no more
 */
export const store = (key, value) => {
  try {
    localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
};

/**
 * Plain data that no other tab sees. A duplicate of the tab begins with a copy.
 * @param {string} key
 * @param {unknown} data
 */
export const keep = (key, data) => {
  try {
    const text = JSON.stringify({ version: KEPT_VERSION, data });
    if (text.length <= MOST_KEPT) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // no room, or a browser that keeps nothing: it ends with the page
  }
};
/**
 * What was kept under this key; null where there is nothing.
 * @param {string} key
 * @returns {any}
 */
export const kept = (key) => {
  try {
    const found = JSON.parse(sessionStorage.getItem(key) ?? "null");
    return found?.version === KEPT_VERSION ? (found.data ?? null) : null;
  } catch {
    return null;
  }
};
