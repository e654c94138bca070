// Which column fills which field of a task. Pure: knows no page.

/** @typedef {import("../tasks").TaskField} TaskField */
/** @typedef {Record<string, string>} ByField */

/** Stands for a column: all rows have the same text. No column is named so. */
export const SAME = "\u0000same";

/**
 * What the server is asked to fill the fields with.
 * @param {TaskField[]} fields
 * @param {ByField} wanted the column of each, or SAME
 * @param {ByField} fixed what all rows have there
 * @param {(field: TaskField) => string} usual what a field with choices has unless one was chosen
 * @returns {{mapping: ByField, fixed: ByField}}
 */
export const mappingOf = (fields, wanted, fixed, usual) => {
  const columns = fields.filter(({ name }) => wanted[name] && wanted[name] !== SAME);
  const alike = fields.filter(({ name }) => wanted[name] === SAME);
  return {
    mapping: Object.fromEntries(columns.map(({ name }) => [name, wanted[name]])),
    fixed: Object.fromEntries(alike.map((one) => [one.name, fixed[one.name] ?? (one.choices ? usual(one) : "")])),
  };
};
