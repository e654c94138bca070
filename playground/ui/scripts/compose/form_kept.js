// What of Play's form is kept over a reload of this tab, and which of what was found is taken: part by part, where it
// still is what it was, since anybody may have written it. Also the knobs of each place as they were left, for a reload
// and for Back. Keeps nothing itself.

/** @typedef {import("../tasks").Form} Form */
/** @typedef {import("../tasks").LeftKnobs} Left */
/** @typedef {import("../tasks").Words} Words */

const MOST_PLACES = 20; // whose knobs are kept
/** @type {("prompt" | "system" | "message" | "prefill")[]} */
const TEXTS = ["prompt", "system", "message", "prefill"];
/** @type {("special_tokens" | "fill")[]} */
const SWITCHES = ["special_tokens", "fill"];
const KINDS = ["task", "complete", "chat", "talk"];

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
const isPlain = (value) => Boolean(value) && typeof value === "object" && !Array.isArray(value);
/**
 * @param {unknown} value
 * @returns {Words}
 */
const textsOf = (value) =>
  isPlain(value) ? Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string")) : {};

/** @param {Form} form */
export const toKeep = (form) => {
  const { kind, task, own, fields, drafts, variables, special_tokens, fill, language } = form;
  const texts = Object.fromEntries(TEXTS.map((name) => [name, form[name]]));
  return { kind, task, own, fields, drafts, variables, special_tokens, fill, language, ...texts };
};
/**
 * The parts of a form that were kept; null where there is none. A task of one's own comes with its YAML; any other must
 * be known.
 * @param {unknown} kept
 * @param {{id: string}[]} tasks
 * @returns {Partial<Form> | null}
 */
export const formOf = (kept, tasks) => {
  if (!isPlain(kept)) return null;
  /** @type {Partial<Form>} */
  const form = { fields: textsOf(kept.fields), variables: textsOf(kept.variables), drafts: draftsOf(kept.drafts) };
  for (const name of TEXTS) if (typeof kept[name] === "string") form[name] = kept[name];
  for (const name of SWITCHES) if (typeof kept[name] === "boolean") form[name] = kept[name];
  if (KINDS.includes(kept.kind)) form.kind = kept.kind;
  if (kept.language === "en" || kept.language === "zh") form.language = kept.language;
  const own = typeof kept.own === "string" ? kept.own : "";
  const known = own ? typeof kept.task === "string" : tasks.some((one) => one.id === kept.task);
  if (known) Object.assign(form, { task: kept.task, own });
  else delete form.fields;
  return form;
};
/**
 * @param {unknown} kept
 * @returns {Record<string, Words>}
 */
const draftsOf = (kept) =>
  Object.fromEntries(Object.entries(isPlain(kept) ? kept : {}).map(([id, texts]) => [id, textsOf(texts)]));

/**
 * Whose knobs these are: those of a task, or of a kind.
 * @param {Form} form
 */
export const placeKey = (form) => (form.kind === "task" ? `task/${form.task}` : form.kind);

/** The knobs of each place as they were left there last; the server decides what of them is valid. */
export class LeftByPlace {
  /** @type {Map<string, Left>} */
  #left = new Map();

  /**
   * @param {string} key
   * @param {Left} left
   */
  leave(key, left) {
    this.#left.delete(key);
    this.#left.set(key, left);
    const [oldest] = this.#left.keys();
    if (this.#left.size > MOST_PLACES) this.#left.delete(oldest);
  }
  /**
   * @param {string} key
   * @returns {Left | null}
   */
  at(key) {
    return this.#left.get(key) ?? null;
  }
  toKeep() {
    return Object.fromEntries(this.#left);
  }
  /** @param {unknown} kept */
  find(kept) {
    for (const [key, left] of Object.entries(isPlain(kept) ? kept : {}).slice(-MOST_PLACES)) {
      if (isPlain(left) && isPlain(left.knobs)) this.#left.set(key, { knobs: left.knobs, preset: String(left.preset) });
    }
  }
}
