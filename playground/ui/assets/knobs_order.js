// The order of the chain as a list of its stages, moved by mouse, finger or keys, or set to an engine's own order.
// Runs inside the same function as knobs.js. Which stages there are, and the named orders, come from the registry.

const byStage = (stage) => KNOBS.filter((knob) => knob.stage === stage && !knob.needs);
// Greedy picking leaves the temperature out of the chain: there is nothing left to divide by.
const actsNow = (stage) => byStage(stage).some((knob) => isActive(knob) && !isGreedy(knob, values[knob.name]));

/** All stages in the order that a value of the parameter stands for; what a list leaves out comes first. */
function wholeOrder(value) {
  if (ORDERS[value]) return ORDERS[value];
  const listed = value.split(",").filter((stage) => STAGES.includes(stage));
  return [...STAGES.filter((stage) => !listed.includes(stage)), ...listed];
}

/** The stages at the end that have to be told: those before them stand as they would anyway. */
function toldStages(whole) {
  const first = whole.findIndex((stage, at) => at > 0 && STAGES.indexOf(stage) < STAGES.indexOf(whole[at - 1]));
  return first < 0 ? [] : whole.slice(first);
}

const nameOf = (whole) => Object.keys(ORDERS).find((name) => same(ORDERS[name], whole));

/** The shortest value that stands for this order. */
const shortOrder = (whole) => nameOf(whole) ?? toldStages(whole).join(",");

/** The order with one stage moved `steps` places among the shown ones. Where that leaves a choice, since others between
    them are not shown, it goes where least has to be told: so there and back again is the order it was. */
function movedOrder(whole, shown, stage, steps) {
  const from = shown.indexOf(stage);
  const to = Math.min(Math.max(from + steps, 0), shown.length - 1);
  if (to === from) return whole;
  const others = shown.filter((one) => one !== stage);
  const rest = whole.filter((one) => one !== stage);
  const first = to > 0 ? rest.indexOf(others[to - 1]) + 1 : 0;
  const last = to < others.length ? rest.indexOf(others[to]) : rest.length;
  const choices = [];
  for (let at = first; at <= last; at += 1) choices.push([...rest.slice(0, at), stage, ...rest.slice(at)]);
  const cost = (order) => (nameOf(order) ? -1 : toldStages(order).length);
  return choices.reduce((best, one) => (cost(one) < cost(best) ? one : best));
}

function orderRow(row) {
  const named = h("span", "kn-orders", { role: "group" });
  const list = h("ol", "kn-stages");
  const hint = h("p", "kn-stages-hint", { id: `${row.id}-hint` });
  const none = h("p", "kn-stages-none");
  const voice = h("p", "kn-voice", { role: "status" });
  const more = h("button", "kn-link kn-stages-more", { type: "button", "aria-expanded": "false" });
  const asText = h("button", "kn-link kn-stages-text", { type: "button", "aria-expanded": "false" });
  const foot = h("span", "kn-stages-foot");
  named.setAttribute("aria-labelledby", row.labelId);
  list.setAttribute("aria-labelledby", row.labelId);
  foot.append(more, asText);
  row.root.append(named, none, list, hint, foot, voice);
  const area = orderText(row);
  area.hidden = true;
  const view = { row, list, voice, cells: {}, open: false, current: null, held: null };
  for (const { name, label } of DATA.stages) view.cells[name] = stageCell(view, name, label);
  const buttons = Object.keys(ORDERS).map((name) => {
    const button = h("button", "kn-order-name", { type: "button" });
    button.textContent = name;
    button.addEventListener("click", () => { row.fail(null); row.set(name); });
    named.append(button);
    return button;
  });
  const own = h("span", "kn-order-own");
  named.append(own);
  row.describe(...buttons);
  const toggle = (button, act) => button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    act(open);
  });
  toggle(more, (open) => { view.open = open; drawStages(view); });
  toggle(asText, (open) => { area.hidden = !open; if (open) area.focus(); });
  spoken(() => {
    own.textContent = say(WORDS.own_order);
    hint.textContent = say(window.matchMedia("(pointer: coarse)").matches ? WORDS.order_hint_touch : WORDS.order_hint);
    more.textContent = say(WORDS.all_stages).replace("{n}", STAGES.length);
    asText.textContent = say(WORDS.order_text);
    none.textContent = say(WORDS.no_stage);
    area.setAttribute("aria-label", say(row.knob.label));
  });
  const paint = row.paint;
  row.paint = (value) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.textContent === value));
    own.hidden = Boolean(ORDERS[value]);
    paint(value);
  };
  row.follow = () => {
    const acting = STAGES.filter(actsNow).length;
    none.hidden = acting > 0 || view.open;
    hint.hidden = acting < 2 && !view.open;
    drawStages(view);
  };
  wireStages(view);
}

