// What a token says of itself when it is pointed at or focused. Runs inside the same function as tokens.js.
const tip = find(".tk-tip");
const tipRow = (name, value) => [make("dt", { dir: "auto" }, name), make("dd", {}, value)];
const showTip = (at) => {
  const token = tokens()[at];
  const span = view.spans[at];
  if (!token || !span) return;
  const rows = [
    ...(known(token.logprob) ? tipRow(t("tip_model"), percent(modelChance(token))) : []),
    ...(known(token.p) ? tipRow(t("tip_chain"), percent(token.p)) : []),
    ...(known(token.rank) ? tipRow(t("by_rank"), count(token.rank)) : []),
    ...(known(token.logprob) ? tipRow(t("by_surprise"), bits(surprise(token), 1)) : []),
    ...(known(token.entropy) ? tipRow(t("by_entropy"), bits(token.entropy, 1)) : []),
  ];
  const others = (token.top ?? []).filter((other) => other.id !== token.id).slice(0, 4);
  const replay = overlay();
  tip.replaceChildren(
    make("p", { class: "tk-tip-name" }, make("b", { dir: "auto" }, alone(token)),
      make("span", {}, token.id === null ? t("token", { n: at + 1 }) : `${t("token", { n: at + 1 })} · id ${token.id}`)),
    rows.length ? make("dl", {}, ...rows) : make("p", { class: "tk-tip-note" }, t("unknown")),
    ...(others.length ? [make("dl", { class: "tk-tip-others" }, ...others.flatMap((other) => tipRow(alone(other), percent(other.p))))] : []),
    ...(differs(replay, at) ? [make("p", { class: "tk-tip-note" }, t("label_would", { text: alone(replay.would[at]) }))] : []),
  );
  tip.hidden = false;
  const frame = section.getBoundingClientRect();
  const box = span.getClientRects()[0] ?? span.getBoundingClientRect();
  const last = [...span.getClientRects()].at(-1) ?? box;
  tip.style.left = `${Math.max(0, Math.min(box.left - frame.left, frame.width - tip.offsetWidth))}px`;
  const room = window.innerHeight - last.bottom - 8;
  const top = room < tip.offsetHeight && box.top > tip.offsetHeight + 8 ? box.top - frame.top - tip.offsetHeight - 6 : last.bottom - frame.top + 6;
  tip.style.top = `${top}px`;
};
const hideTip = () => { tip.hidden = true; };
