// A row of texts worth trying under an empty field: one that is pressed stands in the field as if it had been typed, and
// the row goes until the field is empty again. Knows neither form nor conversation.
import tries from "playground/data/tries.js";
import { make } from "../page/dom.js";
import { language, say } from "../page/language.js";
import { t } from "../page/words.js";
import { beginningOf } from "./try_label.js";

/**
 * @param {HTMLTextAreaElement} field
 * @param {keyof typeof tries} kind
 * @returns {(wanted?: boolean) => void} draws it; with false it stays away even from an empty field
 */
export const tryRow = (field, kind) => {
  const name = make("span", { class: "try-name", id: `try-${kind}` });
  const row = make("div", { class: "try", role: "group", "aria-labelledby": name.id });
  let drawn = ""; // in which language
  /** @param {string} text */
  const put = (text) => {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    field.setSelectionRange(text.length, text.length);
  };
  /** @param {string} text */
  const offer = (text) => {
    const beginning = beginningOf(text);
    const title = beginning === text ? null : text;
    const press = () => put(text);
    return make("button", { type: "button", class: "quiet", dir: "auto", title, onclick: press }, beginning);
  };
  field.closest(".field")?.after(row);
  return (wanted = true) => {
    row.hidden = !wanted || field.value !== "";
    if (drawn === language()) return;
    drawn = language();
    name.textContent = t("try_it");
    row.replaceChildren(name, ...tries[kind].map((text) => offer(say(text))));
  };
};
