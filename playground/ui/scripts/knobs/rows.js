// The rows of the panel by the names of their knobs. A row is made when its group is first shown: most groups are closed
// when the page begins.
import { hostOf } from "../page/element.js";
import { biasRow } from "./bias.js";
import { boolRow, choiceRow, idListsRow, idsRow, textRow, textsRow } from "./fields.js";
import { numberRow } from "./numbers.js";
import { orderRow } from "./order_row.js";
import { Row } from "./row.js";
import { seedRow } from "./seed.js";

/** @typedef {import("./knob").Knob} Knob */
/** @typedef {import("./knob").KnobKind} KnobKind */

const { props } = hostOf("knobs");
/** @type {Record<KnobKind, (row: Row) => void>} */
const KINDS = {
  float: numberRow,
  int: numberRow,
  bool: boolRow,
  choice: choiceRow,
  text: textRow,
  texts: textsRow,
  ids: idsRow,
  id_lists: idListsRow,
  bias: biasRow,
  id_bias: biasRow,
  order: orderRow,
  seed: seedRow,
};
/** @type {Map<string, Row>} */
const rows = new Map();

/**
 * @param {string} name
 * @returns {Row | undefined} undefined as long as it has not been shown
 */
export const rowOf = (name) => rows.get(name);
export const allRows = () => [...rows.values()];
/** @param {Knob} knob */
export const makeRow = (knob) => {
  const row = new Row(knob);
  KINDS[knob.kind](row);
  row.end();
  rows.set(knob.name, row);
  row.paint(row.value());
  row.paintNotes(props.badges?.[knob.name]);
  row.paintState();
  return row;
};
/** @param {Row} row */
export const paintNotes = (row) => row.paintNotes(props.badges?.[row.knob.name]);
/** Nothing is wrong any more: every control shows its value again. */
export const clearErrors = () => {
  for (const row of rows.values()) {
    if (!row.failed()) continue;
    row.clear();
    row.paint(row.value());
  }
};
