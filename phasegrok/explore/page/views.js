// The two other views: boundaries of all slices in one plot, and the cells as a table.

const MOST_ROWS = 400;

function boundaryView(app, host) {
  const { x, y } = app.plane();
  if (x < 0 || !AXES[x].numbers || (y >= 0 && !AXES[y].numbers)) {
    host.append(element("p", { class: "empty", text: "Boundaries need numbers that run across and up." }));
    return;
  }
  const lines = app.lines().filter((line) => line.rows.length);
  if (!lines.length) {
    host.append(element("p", { class: "empty", text: "No slice has a boundary of generalization along this axis." }));
    return;
  }
  host.append(element("p", { class: "small", text:
    "Networks generalize right of a line. A boundary lies midway between two neighbouring cells, and is"
    + " known to half their distance." }));
  const at = AXES[x].numbers;
  const up = y >= 0 ? AXES[y].numbers : [0];
  const figure = element("figure", { class: "wide" });
  host.append(figure);
  const legend = element("div", { class: "legend" });
  const svg = boundarySvg(lines, at, up, x, y, app);
  for (const line of lines) {
    const sample = element("i", { class: "line" });
    sample.style.borderTopColor = onPage(line.colour);
    sample.style.borderTopStyle = line.dashed ? "dashed" : "solid";
    legend.append(element("span", {}, sample, line.title || "generalization"));
  }
  figure.append(legend, svg);
}

// Points with bars as long as the distance to the next cells.
function boundarySvg(lines, at, up, x, y, app) {
  const [wide, high, left, bottom] = [640, 420, 56, 46];
  const svg = (tag, attributes, ...inside) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...inside);
    return made;
  };
  const spread = (values, from, to) => {
    const [low, end] = [values[0], values[values.length - 1]];
    return (value) => from + ((value - low) / (end - low || 1)) * (to - from);
  };
  const px = spread(at, left + 10, wide - 14);
  const py = spread(up, high - bottom - 10, 14);
  const inside = [];
  const text = (words, place, more = {}) => svg("text", { x: place[0], y: place[1], ...more }, words);
  const everyX = spaced(at.map(String), (wide - left) / at.length, (word) => word.length * 7);
  AXES[x].texts.forEach((label, i) => {
    if (i >= at.length) return;
    inside.push(svg("line", { class: "grid", x1: px(at[i]), x2: px(at[i]), y1: 8, y2: high - bottom }));
    if (i % everyX === 0) inside.push(text(short(label), [px(at[i]), high - bottom + 16], { "text-anchor": "middle" }));
  });
  const everyY = spaced(up.map(String), (high - bottom) / up.length, () => 12);
  if (y >= 0) {
    AXES[y].texts.forEach((label, i) => {
      if (i >= up.length) return;
      inside.push(svg("line", { class: "grid", x1: left, x2: wide - 6, y1: py(up[i]), y2: py(up[i]) }));
      if (i % everyY === 0) inside.push(text(short(label), [left - 6, py(up[i]) + 4], { "text-anchor": "end" }));
    });
    const middle = (high - bottom) / 2;
    inside.push(text(short(`${AXES[y].name} ${AXES[y].symbol}`.trim()), [14, middle],
      { "text-anchor": "middle", transform: `rotate(-90 14 ${middle})`, class: "name" }));
  }
  inside.push(text(short(`${AXES[x].name} ${AXES[x].symbol}`.trim()), [(left + wide) / 2, high - 8],
    { "text-anchor": "middle", class: "name" }));
  for (const line of lines) {
    const colour = onPage(line.colour);
    const points = line.rows.map((row) => {
      const middle = (at[row.from] + at[row.to]) / 2;
      return { row, x: px(middle), y: py(up[row.up]), half: (px(at[row.to]) - px(at[row.from])) / 2, middle };
    });
    inside.push(svg("polyline", {
      points: points.map((p) => `${p.x},${p.y}`).join(" "), stroke: colour, fill: "none",
      "stroke-width": 2, "stroke-dasharray": line.dashed ? "6 4" : "none",
    }));
    for (const p of points) {
      inside.push(svg("line", { x1: p.x - p.half, x2: p.x + p.half, y1: p.y, y2: p.y, stroke: colour, opacity: 0.5 }));
      const words = `${line.title ? `${line.title}: ` : ""}${rough(p.middle)} ± ${rough((at[p.row.to] - at[p.row.from]) / 2)}`;
      const point = svg("circle", { cx: p.x, cy: p.y, r: 3.5, fill: colour, "data-x": p.middle }, svg("title", {}, words));
      // The first cell that generalizes.
      point.addEventListener("click", () =>
        app.choosePlace(app.model.placeIn(line.slice, x, y, p.row.to, p.row.up)));
      inside.push(point);
    }
  }
  return svg("svg", {
    viewBox: `0 0 ${wide} ${high}`, role: "img",
    "aria-label": "Where networks begin to generalize, a line for every slice",
  }, ...inside);
}

