// The fields of a task and those of the variables in a prompt, drawn. Runs inside the same function as compose.js.
const input = (field) => {
  const shared = { name: field.name, "data-task-field": "", dir: "auto", maxlength: field.max_length };
  if (field.choices) {
    const options = field.choices[pg.language] || field.choices.en;
    return pg.make("select", shared, ...options.map((choice) => pg.make("option", { value: choice, dir: "auto" }, choice)));
  }
  const hint = field.placeholder ? pg.say(field.placeholder) : null;
  if (field.type === "long_text") return pg.make("textarea", { ...shared, rows: 4, placeholder: hint });
  return pg.make("input", {
    ...shared, type: "text", inputmode: field.type === "number" ? "decimal" : null, placeholder: hint, autocomplete: "off",
  });
};
const drawFields = () => {
  const one = task();
  find(".task-about").textContent = pg.say(one.description);
  fields.replaceChildren(...one.fields.map((field) => {
    const control = input(field);
    control.value = form.fields[field.name] ?? "";
    return pg.make("label",
      { class: `field${field.type === "long_text" || field.type === "list" ? " wide" : ""}`, "data-field": field.name },
      pg.make("span", { class: "field-label" }, pg.make("bdi", {}, pg.say(field.label)),
        field.required ? null : pg.make("i", {}, pg.t("optional"))),
      control,
      pg.make("span", { class: "field-error", role: "alert", hidden: true }));
  }));
  fields.querySelectorAll("textarea").forEach(grow);
  drawMeasured();
};
// A field for each variable of the free prompt or the chat; what was typed for a name stays when the name comes back.
const drawVariables = () => {
  const names = variables();
  const found = places().length;
  const many = form.fill && found > names.length;
  find(".variables-hint").hidden = found > 0 || !form.fill;
  find(".variables-bar").hidden = !found && form.fill;
  find("[name=fill]").checked = form.fill;
  find(".fill-note").textContent = many ? pg.t("fill_many", { count: found, most: props.most_variables }) : form.fill ? "" : pg.t("fill_off");
  find(".variables").hidden = !names.length;
  if (drawn === names.join()) return;
  drawn = names.join();
  find(".variables").replaceChildren(...names.map((name) => {
    const area = pg.make("textarea", { name, rows: 1, dir: "auto", "data-variable": "" });
    area.value = Object.hasOwn(form.variables, name) ? form.variables[name] : "";
    return pg.make("label", { class: "field", "data-field": `{{${name}}}` },
      pg.make("span", { class: "field-label" }, pg.make("bdi", {}, name)), area,
      pg.make("span", { class: "field-error", role: "alert", hidden: true }));
  }));
  element.querySelectorAll(".variables textarea").forEach(grow);
};
// What `measure` found, where it measured the model that is loaded in the language that is shown.
const drawMeasured = () => {
  const report = task().measured.find((one) => one.model === form.ready && one.language === pg.language);
  const place = find(".task-measured");
  place.hidden = !report;
  place.textContent = report ? pg.t("measured", report) : "";
};