/** The same order as text, for pasting: a name, or stages separated by commas. */
function orderText(row) {
  return writtenRow(row, {
    write: (value) => wholeOrder(value).join(", "),
    read: (text) => {
      const parts = text.split(/[,，、\s]+/).filter((part) => part !== "");
      if (parts.length === 1 && ORDERS[parts[0]]) return parts[0];
      const known = parts.every((part) => STAGES.includes(part)) && new Set(parts).size === parts.length;
      return known && parts.length ? shortOrder(wholeOrder(parts.join(","))) : undefined;
    },
    rows: 3, mono: true,
  });
}

function stageCell(view, name, label) {
  const item = h("li", "", { "data-stage": name });
  const button = h("button", "kn-stage", { type: "button", tabindex: "-1" });
  const grip = h("span", "kn-grip");
  const title = h("span", "kn-stage-name");
  const set = h("span", "kn-stage-value");
  grip.append(icon("grip"));
  button.append(grip, title, set);
  item.append(button);
  view.row.describe(button);
  button.setAttribute("aria-describedby", `${view.row.id}-hint ${view.row.id}-why`);
  spoken(() => { title.textContent = say(label); });
  return { name, label, item, button, set };
}

const shownStages = (view) => [...view.list.children].filter((item) => !item.hidden).map((item) => item.dataset.stage);

function drawStages(view) {
  const { row, list, cells } = view;
  const whole = wholeOrder(row.value());
  const off = Boolean(props.inert?.[row.knob.name]);
  arrange(list, whole.map((stage) => cells[stage].item), (cells[view.held?.stage] ?? cells[view.current])?.item);
  for (const stage of whole) {
    const { item, button, set } = cells[stage];
    const acts = actsNow(stage);
    item.hidden = !acts && !view.open;
    item.classList.toggle("acts", acts);
    button.setAttribute("aria-disabled", String(off));
    const numbers = byStage(stage).filter((knob) => acts && typeof values[knob.name] === "number");
    set.textContent = numbers.map((knob) => formatNumber(knob, values[knob.name])).join(" ");
  }
  const shown = shownStages(view);
  if (!shown.includes(view.current)) view.current = shown[0] ?? null;
  shown.forEach((stage, at) => {
    const { button, label, set } = cells[stage];
    const place = say(WORDS.stage_place).replace("{at}", at + 1).replace("{all}", shown.length);
    button.setAttribute("aria-label", [say(label), set.textContent, place].filter(Boolean).join(", "));
    button.tabIndex = stage === view.current ? 0 : -1;
  });
}

/** Puts the items into this order without taking `fixed` out of the page: it may have the focus or a finger on it. */
function arrange(list, items, fixed) {
  if (items.every((item, at) => list.children[at] === item)) return;
  const middle = fixed && fixed.parentNode === list ? items.indexOf(fixed) : -1;
  items.slice(middle + 1).forEach((item) => list.append(item));
  if (middle >= 0) items.slice(0, middle).forEach((item) => list.insertBefore(item, fixed));
}

const mayMove = (view) => !props.inert?.[view.row.knob.name];

function announce(view, word, stage) {
  const shown = shownStages(view);
  const place = say(WORDS.stage_place).replace("{at}", shown.indexOf(stage) + 1).replace("{all}", shown.length);
  view.voice.textContent = say(word).replace("{label}", () => say(view.cells[stage].label)).replace("{place}", place);
}

