// What the server says of a knob's value stands beside the knob until what it is about has changed: the value itself, that
// of another knob that it names, or what the form is for. Then it is taken back everywhere on the page.
import { on, tell } from "../page/board.js";
import { madeRowOf } from "./groups.js";
import { KNOBS } from "./registry.js";
import { clearErrors } from "./rows.js";
import { namedIn } from "./search.js";

/** @typedef {import("../topics").Topics} Topics */

/** The row that says it, and the knobs that it names. @type {{row: import("./row").Row, about: string[]} | null} */
let current = null;

const takenBack = () => {
  if (!current) return;
  current = null;
  tell("complaint", null);
};
/** @param {Topics["complaint"]} complaint */
const complain = (complaint) => {
  const before = current?.row;
  current = null;
  before?.clear();
  const row = complaint?.parameter ? madeRowOf(complaint.parameter) : undefined;
  if (!complaint || !row) return;
  row.complain(complaint.text, takenBack);
  current = { row, about: namedIn(KNOBS, complaint.text) };
};
/**
 * These knobs have other values now.
 * @param {string[]} names
 */
export const turned = (names) => {
  if (!current?.about.some((name) => names.includes(name))) return;
  const { row } = current;
  row.clear();
  row.paint(row.value());
};

/** What the form is for. */
let place = "";
/** @param {Topics["composed"]} composed */
const follow = ({ kind, task }) => {
  const now = kind === "task" ? `task/${task?.id}` : kind;
  if (place && now !== place) clearErrors();
  place = now;
};

export const begin = () => {
  on("complaint", complain, "knobs");
  on("composed", follow, "knobs");
  on("restore", clearErrors, "knobs");
};
