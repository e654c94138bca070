// What every element of the page shares: language, theme, words, a small message board. No element is known here.
window.playground = (() => {
  const words = JSON.parse(document.getElementById("playground-words").textContent);
  const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window: not kept */ } };

  // What this tab of the browser keeps over a reload, a crash and "reopen": plain data that no other tab sees. A duplicate
  // begins with a copy. What another version of this page kept is not read.
  const KEPT_VERSION = 1;
  const MOST_KEPT = 1_500_000; // characters; browsers give a tab about five million
  const keep = (key, data) => {
    try {
      const text = JSON.stringify({ version: KEPT_VERSION, data });
      if (text.length <= MOST_KEPT) sessionStorage.setItem(key, text);
      else sessionStorage.removeItem(key);
    } catch { /* no room, or a browser that keeps nothing: it ends with the page */ }
  };
  /** What was kept under this key, which anybody may have written; null where there is nothing. */
  const kept = (key) => {
    try {
      const found = JSON.parse(sessionStorage.getItem(key));
      return found?.version === KEPT_VERSION ? found.data ?? null : null;
    } catch {
      return null;
    }
  };

  // Messages between elements. A listener that comes late is told the last state first, but never an old wish.
  const STATES = new Set(["server", "run", "theme", "knobs", "kind", "talk", "window", "user_tasks", "composed", "path", "wishing",
    "preset", "connection"]);
  const listeners = new Map();
  const last = new Map();
  const on = (topic, listener, element) => {
    if (!listeners.has(topic)) listeners.set(topic, new Map());
    listeners.get(topic).set(element || listener, listener);
    if (last.has(topic)) listener(last.get(topic));
  };
  const tell = (topic, message) => {
    if (STATES.has(topic)) last.set(topic, message);
    for (const listener of (listeners.get(topic) || new Map()).values()) listener(message);
  };

  const there = () => (last.get("connection")?.state ?? "there") === "there"; // the server

  /** How a text ended; one that was cut off as the server went says that only while the server is gone. */
  const ending = (finish) => t(finish === "gone" ? (there() ? "finish_cut_off" : "finish_gone") : `finish_${finish}`);

  // What the server tells elements while something runs, each thing once (updates.py); `how` says what it changes.
  const FED = 16; // states that are kept to be changed: of the newest events
  const fed = new Map();
  const hearers = new Map();
  const changed = (old, how) => {
    if (Array.isArray(how)) return how.length === 1 ? how[0] : old.slice(0, how[0]) + how[1];
    const now = Array.isArray(old) ? [...old] : { ...old };
    for (const [name, part] of Object.entries(how)) now[name] = changed(now[name], part);
    return now;
  };
  const feed = (entries) => {
    for (const [to, event, how] of entries) {
      const key = `${event} ${to}`;
      const value = changed(fed.get(key), how);
      fed.delete(key);
      if (event) fed.set(key, value);
      if (fed.size > FED) fed.delete(fed.keys().next().value);
      hearers.get(to)?.(value);
    }
  };
  const listen = (to, hearer) => hearers.set(to, hearer);

  const browserLanguage = () => ((navigator.languages || [navigator.language])[0] || "en").toLowerCase();
  let language = stored("playground-language");
  if (language !== "en" && language !== "zh") language = browserLanguage().startsWith("zh") ? "zh" : "en";

  const say = (text) => {
    if (text === null || text === undefined) return "";
    return typeof text === "string" ? text : text[language] ?? text.en ?? "";
  };
  /** What a key stands for in both languages, for what is said later. */
  const both = (key) => words[key];
  /** A sentence with its places filled; in {count:token|tokens} the value is followed by the word that fits it. */
  const filled = (said, values) => said.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (place, name, one, many) => {
    if (values[name] === undefined || values[name] === null) return place;
    const shown = String(values[name]);
    return bidi.isolate(shown) + (many === undefined ? "" : ` ${shown === "1" ? one : many}`);
  });
  const t = (key, values) => {
    const said = say(words[key] ?? key);
    return values ? filled(said, values) : said;
  };
  /** What the server says, which may hold somebody's text. */
  const sentence = (text) => bidi.sentence(say(text));
  /** A sentence of the server, where it is that of one of these keys, in the language of the page. */
  const translate = (told, keys) => say(words[keys.find((key) => Object.values(words[key]).includes(told))] ?? told);
  const speakHtml = () => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  };
  const setLanguage = (wanted) => {
    language = wanted;
    store("playground-language", wanted);
    speakHtml();
    tell("language", wanted);
  };

  // Fills in every element that carries a key of the word list.
  const apply = (root) => {
    for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
    for (const node of root.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
    for (const node of root.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
    for (const node of root.querySelectorAll("[data-t-title]")) node.title = t(node.dataset.tTitle);
  };

  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = () => stored("playground-theme") || (systemDark.matches ? "dark" : "light");
  const paintTheme = () => {
    document.body.classList.toggle("dark", theme() === "dark");
    tell("theme", theme());
  };
  const setTheme = (wanted) => { store("playground-theme", wanted); paintTheme(); };
  systemDark.addEventListener("change", paintTheme);

  // One node: make("button", {class: "x", onclick: f}, "text", child). Text is always text, never markup.
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no clipboard on plain http from another machine
      const area = make("textarea", { style: "position:fixed;opacity:0" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  const number = (value, digits = 0) => Number(value).toLocaleString("en-US", {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  });
  // As bytes_text of amounts.py.
  const bytes = (count) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let step = 0;
    for (; count >= 1000 && step < units.length - 1; step += 1) count /= 1000;
    const finer = step > 2 || (step === 2 && count < 10);
    return `${number(count, finer ? 1 : 0).replace(/\.0$/, "")} ${units[step]}`;
  };
  const command = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl ";

  speakHtml();
  return {
    on, tell, ending, feed, listen, say, both, sentence, t, filled, translate, apply, make, copy, number, bytes, command, store, stored, keep, kept, setLanguage, setTheme, paintTheme,
    theme, get language() { return language; },
  };
})();
