// The field in which a turn is edited, in the place of its text. Knows nothing of what becomes of it.
import { make } from "../page/dom.js";
import { t } from "../page/words.js";

const LEAST = 64; // pixels of its height

/**
 * @param {HTMLElement} body the text, hidden meanwhile
 * @param {string} text
 * @param {string} label of the button that keeps it
 * @param {(text: string) => void} keep
 */
export const openEditor = (body, text, label, keep) => {
  const field = make("textarea", { class: "card-edit", dir: "auto", "aria-label": t("edit") });
  field.value = text;
  /** @param {boolean} kept */
  const close = (kept) => {
    const written = field.value;
    editor.remove();
    body.hidden = false;
    if (kept) keep(written);
  };
  field.addEventListener("keydown", (event) => {
    const keeps = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (!keeps && event.key !== "Escape") return;
    event.preventDefault();
    close(keeps);
  });
  const button = { type: "button", class: "quiet" };
  const bar = make(
    "div",
    { class: "card-editor-bar" },
    make("button", { ...button, class: "quiet strong", onclick: () => close(true) }, label),
    make("button", { ...button, onclick: () => close(false) }, t("discard")),
  );
  const editor = make("div", { class: "card-editor" }, field, bar);
  const height = body.offsetHeight;
  body.hidden = true;
  body.after(editor);
  field.style.height = `${Math.max(height + 16, LEAST)}px`;
  field.focus({ preventScroll: true });
};
