// Numbers of the panel: scales, reading and writing them, and the row with a slider and a number field.
// Runs inside the same function as knobs.js; knows nothing of groups, presets or Python.

function decimalsOf(step) {
  const text = String(step);
  if (text.includes("e-")) return Number(text.split("e-")[1]);
  return text.includes(".") ? text.split(".")[1].length : 0;
}

function tidy(number, step) {
  return Number(number.toFixed(Math.min(12, decimalsOf(step) + 2)));
}

/** Where values sit on the slider. A neutral outside the slider's range gets one place of its own at the near end. */
function scaleOf(knob) {
  return knob.scale === "log" ? logScale(knob) : linearScale(knob);
}

function linearScale(knob) {
  const step = knob.step || (knob.kind === "int" ? 1 : (knob.high - knob.low) / 100);
  const below = knob.neutral < knob.low;
  const above = knob.neutral > knob.high;
  const min = below ? tidy(knob.low - step, step) : knob.low;
  const max = above ? tidy(knob.high + step, step) : knob.high;
  const steps = (max - min) / step;
  return {
    min, max, unit: step,
    native: Math.abs(steps - Math.round(steps)) < 1e-6 ? step : "any",
    place(value) {
      if (value === knob.neutral) return below ? min : above ? max : value;
      return Math.min(knob.high, Math.max(knob.low, value));
    },
    value(place) {
      if (below && place < knob.low - step / 2) return knob.neutral;
      if (above && place > knob.high + step / 2) return knob.neutral;
      if (Math.abs(place - knob.high) < step / 1e6) return knob.high;
      const whole = knob.low + Math.round((place - knob.low) / step) * step;
      return Math.min(knob.high, Math.max(knob.low, tidy(whole, step)));
    },
  };
}

function logScale(knob) {
  const low = knob.low > 0 ? knob.low : knob.step || knob.high / 10000;
  const first = knob.neutral < low ? 1 : 0;
  const top = 120;
  const ratio = Math.log(knob.high / low);
  const place = (value) => {
    if (value < low) return 0;
    return Math.round(first + (top - first) * (Math.log(Math.min(value, knob.high) / low) / ratio));
  };
  return {
    min: 0, max: top, unit: 1, native: 1, place,
    value(at) {
      if (first && at < 1) return knob.neutral;
      if (at === place(knob.neutral) && knob.neutral <= knob.high) return knob.neutral;
      const number = low * Math.exp((ratio * (at - first)) / (top - first));
      return knob.kind === "int" ? Math.round(number) : Number(number.toPrecision(2));
    },
  };
}

function formatNumber(knob, value) {
  if (knob.kind === "int" || knob.scale === "log") return String(value);
  const short = value.toFixed(Math.min(4, decimalsOf(knob.step || 0.01)));
  return Number(short) === value ? short : String(Number(value.toPrecision(8)));
}

/** The typed number, or undefined where it is none or outside what the parameter allows. */
function parseNumber(knob, typed) {
  let text = typed.trim().replace(/[０-９．－]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));
  if (knob.off && [WORDS.off.en.toLowerCase(), WORDS.off.zh].includes(text.toLowerCase())) return knob.neutral;
  if (/^[+-]?\d+,\d+$/.test(text)) text = text.replace(",", ".");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number) || (knob.kind === "int" && !Number.isInteger(number))) return undefined;
  if (number === knob.neutral) return number;
  if (knob.hard_low !== null && (number < knob.hard_low || (knob.above_low && number === knob.hard_low))) return undefined;
  return knob.hard_high !== null && number > knob.hard_high ? undefined : number;
}