function move(view, stage, steps) {
  const { row } = view;
  const whole = wholeOrder(row.value());
  const next = movedOrder(whole, shownStages(view), stage, steps);
  view.current = stage;
  if (same(next, whole)) return;
  row.fail(null);
  row.set(shortOrder(next));
  announce(view, WORDS.stage_at, stage);
}

/** Picked up by key or pointer: `before` is what Escape, or a pointer that is taken away, brings back. */
function pickUp(view, stage) {
  view.held = { stage, before: view.row.value() };
  view.current = stage;
  view.cells[stage].item.classList.add("is-held");
  view.cells[stage].button.setAttribute("aria-pressed", "true");
}

function drop(view, keep) {
  const { stage, before } = view.held;
  view.cells[stage].item.classList.remove("is-held");
  view.cells[stage].button.removeAttribute("aria-pressed");
  if (!keep && view.row.value() !== before) view.row.set(before);
  view.held = null;
  hold(view.row.knob.name, false);
  announce(view, keep ? WORDS.stage_dropped : WORDS.stage_back, stage);
}

function focusStage(view, steps) {
  const shown = shownStages(view);
  const at = Math.min(Math.max(shown.indexOf(view.current) + steps, 0), shown.length - 1);
  view.current = shown[at];
  drawStages(view);
  view.cells[view.current].button.focus();
}

const STAGE_STEPS = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };

function wireStages(view) {
  const stageOf = (event) => event.target.closest?.("li")?.dataset.stage;
  view.list.addEventListener("keydown", (event) => {
    const stage = stageOf(event);
    if (!stage || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const steps = STAGE_STEPS[event.key];
    if (steps && (event.altKey || view.held)) {
      if (mayMove(view)) move(view, stage, steps);
    } else if (steps) focusStage(view, steps);
    else if (event.altKey) return;
    else if (event.key === " " || (event.key === "Enter" && view.held)) {
      if (view.held) drop(view, true);
      else if (mayMove(view)) { pickUp(view, stage); announce(view, WORDS.stage_held, stage); }
    } else if (event.key === "Escape" && view.held) drop(view, false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // Space would also click.
  view.list.addEventListener("keyup", (event) => { if (event.key === " ") event.preventDefault(); });
  view.list.addEventListener("focusin", (event) => {
    const stage = stageOf(event);
    if (!stage || view.held) return;
    view.current = stage;
    for (const [name, cell] of Object.entries(view.cells)) cell.button.tabIndex = name === stage ? 0 : -1;
  });
  view.list.addEventListener("focusout", (event) => {
    if (view.held && !view.held.pointer && !view.list.contains(event.relatedTarget)) drop(view, true);
  });
  wireDrag(view, stageOf);
}

/** A mouse takes hold of the whole line, a finger of the grip only, so that the panel can still be scrolled. */
function wireDrag(view, stageOf) {
  const { list } = view;
  const takes = (event) => event.button === 0 && (event.pointerType !== "touch" || event.target.closest(".kn-grip"));
  const over = (event) => {
    const shown = shownStages(view);
    const boxes = shown.map((stage) => view.cells[stage].item.getBoundingClientRect());
    const at = shown.indexOf(view.held.stage);
    const below = boxes.filter((box, other) => other > at && event.clientY > box.top + box.height / 2).length;
    const above = boxes.filter((box, other) => other < at && event.clientY < box.top + box.height / 2).length;
    return below - above;
  };
  const end = (keep) => (event) => {
    if (view.held?.pointer === event.pointerId) drop(view, keep);
  };
  list.addEventListener("pointerdown", (event) => {
    const stage = stageOf(event);
    if (!stage || view.held || !takes(event) || !mayMove(view)) return;
    pickUp(view, stage);
    view.held.pointer = event.pointerId;
    list.setPointerCapture(event.pointerId);
    hold(view.row.knob.name, true);
    view.cells[stage].button.focus({ preventScroll: true });
    event.preventDefault();
  });
  list.addEventListener("pointermove", (event) => {
    if (view.held?.pointer !== event.pointerId) return;
    const steps = over(event);
    if (steps) move(view, view.held.stage, steps);
  });
  list.addEventListener("pointerup", end(true));
  list.addEventListener("pointercancel", end(false));
}
