// The choice between the exact and the fast path, and how close the fast one is. Runs inside the same function as act.js.
// What was chosen by hand is kept by the browser, for this tab and for new ones; until then the server's own wish counts.
const PATH = "playground-path";
const TAB_PATH = "playground-tab-path";
const pathChoice = (root) => {
  const pg = window.playground;
  const find = (selector) => root.querySelector(selector);
  const kept = pg.kept(TAB_PATH) ?? pg.stored(PATH);
  let chosen = { path: kept === "exact" || kept === "fast" ? kept : props.value.path };
  let fast = null; // what the server says of it, once the model is loaded
  let searching = false;

  const offered = () => !fast?.why_not;
  const put = () => {
    props.value = chosen;
    trigger("path"); // some knobs act on one path only
  };
  const choose = (path) => {
    if (path === "fast" && !offered()) return;
    chosen = { path };
    put();
    pg.store(PATH, path);
    pg.keep(TAB_PATH, path);
    draw();
  };
  const means = () => {
    if (fast?.why_not) return pg.say(fast.why_not);
    if (searching) return pg.t("path_beams");
    return chosen.path === "exact" ? pg.t("path_exact_means") : fast ? pg.t("path_fast_means", { weights: fast.weights }) : "";
  };
  const draw = (beams = searching) => {
    searching = beams;
    pg.tell("path", offered() ? chosen.path : "exact"); // what the whole page writes on, where no beams search
    const shown = offered() && !searching ? chosen.path : "exact";
    for (const button of root.querySelectorAll("[data-path]")) {
      const on = button.dataset.path === shown;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
      button.hidden = button.dataset.path === "fast" && !offered();
    }
    find(".path-means").textContent = means();
    find("[name=close]").hidden = !fast || !offered();
    const facts = find(".path-facts");
    if (!offered()) facts.hidden = true;
    find("[name=close]").setAttribute("aria-expanded", String(!facts.hidden));
    facts.querySelector("dl").replaceChildren(...(fast?.facts ?? []).map(({ label, value }) =>
      pg.make("div", {}, pg.make("dt", {}, pg.say(label)), pg.make("dd", {}, pg.say(value)))));
    facts.querySelector("p").textContent = (fast?.notes ?? []).map(pg.say).join(pg.language === "zh" ? "" : " ");
  };

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-path]");
    if (button) choose(button.dataset.path);
  });
  root.addEventListener("keydown", (event) => {
    const button = event.target.closest("[data-path]");
    if (!button || !/^Arrow/.test(event.key)) return;
    event.preventDefault();
    choose(button.dataset.path === "exact" ? "fast" : "exact");
    find("[data-path][aria-checked=true]").focus();
  });
  // Gradio may set an element back to what it was when the page came: then the choice is put in force again.
  watch("value", () => { if (props.value?.path !== chosen.path) put(); });
  pg.on("server", (status) => { fast = status.fast ?? null; draw(); }, "paths");
  pg.on("connection", ({ again }) => { if (again) put(); }, "paths"); // what has no effect was asked of nobody meanwhile
  put();
  return { draw, toggle: () => { find(".path-facts").hidden = !find(".path-facts").hidden; draw(); } };
};