function numberRow(row) {
  const { knob } = row;
  const scale = scaleOf(knob);
  const slider = h("input", "kn-range", { type: "range", min: scale.min, max: scale.max, step: scale.native });
  const field = h("input", "kn-field", { type: "text", inputmode: knob.kind === "int" ? "numeric" : "decimal" });
  const off = h("button", "kn-off", { type: "button" });
  const cell = h("span", "kn-num");
  cell.append(field, off);
  field.autocomplete = "off";
  field.spellcheck = false;
  slider.id = row.labelFor();
  row.root.classList.add("kn-number");
  row.root.append(slider, cell);
  row.describe(slider, field);
  spoken(() => {
    field.setAttribute("aria-label", `${say(knob.label)}, ${say(WORDS.number)}`);
    off.textContent = say(WORDS.off);
    off.setAttribute("aria-label", say(WORDS.off_hint).replace("{label}", say(knob.label)));
  });
  // A setting (how long, how many) has no place where it does nothing: its fill begins at the left.
  const ends = [knob.setting ? scale.min : scale.place(knob.neutral), scale.min, scale.max];
  row.root.classList.toggle("has-tick", ends[0] > ends[1] && ends[0] < ends[2]);
  const share = (place) => (place - scale.min) / (scale.max - scale.min);

  row.paint = (value) => {
    const neutral = value === knob.neutral;
    const place = scale.place(value);
    if (Number(slider.value) !== place) slider.value = place;
    const [a, b] = [share(ends[0]), share(place)];
    slider.style.setProperty("--from", Math.min(a, b));
    slider.style.setProperty("--to", Math.max(a, b));
    slider.style.setProperty("--tick", a);
    slider.setAttribute("aria-valuetext", spokenNumber(knob, value));
    row.root.classList.toggle("is-off", neutral && knob.off);
    if (row.failed() || (document.activeElement === field && parseNumber(knob, field.value) === value)) return;
    field.value = formatNumber(knob, value);
  };
  wireSlider(row, scale, slider);
  wireField(row, scale, field);
  wireOff(row, field, off);
}

function spokenNumber(knob, value) {
  if (value === knob.neutral && knob.off) return say(WORDS.off);
  const text = formatNumber(knob, value);
  return isGreedy(knob, value) ? `${text}, ${say(WORDS.greedy)}` : text;
}

/** One step, or ten; a value beyond the slider's end is never pulled back by a step outwards. */
function stepped(knob, scale, value, steps) {
  const place = scale.place(value);
  if ((steps > 0 && value > knob.high) || (steps < 0 && value < knob.low && value !== knob.neutral)) return value;
  const next = scale.value(Math.min(scale.max, Math.max(scale.min, place + steps * scale.unit)));
  return next;
}

const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };

function wireSlider(row, scale, slider) {
  const { knob } = row;
  let before = knob.neutral; // what a double click gives back later: the value before its first click
  let pressed = -Infinity;
  slider.addEventListener("pointerdown", (event) => {
    if (event.timeStamp - pressed > 600) before = row.value();
    pressed = event.timeStamp;
    hold(knob.name, true);
  });
  for (const end of ["pointerup", "pointercancel", "blur"]) slider.addEventListener(end, () => hold(knob.name, false));
  slider.addEventListener("input", () => row.set(scale.value(Number(slider.value))));
  slider.addEventListener("change", () => row.paint(row.value()));
  slider.addEventListener("dblclick", () => {
    row.set(knob.neutral);
    if (before !== knob.neutral) lasts[knob.name] = before;
  });
  slider.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    let next;
    if (event.key in STEPS) {
      const far = event.shiftKey && event.key.startsWith("Arrow") ? 10 : 1;
      next = stepped(knob, scale, row.value(), STEPS[event.key] * far);
    } else if (event.key === "Home") next = scale.value(scale.min);
    else if (event.key === "End") next = scale.value(scale.max);
    else if (event.key === "Delete" || event.key === "Backspace") next = knob.neutral;
    else return;
    event.preventDefault();
    row.set(next);
  });
}

function wireField(row, scale, field) {
  const { knob } = row;
  const read = (wait) => {
    const value = parseNumber(knob, field.value);
    if (value === undefined) return row.fail(wait, wait === WHILE_TYPING && field.value.trim() === "");
    row.fail(null);
    if (value !== row.value()) row.set(value);
  };
  field.addEventListener("input", () => read(WHILE_TYPING));
  field.addEventListener("focus", () => field.select());
  field.addEventListener("blur", () => {
    row.root.classList.remove("is-editing");
    if (field.value.trim() === "") { row.fail(null); return row.paint(row.value()); }
    read(AFTER_CLICK);
    if (!row.failed()) field.value = formatNumber(knob, row.value());
  });
  field.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      read(0);
      if (!row.failed()) { field.value = formatNumber(knob, row.value()); field.select(); }
    } else if (event.key === "Escape" && row.failed()) {
      event.stopPropagation();
      row.fail(null);
      row.paint(row.value());
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      row.fail(null);
      const next = stepped(knob, scale, row.value(), (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 10 : 1));
      field.value = formatNumber(knob, next);
      row.set(next);
    }
  });
}

/** "Off" gives the last value back and leaves the field ready to type another. */
function wireOff(row, field, off) {
  const { knob } = row;
  off.addEventListener("click", () => {
    row.root.classList.add("is-editing");
    const last = lasts[knob.name] ?? [props.preset_values?.[knob.name], knob.default].find(
      (value) => value !== undefined && value !== knob.neutral);
    if (last !== undefined) row.set(last);
    field.focus();
    field.select();
  });
}
