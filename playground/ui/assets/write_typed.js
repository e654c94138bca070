// What was typed and is not kept on the server yet, over a reload: this browser keeps it until the server has answered.
// Runs inside the same function as write.js.
const TYPED = "playground-write-typed"; // {key, head, edit}; key is null for a draft that has none yet
const given = (form) => Object.fromEntries(["heading", "text", "gist"].map((name) => [name, form.querySelector(`[name=${name}]`).value]));
const keepTyped = () => {
  const form = find(".write-editor");
  const edit = form && { number: Number(form.dataset.number), ...given(form) };
  const key = draft?.key ?? null;
  pg.store(TYPED, unheard || edit ? JSON.stringify({ key, head: unheard ? head() : null, edit }) : "");
};
/** What the page before could not send any more stands where it was typed, and is sent now. */
const takeUp = () => {
  const { head: words, edit } = left;
  left = null;
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
