// On a narrow screen the knobs are a drawer: this opens and closes it.
const pg = window.playground;
const play = document.getElementById("play");
const isOpen = () => play.dataset.drawer === "open";
const show = (open) => {
  play.dataset.drawer = open ? "open" : "";
  document.body.style.overflow = open ? "hidden" : "";
  if (open) element.querySelector("[name=close]").focus({ preventScroll: true });
};
element.addEventListener("click", (event) => {
  if (event.target.closest("[name=close], .drawer-shade")) show(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isOpen() && !event.defaultPrevented) {
    event.preventDefault();
    show(false);
  }
});
pg.on("drawer", show, "drawer");
pg.on("language", () => pg.apply(element), "drawer");
pg.apply(element);
