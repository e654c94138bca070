// What was typed and is not kept on the server yet, over a reload: this browser keeps it until the server has answered.
// What
// other tabs change of the same draft is taken over here. Runs inside the same function as write.js.
const given = (form) => Object.fromEntries(["heading", "text", "gist"].map((name) => [name, form.querySelector(`[name=${name}]`).value]));
const place = () => draft?.key ?? tabName();
const keepTyped = () => {
  const form = find(".write-editor");
  const edit = form && { number: Number(form.dataset.number), ...given(form) };
  keepOf(TYPED, place(), unheard || edit ? { head: unheard ? head() : null, edit } : null);
};
const keepCards = () => keepOf(CARDS, place(), cards.length ? cards : null);
const cardsOf = (key) => {
  const found = keptOf(CARDS, key);
  return Array.isArray(found) ? found : [];
};
/** What the page before could not send any more stands where it was typed, and is sent now. */
const takeUp = ({ head: words, edit }) => {
  if (words) {
    for (const one of element.querySelectorAll("[data-head]")) if (typeof words[one.name] === "string") one.value = words[one.name];
    own = Boolean(words.carried);
    grow(field("plan"));
  }
  if (draft?.sections.some((one) => one.number === edit?.number)) {
    editing = edit.number;
    drawSections();
    for (const name of ["heading", "text", "gist"]) find(`.write-editor [name=${name}]`).value = edit[name] ?? "";
    grow(find(".write-editor textarea"));
  }
  if (words) soon();
};
/** The draft was left for another one: what was typed of it has arrived by now. */
const hearOfOther = (told, begins) => {
  if (begins) remember(told, false); // it was left before it had its key
  const kept = keptOf(TYPED, told.key);
  if (kept && told.at === newest.get(told.key)) keepOf(TYPED, told.key, kept.edit ? { ...kept, head: null } : null);
  drawDrafts();
};
/** What another tab has changed stands here too, but not where something was typed since. */
const followHead = (before, now) => {
  for (const one of headFields()) {
    if (one.name !== "carried" && one !== document.activeElement && one.value === before[one.name]) one.value = now[one.name];
  }
};
const keepRemoved = () => keepOf(REMOVED, draft.key, removed.length || returning ? [...removed, ...(returning ? [returning] : [])] : null);
/** A draft of which nothing is left is no draft. */
const isEmpty = () => draft && blank() && !draft.sections.length && !cards.length && !removed.length && !returning;
/** Before another draft is shown: what was typed goes to the server; an empty draft goes away. */
const leave = () => {
  if (!isEmpty()) { flush(); return; }
  trigger("forget", { key: draft.key });
  forgotten(draft.key);
};
