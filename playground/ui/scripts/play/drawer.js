// On a narrow screen the knobs are a drawer, on a phone a sheet from below: this opens and closes it.
import { on } from "../page/board.js";
import { around, find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { isNarrow } from "../page/screen.js";
import { apply } from "../page/words.js";

const { element } = hostOf("drawer");
const play = find(document, "#play");

const isOpen = () => play.dataset.drawer === "open";
/** @param {boolean} open */
const show = (open) => {
  play.dataset.drawer = open ? "open" : "";
  document.body.style.overflow = open && !isNarrow() ? "hidden" : "";
  if (!open) return;
  find(element, "[name=close]").focus({ preventScroll: true });
  if (isNarrow()) (document.querySelector(".results .card") ?? element).scrollIntoView({ block: "start" });
};

element.addEventListener("click", (event) => {
  if (around(event, "[name=close], .drawer-shade")) show(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isOpen() && !event.defaultPrevented) {
    event.preventDefault();
    show(false);
  }
});
on("drawer", show, "drawer");
on("language", () => apply(element), "drawer");
apply(element);
