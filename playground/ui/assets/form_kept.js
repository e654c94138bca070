// The form of Play over a reload of this tab, and the knobs of each kind and task as they were left, for a reload and for
// Back. Runs inside the same function as compose.js. What was kept is taken part by part, where it still is what it was.
const KEPT_FORM = "playground-form";
const KEPT_KNOBS = "playground-knobs";
const MOST_PLACES = 20; // whose knobs are kept
const FORM_TEXTS = ["prompt", "system", "message", "prefill"];
const FORM_KINDS = ["task", "complete", "chat", "talk"];

const isPlain = (value) => Boolean(value) && typeof value === "object" && !Array.isArray(value);
const textsOf = (value) => (isPlain(value) ? Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string")) : {});
/** What a task's fields hold: what was kept where the field still takes it, else its default. */
const fieldsOf = (one, kept, language, defaults) => {
  const takes = (field) => typeof kept[field.name] === "string" && kept[field.name].length <= (field.max_length ?? Infinity)
    && (!field.choices || (field.choices[language] ?? field.choices.en).includes(kept[field.name]));
  return { ...defaults, ...Object.fromEntries(one.fields.filter(takes).map(({ name }) => [name, kept[name]])) };
};

const keepForm = (form) => {
  const { kind, task, own, fields, drafts, variables, special_tokens, fill, language } = form;
  const texts = Object.fromEntries(FORM_TEXTS.map((name) => [name, form[name]]));
  window.playground.keep(KEPT_FORM, { kind, task, own, fields, drafts, variables, special_tokens, fill, language, ...texts });
};
/** The parts of a form that were kept, or null. A task of one's own comes with its YAML; any other must be known. */
const keptForm = (tasks) => {
  const kept = window.playground.kept(KEPT_FORM);
  if (!isPlain(kept)) return null;
  const form = { fields: textsOf(kept.fields), variables: textsOf(kept.variables), drafts: {} };
  for (const [id, texts] of Object.entries(isPlain(kept.drafts) ? kept.drafts : {})) form.drafts[id] = textsOf(texts);
  for (const name of FORM_TEXTS) if (typeof kept[name] === "string") form[name] = kept[name];
  for (const name of ["special_tokens", "fill"]) if (typeof kept[name] === "boolean") form[name] = kept[name];
  if (FORM_KINDS.includes(kept.kind)) form.kind = kept.kind;
  if (kept.language === "en" || kept.language === "zh") form.language = kept.language;
  const own = typeof kept.own === "string" ? kept.own : "";
  const known = own ? typeof kept.task === "string" : tasks.some((one) => one.id === kept.task);
  if (known) Object.assign(form, { task: kept.task, own });
  else delete form.fields;
  return form;
};

// By place: the knobs as they were left there, and the preset they come from. The server decides what of them is valid.
const leftKnobs = new Map();
const placeKey = (form) => (form.kind === "task" ? `task/${form.task}` : form.kind);
const leaveKnobs = (form, knobs, preset) => {
  const key = placeKey(form);
  leftKnobs.delete(key);
  leftKnobs.set(key, { knobs, preset });
  if (leftKnobs.size > MOST_PLACES) leftKnobs.delete(leftKnobs.keys().next().value);
};
const keepKnobs = () => window.playground.keep(KEPT_KNOBS, Object.fromEntries(leftKnobs));
const findKnobs = () => {
  for (const [key, left] of Object.entries(window.playground.kept(KEPT_KNOBS) ?? {}).slice(-MOST_PLACES)) {
    if (isPlain(left) && isPlain(left.knobs)) leftKnobs.set(key, { knobs: left.knobs, preset: String(left.preset) });
  }
};
