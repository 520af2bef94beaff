// How a cell is drawn, what is said of it, and how the address holds what is seen.

// How a cell is drawn.
function look(app, source, place) {
  const { view, model } = app;
  const step = app.stepNow();
  const cell = model.cell(source, place);
  if (view.difference) return lookOfDifference(app, place, step);
  if (view.labels) {
    const label = model.label(source, cell, view.column, step);
    if (label < 0) return { missing: true };
    const { letter, colour, ink } = DATA.labels[label];
    return { colour, ink, letter: model.inferred(source, cell) ? "" : letter };
  }
  const value = model.value(source, cell, view.column, step);
  if (Number.isFinite(value)) return { colour: app.scale.colour(value) };
  const gone = model.label(source, cell, "subphase", null);
  if (gone >= 0 && DATA.labels[gone].name === "Diverged") return DATA.labels[gone];
  return { missing: true };
}

function lookOfDifference(app, place, step) {
  const { view, model } = app;
  const [a, b] = model.sources;
  const cells = [model.cell(a, place), model.cell(b, place)];
  if (Math.min(...cells) < 0) return { missing: true };
  if (view.labels) {
    const [before, after] = model.sources.map((source, i) => model.label(source, cells[i], view.column, step));
    if (before < 0 || after < 0) return { missing: true };
    if (before === after) return { colour: css("--same") };
    return { ...DATA.labels[before], second: DATA.labels[after] };
  }
  const apart = model.value(b, cells[1], view.column, step) - model.value(a, cells[0], view.column, step);
  return Number.isFinite(apart) ? { colour: app.scale.colour(apart) } : { missing: true };
}

// What is said of a cell under the pointer, or to a screen reader.
function describe(app, panel, at) {
  const { model } = app;
  const place = panel.place(at);
  const lines = [[panel.x, at[0]], [panel.y, at[1]]].filter(([axis]) => axis >= 0)
    .map(([axis, value]) => `${AXES[axis].symbol || short(AXES[axis].name)} = ${short(AXES[axis].texts[value])}`);
  const text = [lines.join(", ")];
  const sources = app.view.difference ? model.sources : [panel.source];
  for (const source of sources) {
    const cell = model.cell(source, place);
    const step = app.stepNow();
    const prefix = app.view.difference ? `${"AB"[source.number]}: ` : "";
    if (cell < 0) {
      text.push(`${prefix}not run`);
      continue;
    }
    const column = app.view.labels ? app.view.column : "subphase";
    const label = model.label(source, cell, column, app.view.labels ? step : null);
    const inferred = model.inferred(source, cell) ? ", inferred" : "";
    if (label >= 0) text.push(`${prefix}${DATA.labels[label].name}${inferred}`);
    const columns = app.view.labels ? ["train_accuracy", "test_accuracy"] : [app.view.column];
    for (const name of columns) {
      if (step !== null && !(name in (source.curves?.columns ?? {}))) continue;
      const value = model.value(source, cell, name, step);
      if (Number.isNaN(value)) continue;
      const exact = step === null && source.has(`cell ${name}`);
      text.push(`${prefix}${words(name)} ${exact ? rough(value) : `≈ ${rough(value)}`}`);
    }
  }
  return text;
}

function toAddress(app) {
  const { state } = app;
  const say = new URLSearchParams();
  if (state.tab !== "diagram") say.set("tab", state.tab);
  if (state.view) say.set("view", app.view.id);
  if (state.x !== app.axis(DATA.first.x)) say.set("x", AXES[state.x]?.column ?? "");
  if (state.y !== app.axis(DATA.first.y)) say.set("y", AXES[state.y]?.column ?? "");
  for (const [axis, value] of state.only) say.set(`only.${AXES[axis].column}`, AXES[axis].texts[value]);
  if (state.place) AXES.forEach((axis, i) => say.set(`at.${axis.column}`, axis.texts[state.place[i]]));
  if (state.place && !AXES.length) say.set("at", "");
  if (state.step !== null) say.set("step", String(app.model.allSteps[state.step]));
  if (state.overlay) say.set("boundaries", "all");
  const text = say.toString();
  if (text === app.written) return;
  app.written = text;
  // Browsers limit how often an address changes, and some forbid it for files.
  clearTimeout(app.writing);
  app.writing = setTimeout(() => {
    try {
      history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
    } catch { /* the page works without */ }
  }, 150);
}

function fromAddress(app) {
  const say = new URLSearchParams(location.hash.slice(1));
  const { state } = app;
  const view = app.views.findIndex((each) => each.id === say.get("view"));
  state.view = Math.max(view, 0);
  state.tab = ["boundaries", "table"].includes(say.get("tab")) ? say.get("tab") : "diagram";
  for (const id of ["x", "y"]) state[id] = app.axis(say.has(id) ? say.get(id) : DATA.first[id]);
  const valueOf = (prefix, axis) => axis.texts.indexOf(say.get(`${prefix}.${axis.column}`) ?? "\u0000");
  state.only = new Map(AXES.map((axis, i) => [i, valueOf("only", axis)]).filter(([, value]) => value >= 0));
  const place = AXES.map((axis) => valueOf("at", axis));
  const chosen = AXES.length ? place.every((value) => value >= 0) : say.has("at") || app.model.sources[0].cells === 1;
  state.place = chosen ? place : null;
  const step = say.has("step") ? app.model.allSteps.indexOf(Number(say.get("step"))) : -1;
  state.step = step >= 0 ? step : null;
  state.overlay = say.get("boundaries") === "all";
}