function tableView(app, host) {
  const { model } = app;
  const axes = AXES.map((axis, i) => ({ axis, i })).filter(({ axis }) => axis.texts.length > 1);
  const columns = ["train_accuracy", "test_accuracy", "corrupted_accuracy"]
    .filter((name) => model.sources.every((source) => source.has(`cell ${name}`)));
  const sources = model.sources;
  const name = (source, text) => (model.compares ? `${"AB"[source.number]} ${text}` : text);
  const head = [...axes.map(({ axis }) => `${axis.name} ${axis.symbol}`.trim()).map(short),
    ...sources.flatMap((source) => [name(source, "phase"), ...columns.map((c) => name(source, words(c)))])];
  const places = new Map();
  for (const source of sources) {
    for (let cell = 0; cell < source.cells; cell++) {
      const place = model.placeOf(source, cell);
      if (Array.from(app.state.only).some(([axis, value]) => place[axis] !== value)) continue;
      places.set(model.key(place), place);
    }
  }
  const every = Array.from(places.values());
  const labels = app.view.labels ? app.view.column : "subphase";
  const body = every.slice(0, MOST_ROWS).map((place) => {
    const cells = sources.flatMap((source) => {
      const cell = model.cell(source, place);
      const label = model.label(source, cell, labels, app.view.labels ? app.stepNow() : null);
      return [element("td", {}, label >= 0 ? chip(label) : "–"), ...columns.map((column) => element("td", {
        text: cell < 0 ? "–" : rough(model.value(source, cell, column, null)),
      }))];
    });
    const link = element("button", { type: "button", class: "row", text: axes.length
      ? short(axes[0].axis.texts[place[axes[0].i]]) : "the cell" });
    const row = element("tr", { onclick: () => app.choosePlace(place, true) }, element("th", { scope: "row" }, link),
      ...axes.slice(1).map(({ axis, i }) => element("td", { text: short(axis.texts[place[i]]) })), ...cells);
    if (app.state.place && model.key(app.state.place) === model.key(place)) row.classList.add("chosen");
    return row;
  });
  if (!axes.length) head.unshift("cell");
  host.append(element("div", { class: "scroll" }, element("table", { class: "list" },
    element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col", text })))),
    element("tbody", {}, ...body))));
  if (every.length > MOST_ROWS) {
    host.append(element("p", { class: "small", text:
      `The first ${MOST_ROWS} of ${every.length} cells. Choose a slice above to see others.` }));
  }
}

// The labels that occur, with how many cells of what is on the screen have them.
function phaseLegend(app) {
  const counts = new Map();
  let missing = 0;
  let inferred = 0;
  for (const panel of app.panels) {
    for (let up = 0; up < panel.rows.length; up++) {
      for (let across = 0; across < panel.columns.length; across++) {
        const cell = panel.cell([across, up]);
        const label = app.model.label(panel.source, cell, app.view.column, app.stepNow());
        if (label < 0) missing += 1;
        else counts.set(label, (counts.get(label) ?? 0) + 1);
        if (app.model.inferred(panel.source, cell)) inferred += 1;
      }
    }
  }
  const legend = element("div", { class: "legend phases", "aria-label": "Phases" });
  for (const label of Array.from(counts.keys()).sort((a, b) => a - b)) {
    legend.append(element("span", {}, chip(label), element("small", { text: String(counts.get(label)) })));
  }
  if (inferred) legend.append(element("small", { text: `without a letter: inferred (${inferred})` }));
  if (missing) legend.append(element("small", { text: `hatched: not run${app.stepNow() === null ? "" : ", or no label at this step"} (${missing})` }));
  return legend;
}

function scaleLegend(app) {
  const { scale } = app;
  const bar = element("canvas", { width: "256", height: "1", class: "bar", role: "img", "aria-label": "Colours from low to high" });
  const pen = bar.getContext("2d");
  for (let i = 0; i < 256; i++) {
    pen.fillStyle = `rgb(${blend(scale.stops, i / 255).join(",")})`;
    pen.fillRect(i, 0, 1, 1);
  }
  const ticks = element("div", { class: "ticks" });
  for (let i = 0; i <= 4; i++) ticks.append(element("span", { text: rough(scale.at(i / 4)) }));
  return element("div", { class: "legend scale" }, element("span", { text: app.view.name }), element("div", {}, bar, ticks));
}

function differenceLegend(app) {
  const { both, differ, only_a: onlyA, only_b: onlyB } = DATA.compared;
  const alone = onlyA || onlyB ? ` ${onlyA} only in A, ${onlyB} only in B.` : "";
  return element("p", { class: "small told", text:
    `At the end ${differ} of ${both} cells have another phase (Table 2) in B.${alone}`
    + " Grey: the same label. Above the diagonal A's, below it B's." });
}
