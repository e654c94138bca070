// The bar with the public link, where there is one. Belongs to the header, which tells it of the link.
import { around, copy, find } from "./dom.js";
import { hostOf } from "./element.js";
import { language } from "./language.js";
import { t } from "./words.js";

/** @typedef {import("../server").Share} Share */

const SAID = 1200; // milliseconds
const bar = find(hostOf("header").element, ".share");
const link = find(bar, ".share-link", HTMLAnchorElement);
const button = find(bar, "[name=copy-link]");

/** @param {Share} share */
const words = (share) => {
  if (share.state === "opening") return t("share_opening");
  if (share.state === "failed") return t("share_failed", { address: share.local });
  const whom = t(share.guarded ? "share_guarded" : "share_open");
  return [t("share_public"), whom].join(language() === "zh" ? "" : " ");
};
/** @param {Share | null | undefined} share */
export const drawShare = (share) => {
  bar.hidden = !share;
  if (!share) return;
  bar.classList.toggle("failed", share.state === "failed");
  link.hidden = share.state !== "open";
  button.hidden = link.hidden;
  link.textContent = share.url || "";
  if (share.url) link.href = share.url;
  find(bar, ".share-text").textContent = words(share);
};

bar.addEventListener("click", (event) => {
  if (!around(event, "[name=copy-link]")) return;
  copy(link.textContent ?? "");
  button.textContent = t("copied");
  setTimeout(() => {
    button.textContent = t("copy_link");
  }, SAID);
});
