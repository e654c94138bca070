// A field that a run was refused for comes into sight, wherever on the page one has asked for the run. Knows no field.
import { find } from "./dom.js";

const TYPED = "textarea, select, input:not([type=checkbox], [type=radio], [type=range])";

/**
 * It takes the focus, and so is read aloud with what is wrong; but nobody is torn from a field in which he types.
 * @param {Element} field with its control and what is said of it
 */
export const showWrong = (field) => {
  const control = find(field, "input, textarea, select");
  if (!document.activeElement?.matches(TYPED)) control.focus({ preventScroll: true });
  field.scrollIntoView({ block: "nearest" });
};
