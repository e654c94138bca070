// The files of a new training: examples, and perhaps others for validation. Each is sent in pieces, asked about where it does
// not tell how to read it, and known by its key from then on, also after a reload.
import { favourites, onFavourites } from "../cards/kept_favourites.js";
import { isolate } from "../page/direction.js";
import { find, findAll, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { bytes, number } from "../page/numbers.js";
import { PIECE, readPiece } from "../page/pieces.js";
import { sentence, t } from "../page/words.js";

/** @typedef {import("../types").Said} Said */
/** @typedef {import("../training").TrainFile} TrainFile */
/** @typedef {"data" | "validation"} Side */
/**
 * @typedef {object} Slot
 * @property {number} at when it was asked, by which an answer is known
 * @property {File | null} file that is on its way, or is asked about
 * @property {Record<string, string>} reading what was said of how to read it
 * @property {number} sent bytes
 * @property {boolean} busy
 * @property {TrainFile | null} known what the server has read
 * @property {Said} error
 * @property {{ option: string, choices: { value: string, label: Said }[] } | null} ask
 */

const { element, props, trigger } = hostOf("train");
const PERCENT = 100;
/** @returns {Slot} */
const empty = () => ({ at: 0, file: null, reading: {}, sent: 0, busy: false, known: null, error: null, ask: null });
/** @type {Record<Side, Slot>} */
const slots = { data: empty(), validation: empty() };
/** @type {(side: Side) => void} */
let heard = () => {};

/** @param {(side: Side) => void} listener hears when another file is there, or none any more */
export const onFile = (listener) => {
  heard = listener;
};
/** @param {Side} side */
export const fileOf = (side) => slots[side].known;
/** @param {Side} side */
const drawSlot = (side) => {
  const { busy, file, sent, known, error, ask } = slots[side];
  /** @param {string} selector */
  const at = (selector) => find(element, `${selector}[data-side=${side}]`);
  const line = at(".train-file");
  line.hidden = !busy && !known;
  if (busy && file) {
    const percent = Math.min(PERCENT, Math.floor((PERCENT * sent) / Math.max(1, file.size)));
    line.replaceChildren(t("train_sending", { name: file.name, percent }));
  } else if (known) {
    const rows = number(known.rows);
    const columns = known.columns.map(isolate).join(", ");
    /** @type {Record<string, string | undefined>} */
    const plainly = { text: "train_found_text", columns: "train_found_rows" };
    const plain = plainly[known.kind]; // the names of the columns stand below
    const found = plain ? t(plain, { rows }) : t("train_found", { rows, kind: t(`train_kind_${known.kind}`) });
    line.replaceChildren(
      make("b", { dir: "auto" }, known.name),
      ` ${bytes(known.size)} · ${found}`,
      columns ? make("span", { class: "train-found-columns" }, t("train_found_columns", { names: columns })) : "",
      make("button", { type: "button", class: "quiet", name: "forget", "data-side": side }, t("train_forget_file")),
    );
  }
  const wrong = at(".train-file-error");
  wrong.hidden = !error;
  wrong.textContent = sentence(error);
  const choices = at(".batch-choices");
  choices.hidden = !ask;
  choices.replaceChildren(
    ...(ask?.choices ?? []).map(({ value, label }) =>
      make(
        "button",
        { type: "button", class: "halt", name: "read-as", "data-side": side, "data-option": ask?.option, value },
        say(label),
      ),
    ),
  );
};
const drawRefused = () => {
  const { known } = slots.data;
  const place = find(element, ".train-refused");
  place.hidden = !known?.refused_count;
  if (!known?.refused_count) return;
  const rows = known.refused.map(({ number: row, reason }) =>
    make("li", {}, `${t("train_row", { row: number(row) })}: ${sentence(reason)}`),
  );
  place.replaceChildren(
    make("p", {}, t("train_refused", { count: number(known.refused_count) })),
    make("ul", {}, ...rows),
  );
};
const drawFavourites = () => {
  const button = find(element, "[name=favourites]");
  button.hidden = favourites().length === 0;
  button.textContent = t("train_favourites", { count: number(favourites().length) });
};
/** The texts that were kept in this browser become a file, each with its task beside it. */
export const takeFavourites = () => {
  const lines = favourites().map(({ text, task }) => JSON.stringify({ text, task: say(task) }));
  sendFile("data", new File([lines.join("\n")], t("train_favourites_file"), { type: "application/jsonl" }));
};
export const drawFiles = () => {
  drawFavourites();
  find(element, ".train-limits").textContent = t("train_limits", { size: bytes(props.most) });
  for (const input of findAll(element, ".batch-drop input", HTMLInputElement)) input.accept = props.kinds.join(",");
  drawSlot("data");
  drawSlot("validation");
  drawRefused();
};
/** @param {Side} side @param {number} from */
const sendPiece = async (side, from) => {
  const { file, reading, at } = slots[side];
  if (!file) return;
  try {
    const data = await readPiece(file, from);
    if (slots[side].at === at) {
      trigger("piece", { ...reading, at, side, name: file.name, size: file.size, from, data });
    }
  } catch {
    slots[side] = { ...slots[side], busy: false, error: t("train_unreadable") };
    drawSlot(side);
  }
};
/** @param {Side} side @param {File} file @param {Record<string, string>} [reading] */
export const sendFile = (side, file, reading = {}) => {
  const large = file.size > props.most;
  const error = large ? t("train_too_large", { size: bytes(file.size), most: bytes(props.most) }) : null;
  slots[side] = { ...empty(), known: slots[side].known, at: Date.now(), file, reading, busy: !large, error };
  drawSlot(side);
  if (!large) sendPiece(side, 0);
};
/** @param {Side} side */
export const forgetFile = (side) => {
  slots[side] = empty();
  drawSlot(side);
  drawRefused();
  heard(side);
};
/** The answer to what was asked of a file: it is sent again with it. @param {HTMLButtonElement} button */
export const readAs = ({ dataset, value }) => {
  const side = /** @type {Side} */ (dataset.side);
  const { file, reading } = slots[side];
  if (file) sendFile(side, file, { ...reading, [dataset.option ?? ""]: value });
};
/** A piece has arrived. @param {{ at: number, side: Side, from: number } | null} told */
export const sendNext = (told) => {
  if (!told || slots[told.side].at !== told.at) return;
  slots[told.side].sent = told.from + PIECE;
  drawSlot(told.side);
  sendPiece(told.side, told.from + PIECE);
};
/** The server has read a file, or cannot. @param {any} told */
export const hearFile = (told) => {
  const side = /** @type {Side | undefined} */ (told?.side);
  if (!side || slots[side].at !== told.at) return;
  const { file } = slots[side];
  if (told.error) {
    const known = file ? slots[side].known : null; // one that was kept is gone
    slots[side] = { ...slots[side], busy: false, error: told.error, ask: told.ask ?? null, known };
  } else slots[side] = { ...empty(), at: told.at, known: told };
  drawSlot(side);
  drawRefused();
  heard(side);
};
/** Rows that come with Playground. */
export const takeExample = () => {
  slots.data = { ...empty(), known: slots.data.known, at: Date.now() };
  trigger("example", { at: slots.data.at, language: language() });
};
/** A file of before the reload. @param {Side} side @param {string} key */
export const findAgain = (side, key) => {
  slots[side] = { ...empty(), at: Date.now() };
  trigger("known", { at: slots[side].at, side, key });
};
/** Whatever was on its way does not arrive. @param {Said} why */
export const breakOff = (why) => {
  for (const side of /** @type {Side[]} */ (["data", "validation"])) {
    if (!slots[side].busy) continue;
    slots[side] = { ...slots[side], busy: false, error: why };
    drawSlot(side);
  }
};
onFavourites(drawFavourites);
