// What an estimate of memory says: whether the model fits, and the parts of the bar; how far a download is. Knows no word.

/** @typedef {import("../server").Estimate} Estimate */
/** @typedef {import("../server").Download} Download */
/** @typedef {"loaded_now" | "weights" | "packed" | "kv_cache" | "beside" | "free"} Part */

/** @type {("weights" | "packed" | "kv_cache" | "beside")[]} */
const OWN = ["weights", "packed", "kv_cache", "beside"];
const MINUTE = 60;
const HOUR = 3600;

/**
 * Whether it fits beside what is loaded now, or instead of it; what it lacks, in bytes.
 * @param {Estimate} estimate
 * @returns {{ fits: "yes" | "instead" | "no" | "engine" | "unknown", lacks: number }}
 */
export const verdict = ({ basis, need, free, loaded_now: loaded }) => {
  if (basis === "unknown" || basis === "engine") return { fits: basis, lacks: 0 };
  if (need <= free) return { fits: "yes", lacks: 0 };
  if (need <= free + loaded) return { fits: "instead", lacks: 0 };
  return { fits: "no", lacks: need - free - loaded };
};
/**
 * The parts of the bar in their order, each with its share of the whole, which is what the machine has or, where that is
 * more, what would be wanted of it. What takes nothing is left out.
 * @param {Estimate} estimate
 * @returns {{ part: Part, size: number, share: number }[]}
 */
export const barParts = (estimate) => {
  const { loaded_now: loaded, free } = estimate;
  const wanted = OWN.reduce((sum, part) => sum + estimate[part], 0);
  const all = loaded + Math.max(free, wanted);
  /** @type {[Part, number][]} */
  const sizes = [
    ["loaded_now", loaded],
    .../** @type {[Part, number][]} */ (OWN.map((part) => [part, estimate[part]])),
    ["free", Math.max(0, free - wanted)],
  ];
  return sizes.filter(([, size]) => size > 0).map(([part, size]) => ({ part, size, share: size / all }));
};
/**
 * How long a model has been idle.
 * @param {number} seconds
 * @returns {{ unit: "s" | "min" | "h", count: number }}
 */
export const idleTime = (seconds) => {
  if (seconds < MINUTE) return { unit: "s", count: Math.round(seconds) };
  if (seconds < 2 * HOUR) return { unit: "min", count: Math.floor(seconds / MINUTE) };
  return { unit: "h", count: Math.floor(seconds / HOUR) };
};
/**
 * The share of a switch's stage that is done, in whole percent; null where it is not known.
 * @param {{ share: number | null, download: Download | null }} state
 * @returns {number | null}
 */
export const percentDone = ({ share, download }) => {
  const known = download && download.total > 0 ? download.done / download.total : share;
  return known === null || known === undefined ? null : Math.max(0, Math.min(100, Math.floor(known * 100)));
};
/**
 * The page of a model on the hub; "" for what is no hub id.
 * @param {string} name
 * @param {string} hub its address
 */
export const hubPage = (name, hub) =>
  /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(name) && !/\.gguf$/i.test(name)
    ? `${hub.replace(/\/+$/, "")}/${name}`
    : "";
