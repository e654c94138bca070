// Light or dark: what was chosen here, or what the system says.
import { tell } from "./board.js";
import { store, stored } from "./kept.js";

/** @typedef {"light" | "dark"} Theme */

const KEY = "playground-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

/** @returns {Theme} */
export const theme = () => {
  const before = stored(KEY);
  return before === "light" || before === "dark" ? before : system.matches ? "dark" : "light";
};
export const paintTheme = () => {
  document.body.classList.toggle("dark", theme() === "dark");
  tell("theme", theme());
};
/** @param {Theme} wanted */
export const setTheme = (wanted) => {
  store(KEY, wanted);
  paintTheme();
};
system.addEventListener("change", paintTheme);
