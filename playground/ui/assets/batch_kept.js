// What this browser keeps of the tab Batch: the key of its job, and its form as it was left. A tab keeps its own over a
// reload; a new tab finds what was kept last. Runs inside the same function as batch.js.
const KEY = "playground-batch";
const FORM = "playground-batch-form"; // {key, name, task, own, wanted, fixed, n, seed, knobs}: of the job of this key
const keep = (name, text) => {
  pg.store(name, text);
  try { sessionStorage.setItem(name, text); } catch { /* private window: not kept */ }
};
const kept = (name) => {
  try { return sessionStorage.getItem(name) ?? pg.stored(name); } catch { return pg.stored(name); }
};
/** The server does not know this job any more; what another tab keeps stays. */
const forget = () => {
  const gone = kept(KEY);
  if (pg.stored(KEY) === gone) pg.store(KEY, "");
  try { sessionStorage.setItem(KEY, ""); } catch { /* as above */ }
};
const keepForm = () => {
  if (!job) return;
  const told = Object.fromEntries(["n", "seed"].map((name) => [name, find(`[name=${name}]`).value]));
  const { id, yaml } = taskNow();
  keep(FORM, JSON.stringify({ key: job.key, name: fileName, task: id, own: yaml ?? "", wanted, fixed, ...told, knobs: find("[name=knobs]").checked }));
};
/** The form of this job as it was left here, or as the job was run; null where it is a new one. */
const keptForm = ({ key, plan }) => {
  let form = null;
  try { form = JSON.parse(kept(FORM)); } catch { /* nothing that can be read */ }
  if (form?.key === key && (form.own ? written(form.own) : named(form.task))) return form;
  if (!plan.task) return null;
  const same = Object.fromEntries(Object.keys(plan.fixed).map((name) => [name, SAME]));
  return { name: form?.key === key ? form.name : "", task: plan.task, own: plan.own, wanted: { ...same, ...plan.mapping }, fixed: { ...plan.fixed }, n: plan.values.n ?? 1 };
};
