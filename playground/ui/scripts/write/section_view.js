// A section of the text, or its editor, drawn. Knows no draft.
import { find, make } from "../page/dom.js";
import { t } from "../page/words.js";
import { box, labelled, line, press } from "./text_box.js";

/** @typedef {import("./draft.js").Section} Section */

/** @param {string} text */
const paragraphs = (text) => text.split(/\n\s*\n/).map((one) => make("p", { dir: "auto" }, one));
/** @param {Section} section */
export const drawSection = (section) =>
  make(
    "article",
    { class: "write-section", "data-number": section.number },
    make(
      "header",
      {},
      section.heading ? make("h4", { dir: "auto" }, section.heading) : make("span"),
      section.model ? make("small", { title: section.revision ?? "" }, section.model) : make("span"),
      make("span", { class: "write-tools" }, press("edit", "write_edit"), press("remove", "write_remove")),
    ),
    ...paragraphs(section.text),
  );
/**
 * @param {Section} section
 * @param {{heading: number, text: number, gist: number}} most characters
 */
export const drawEditor = (section, most) =>
  make(
    "form",
    { class: "write-section write-editor", "data-number": section.number },
    labelled("write_section_heading", line("heading", section.heading, most.heading)),
    labelled("write_section_text", box("text", section.text, 8, most.text)),
    labelled("write_gist", line("gist", section.gist, most.gist, section.sentence)),
    make(
      "div",
      { class: "write-tools" },
      make("button", { type: "submit", class: "quiet strong", name: "keep" }, t("save")),
      press("discard", "discard"),
    ),
  );
/**
 * What stands in an editor.
 * @param {HTMLElement} form
 */
export const given = (form) => {
  /** @param {string} name */
  const words = (name) => /** @type {HTMLInputElement | HTMLTextAreaElement} */ (find(form, `[name=${name}]`)).value;
  return { heading: words("heading"), text: words("text"), gist: words("gist") };
};
