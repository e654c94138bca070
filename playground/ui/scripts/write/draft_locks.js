// Which drafts are open in a tab of this browser: each holds a lock on its own while it shows it. Knows no element.

const NAMED = "playground-draft:";
/** Lets go of the lock that this tab holds. */
let release = () => {};

/**
 * This draft is the one that is shown here; none where it is null.
 * @param {string | null} key
 */
export const hold = (key) => {
  release();
  release = () => {};
  if (key === null || !navigator.locks) return; // a page over plain HTTP has none
  let letGo = () => {};
  const gone = new Promise((done) => {
    letGo = () => done(null);
  });
  release = letGo;
  navigator.locks.request(NAMED + key, { mode: "shared" }, () => gone);
};
/** The keys of drafts that are open in a tab. @returns {Promise<Set<string>>} */
export const openKeys = async () => {
  const { held = [] } = navigator.locks ? await navigator.locks.query() : {};
  const names = held.map(({ name }) => name ?? "").filter((name) => name.startsWith(NAMED));
  return new Set(names.map((name) => name.slice(NAMED.length)));
};
