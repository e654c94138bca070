// The switch to another model that is under way: its stage, how far it is, how to end it; or why the last one failed.
import { find } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { language, say } from "../page/language.js";
import { bytes } from "../page/numbers.js";
import { roundTime } from "../page/round_time.js";
import { sentence, t } from "../page/words.js";
import { percentDone } from "./memory.js";

/** @typedef {import("../server").Pool} Pool */
/** @typedef {import("../server").Server} Server */

const { element } = hostOf("model");

/** @param {string} separator */
const joined = (separator, /** @type {(string | null | undefined)[]} */ ...parts) =>
  parts.filter(Boolean).join(separator);
/**
 * Only what is new is said aloud again.
 * @param {Element} node
 * @param {string} text
 */
const put = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};
/** @param {Pool} pool */
const stageWords = (pool) => {
  if (pool.cancelling) return t("model_cancelling");
  if (pool.phase === "waiting") return t("model_waiting", { count: pool.waits_for });
  return sentence(pool.stage) || t(`model_${pool.phase}`);
};
/** @param {Pool} pool */
const amountWords = ({ download, seconds }) => {
  if (!download) return t("model_since", { count: seconds });
  const done = t("model_bytes", { done: bytes(download.done), total: bytes(download.total) });
  const rate = download.rate ? t("model_rate", { rate: bytes(download.rate) }) : "";
  const left = download.left === null ? null : roundTime(download.left);
  return joined(" · ", done, rate, left && t(`model_left_${left.unit}`, { count: left.count }));
};
/** @param {Server} status */
const drawBusy = ({ model, owner, pool }) => {
  const part = find(element, ".model-switch");
  part.hidden = !pool?.busy || pool.loaded;
  if (!pool?.busy || pool.loaded) return;
  const title = model ? "model_switch_to" : "model_load_named";
  put(find(part, "h3"), pool.name ? t(title, { name: pool.name }) : t("model_switch"));
  put(find(part, ".model-stage"), stageWords(pool));
  put(find(part, ".model-amounts"), amountWords(pool));
  const percent = percentDone(pool);
  const bar = find(part, ".model-progress");
  bar.setAttribute("aria-label", find(part, "h3").textContent ?? "");
  bar.classList.toggle("unknown", percent === null);
  if (percent === null) bar.removeAttribute("aria-valuenow");
  else bar.setAttribute("aria-valuenow", String(percent));
  find(bar, "i").style.width = `${percent ?? 100}%`;
  put(
    find(part, ".model-stays"),
    model && pool.phase !== "unloading" ? t("model_old_stays", { title: model.title }) : "",
  );
  find(part, "[name=halt]").hidden = !owner || pool.phase !== "waiting" || pool.cancelling;
  const cancel = find(part, "[name=cancel]", HTMLButtonElement);
  cancel.hidden = !owner;
  cancel.disabled = pool.cancelling;
};
/** @param {Server} status */
const drawFailed = ({ model, pool }) => {
  const part = find(element, ".model-failed");
  const reason = model && pool?.phase === "failed" ? say(pool.reason) : ""; // without a model it stands above
  part.hidden = !reason;
  const name = pool?.name ? t("model_failed_named", { name: pool.name }) : "";
  const stays = t("model_failed_stays", { title: model?.title });
  put(part, reason ? joined(language() === "zh" ? "" : " ", name, sentence(pool?.reason), stays) : "");
};
/** @param {Server} status */
export const drawSwitch = (status) => {
  drawBusy(status);
  drawFailed(status);
};
