// Nodes of the document, made and found. Text is always text, never markup. Knows no element of the page.

/** @typedef {string | Node | null | undefined} Child */
/** @typedef {Record<string, any>} Attributes "on…" is a listener; what is null, undefined or false is left out */

/**
 * One node: make("button", {class: "x", onclick: f}, "text", child).
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  put(node, attributes);
  node.append(.../** @type {(string | Node)[]} */ (children.filter((child) => child !== null && child !== undefined)));
  return node;
};
const SVG = "http://www.w3.org/2000/svg";
/**
 * One node of a picture.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {Child[]} children
 * @returns {SVGElementTagNameMap[K]}
 */
export const svg = (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(SVG, tag);
  put(node, attributes);
  node.append(.../** @type {(string | Node)[]} */ (children.filter((child) => child !== null && child !== undefined)));
  return node;
};
/** @param {Element} node @param {Attributes} attributes */
const put = (node, attributes) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
};

/**
 * The one node that must be there, of this class: find(root, ".cv-plot"), find(root, "[name=go]", HTMLButtonElement).
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [kind]
 * @returns {T}
 * @throws {Error} where there is none, or one of another class
 */
export const find = (root, selector, kind) => {
  const node = root.querySelector(selector);
  if (!node || (kind && !(node instanceof kind))) throw new Error(`There is no ${selector} here.`);
  return /** @type {T} */ (/** @type {unknown} */ (node));
};
/**
 * All that fit, as a list.
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [_kind] only says what they are
 * @returns {T[]}
 */
export const findAll = (root, selector, _kind) =>
  /** @type {T[]} */ (/** @type {unknown} */ ([...root.querySelectorAll(selector)]));
/**
 * Where an event happened: the nearest node around it that fits.
 * @template {Element} [T=HTMLElement]
 * @param {Event} event
 * @param {string} selector
 * @param {new () => T} [_kind] only says what it is
 * @returns {T | null}
 */
export const around = (event, selector, _kind) =>
  event.target instanceof Element ? /** @type {T | null} */ (event.target.closest(selector)) : null;

const ICON = {
  viewBox: "0 0 16 16",
  width: 16,
  height: 16,
  "aria-hidden": "true",
  fill: "none",
  stroke: "currentColor",
};
const LINE = { "stroke-width": 1.4, "stroke-linecap": "round", "stroke-linejoin": "round" };
/**
 * A small picture of lines, as wide as a letter.
 * @param {string} path
 * @returns {SVGSVGElement}
 */
export const icon = (path) => svg("svg", { ...ICON, ...LINE }, svg("path", { d: path }));

export const COMMAND = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl ";

/**
 * @param {string} text
 * @returns {Promise<void>}
 */
export const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // no clipboard on plain http from another machine
    const area = make("textarea", { style: "position:fixed;opacity:0" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
};
