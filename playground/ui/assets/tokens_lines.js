// The lines of a text of tokens. A line goes as its text does. Where it holds letters that are written from right to left,
// each of its tokens is isolated, and stands between marks of its own direction: so a word of several tokens, or a number,
// is read in its order inside a line of the other direction. Runs inside the same function as tokens.js.
const NUMBER = /\p{N}/u; // goes from left to right, as letters of most scripts do; other signs go with what is around them
const JOINS = /^\p{M}*[\u0620-\u06ff]/u;
// Letters of Arabic script that are not joined to the next one.
const ENDS = /[\u0621-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd\u06cf\u06d2-\u06d5]\p{M}*$/u;
const JOINED = /[\u0620-\u064a\u066e-\u06ff]\p{M}*$/u;

const makeLine = () => make("div", { class: "tk-line", dir: "auto" });
const textOf = (span) => span.firstChild?.data ?? ""; // without its number
const marked = (span) => {
  const way = bidi.direction(textOf(span)) || (NUMBER.test(textOf(span)) ? "ltr" : "");
  return way ? make("span", { class: `tk-way-${way}` }, span) : span;
};
const lastOn = (line) => (line.lastChild?.matches(".tk-token") ? line.lastChild : line.lastChild?.firstChild);
/** Parts of one Arabic word keep the shapes that they have in it. */
const join = (before, span) => {
  if (!before || !JOINS.test(textOf(span)) || !JOINED.test(textOf(before)) || ENDS.test(textOf(before))) return;
  before.dataset.joins = `${before.dataset.joins ?? ""} on`;
  span.dataset.joins = "from";
};
const putOn = (line, span) => {
  if (!line.classList.contains("tk-both") && bidi.direction(textOf(span)) === "rtl") {
    line.classList.add("tk-both");
    const focused = document.activeElement;
    for (const before of [...line.children]) {
      const next = before.nextSibling;
      line.insertBefore(marked(before), next);
    }
    if (line.contains(focused)) focused.focus({ preventScroll: true });
  }
  if (!line.classList.contains("tk-both")) {
    line.append(span);
    return;
  }
  join(lastOn(line), span);
  line.append(marked(span));
};
const takeOff = (span) => {
  const line = span.closest(".tk-line");
  (span.parentNode === line ? span : span.parentNode).remove();
  if (!line.firstChild) line.remove();
};
const runsLeft = (span) => getComputedStyle(span.closest(".tk-line")).direction === "rtl";
