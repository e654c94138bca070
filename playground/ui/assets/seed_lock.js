// The lock beside a seed: closed while the seed is kept. Runs inside the same function as the script behind it.
const lockIcon = (open) => `<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" fill="none"
  stroke="currentColor" stroke-width="1.5"><rect x="3" y="7" width="10" height="7" rx="1.5"></rect>
  <path d="${open ? "M5.5 7V4.5a2.5 2.5 0 0 1 4.8-1" : "M5.5 7V4.5a2.5 2.5 0 0 1 5 0V7"}"></path></svg>`;
const drawLock = (lock, locked) => {
  lock.innerHTML = lockIcon(!locked);
  lock.setAttribute("aria-pressed", String(locked));
  lock.title = pg.t(locked ? "unlock_seed" : "lock_seed");
  lock.setAttribute("aria-label", lock.title);
};
const drawnSeed = () => Math.floor(Math.random() * 2 ** 31);
