// One text as the server tells of it, and how it is read: its answer, its list or table, and as plain text. No words, no
// drawing.

/** @typedef {import("../types").Said} Said */
/** @typedef {{head: Said[], rows: Said[][]}} Table without headings it is a JSON object: a property a row */

/**
 * What the server tells of a text (card_updates.py), and what the page adds: `edited` by hand, `plain` where a list or a
 * table is shown as text, `otherModel` where it was not written by the model of its run. An example has less of it, and
 * a message of a visitor only its text.
 * @typedef {{
 *   text: string,
 *   thought?: string,
 *   answer?: string | null,
 *   thinks?: boolean,
 *   closes?: string | null,
 *   tokens?: number | null,
 *   speed?: number | null,
 *   first?: number | null,
 *   proposed?: number,
 *   accepted?: number,
 *   finish?: string | null,
 *   end_token?: string | null,
 *   reason?: Said,
 *   remark?: Said,
 *   seed?: number | null,
 *   items?: string[] | null,
 *   numbered?: boolean,
 *   table?: Table | null,
 *   short?: boolean,
 *   path?: string | null,
 *   weights?: string | null,
 *   model?: string,
 *   revision?: string,
 *   otherModel?: boolean,
 *   edited?: boolean,
 *   plain?: boolean,
 * }} Row
 */

/**
 * A text without what was thought before it.
 * @param {Row} row
 * @returns {string}
 */
export const answerOf = (row) => row.answer ?? row.text;
/**
 * The parts of a list that has ended, where there are any.
 * @param {Row} row
 * @returns {string[] | null}
 */
const partsOf = (row) => (row.finish && row.items?.length ? row.items : null);
/**
 * The table of a text that has ended, where it has a row.
 * @param {Row} row
 * @returns {Table | null}
 */
const wholeTable = (row) => (row.finish && row.table?.rows.length ? row.table : null);
/**
 * The parts of a list that is to be shown as one.
 * @param {Row} row
 * @returns {string[] | null}
 */
export const listOf = (row) => (row.plain ? null : partsOf(row));
/**
 * The table that is to be shown as one.
 * @param {Row} row
 * @returns {Table | null}
 */
export const tableOf = (row) => (row.plain ? null : wholeTable(row));
/**
 * Whether it can be shown in another form than as text.
 * @param {Row} row
 */
export const hasForm = (row) => Boolean(partsOf(row) ?? wholeTable(row));

/**
 * As it is copied. Tabs between cells: so a spreadsheet takes it as a table. What has no headings is a JSON object, and
 * stays one.
 * @param {Row} row
 * @param {(text: Said) => string} say
 * @returns {string}
 */
export const plainText = (row, say) => {
  const table = tableOf(row);
  if (table?.head.length) {
    return [table.head, ...table.rows].map((cells) => cells.map(say).join("\t")).join("\n");
  }
  const items = listOf(row);
  if (!items) return answerOf(row).trimStart(); // as it is shown
  return items.map((item, at) => (row.numbered ? `${at + 1}. ${item}` : item)).join("\n");
};
/**
 * The key of what stands where a text would, once it has ended without one.
 * @param {Row} row
 */
export const nothingKey = (row) => (row.edited ? "emptied" : row.finish === "end" ? "empty_text" : "nothing_written");
/**
 * Whether it has ended and there is nothing to show of it.
 * @param {Row} row
 */
export const isNothing = (row) => Boolean(row.finish) && !answerOf(row).trim() && !row.thought;
