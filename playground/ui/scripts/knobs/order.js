// The order of the stages as a value: a name, or those stages that have to be told, from the end. How a short list is
// completed is the rule of parameters/__init__.py, held to it by tests/scripts/knobs.json. Knows no page.
import { same } from "./values.js";

/** @typedef {import("./knob").Chain} Chain */

/**
 * All stages in the order that a value stands for; what a list leaves out comes first.
 * @param {Chain} chain
 * @param {string} value
 * @returns {string[]}
 */
export const wholeOrder = ({ stages, orders }, value) => {
  if (Object.hasOwn(orders, value)) return orders[value];
  const listed = value.split(",").filter((stage) => stages.includes(stage));
  return [...stages.filter((stage) => !listed.includes(stage)), ...listed];
};
/**
 * The stages at the end that have to be told: those before them stand as they would anyway.
 * @param {Chain} chain
 * @param {string[]} whole
 */
const toldStages = ({ stages }, whole) => {
  const first = whole.findIndex((stage, at) => at > 0 && stages.indexOf(stage) < stages.indexOf(whole[at - 1]));
  return first < 0 ? [] : whole.slice(first);
};
/**
 * @param {Chain} chain
 * @param {string[]} whole
 */
const nameOf = ({ orders }, whole) => Object.keys(orders).find((name) => same(orders[name], whole));
/**
 * The shortest value that stands for this order.
 * @param {Chain} chain
 * @param {string[]} whole
 * @returns {string}
 */
export const shortOrder = (chain, whole) => nameOf(chain, whole) ?? toldStages(chain, whole).join(",");
/**
 * What is typed: a name, or stages apart by commas or spaces. Undefined where a stage is unknown or named twice.
 * @param {Chain} chain
 * @param {string} text
 * @returns {string | undefined}
 */
export const readOrder = (chain, text) => {
  const parts = text.split(/[,，、\s]+/).filter((part) => part !== "");
  if (parts.length === 1 && Object.hasOwn(chain.orders, parts[0])) return parts[0];
  const known = parts.every((part) => chain.stages.includes(part)) && new Set(parts).size === parts.length;
  return known && parts.length ? shortOrder(chain, wholeOrder(chain, parts.join(","))) : undefined;
};
/**
 * The order with one stage moved `steps` places among the shown ones. Where that leaves a choice, since others between
 * them are not shown, it goes where least has to be told: so there and back again is the order it was.
 * @param {Chain} chain
 * @param {string[]} whole
 * @param {string[]} shown
 * @param {string} stage
 * @param {number} steps
 * @returns {string[]}
 */
export const movedOrder = (chain, whole, shown, stage, steps) => {
  const from = shown.indexOf(stage);
  const to = Math.min(Math.max(from + steps, 0), shown.length - 1);
  if (to === from) return whole;
  const others = shown.filter((one) => one !== stage);
  const rest = whole.filter((one) => one !== stage);
  const first = to > 0 ? rest.indexOf(others[to - 1]) + 1 : 0;
  const last = to < others.length ? rest.indexOf(others[to]) : rest.length;
  /** @param {string[]} order */
  const cost = (order) => (nameOf(chain, order) ? -1 : toldStages(chain, order).length);
  let best = [...rest.slice(0, first), stage, ...rest.slice(first)];
  for (let at = first + 1; at <= last; at += 1) {
    const other = [...rest.slice(0, at), stage, ...rest.slice(at)];
    if (cost(other) < cost(best)) best = other;
  }
  return best;
};
