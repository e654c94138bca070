// The widths at which the page stands otherwise: scripts and style sheets mean the same ones.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { NARROW, ONE_COLUMN, WIDE } from "../../playground/ui/scripts/page/screen.js";

const UI = new URL("../../playground/ui/", import.meta.url);
/** @param {string} path */
const read = (path) => readFileSync(new URL(path, UI), "utf8");

test("style sheets name these widths", () => {
  assert.match(read("assets/workspace.css"), new RegExp(`@media \\(min-width: ${WIDE}px\\)`));
  assert.match(read("assets/play.css"), new RegExp(`@media \\(max-width: ${ONE_COLUMN}px\\)`));
  for (const sheet of ["waterfall", "tokens", "curve"]) {
    assert.match(read(`assets/${sheet}.css`), new RegExp(`@media \\(max-width: ${NARROW}px\\)`), sheet);
  }
});
test("scripts ask for a width nowhere else", () => {
  const scripts = readdirSync(new URL("scripts/", UI), { recursive: true }).map(String);
  for (const name of scripts.filter((one) => one.endsWith(".js") && !one.endsWith("page/screen.js"))) {
    assert.doesNotMatch(read(`scripts/${name}`), /matchMedia\(["'`]\((?:min|max)-width/, name);
  }
});
