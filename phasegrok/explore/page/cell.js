// The chosen cell: what it is called, its curves, what was measured inside, its numbers.

const PLOTS = [
  { name: "Accuracy", of: (column) => column.endsWith("_accuracy"), range: [0, 1.02] },
  { name: "Loss", of: (column) => column.endsWith("_loss"), log: true },
  { name: "Norm", of: (column) => column.endsWith("_norm") || /^(norm|spectral)_/.test(column) },
  { name: "Mean IPR", of: (column) => column.endsWith("_ipr"), range: [0, 1.02] },
  { name: "Neurons", of: (column) => column.endsWith("_neurons") },
  { name: "Logit", of: (column) => column.endsWith("_logit") },
];
const MOST_SEEDS = 24; // thin lines; more of them are a band
const OTHER_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

function quantity(column, number) {
  const known = DATA.quantities[column];
  if (known) return known;
  const line = ["-", "--", ":", "-."][Math.floor(number / OTHER_COLOURS.length) % 4];
  return { name: words(column), colour: OTHER_COLOURS[number % OTHER_COLOURS.length], line };
}

// The second folder's lines: half of the way to the colour of the page.
function paler(colour) {
  const parts = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const page = parts(css("--raised"));
  const mixed = parts(onPage(colour)).map((part, i) => Math.round(0.5 * part + 0.5 * page[i]));
  return `#${mixed.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function chip(label) {
  const { name, letter, colour, ink } = DATA.labels[label];
  const made = element("span", { class: "chip" }, element("b", { text: letter }), name);
  made.style.background = colour;
  made.style.color = ink;
  return made;
}

class CellView {
  constructor(app, host) {
    this.app = app;
    this.host = host;
    this.logX = false;
  }

  clear() {
    forgetPlots(this.host);
    this.host.replaceChildren(
      element("p", { class: "empty", text: "Choose a cell to see its training curves and its numbers." }),
    );
  }

  show(place) {
    const { model } = this.app;
    forgetPlots(this.host);
    this.host.replaceChildren();
    this.place = place;
    this.found = model.sources.map((source) => [source, model.cell(source, place)])
      .filter(([, cell]) => cell >= 0);
    this.heading(place);
    if (!this.found.length) {
      this.host.append(element("p", { class: "empty", text: "This cell was not run." }));
      return;
    }
    if (this.found.every(([source, cell]) => model.inferred(source, cell))) {
      this.host.append(element("p", { class: "empty", text:
        "Inferred: this cell was not trained. Refinement gave it the label that all trained cells"
        + " around it have. The command below trains it." }));
    } else {
      this.curves();
      this.histograms();
      this.pruning();
      this.numbers();
      this.seeds();
    }
    this.commands();
  }

  heading(place) {
    const text = AXES.map((axis, i) => ({ axis, value: axis.texts[place[i]] }))
      .filter(({ axis }) => axis.texts.length > 1 || AXES.length === 1)
      .map(({ axis, value }) => `${axis.symbol || short(axis.name)} = ${short(value)}`).join(",  ");
    const close = element("button", {
      type: "button", class: "close", "aria-label": "Let go of the cell", text: "×",
      onclick: () => this.app.letGo(),
    });
    this.host.append(element("div", { class: "head" }, element("h2", { text: text || "The cell" }), close));
    for (const [source, cell] of this.found) {
      const chips = element("p", { class: "chips" });
      if (this.app.model.compares) chips.append(element("b", { text: `${"AB"[source.number]} ` }));
      const column = this.app.view.labels ? this.app.view.column : "subphase";
      const label = this.app.model.label(source, cell, column, null);
      if (label >= 0) chips.append(chip(label));
      const direct = this.app.model.label(source, cell, "direct_phase", null);
      if (direct >= 0 && direct !== label && column !== "direct_phase") {
        chips.append(element("small", { text: "by its corrupted examples" }), chip(direct));
      }
      const agreement = source.number_of("cell seed_agreement", cell);
      const seeds = source.number_of("cell seeds", cell);
      if (seeds > 1) {
        chips.append(element("small", { text: `${Math.round(agreement * seeds)} of ${seeds} seeds agree` }));
      }
      this.host.append(chips);
    }
  }

  section(title, ...beside) {
    const made = element("section", {}, element("div", { class: "head" }, element("h3", { text: title }), ...beside));
    this.host.append(made);
    return made;
  }

  curves() {
    const curves = this.found.filter(([source, cell]) => source.grid(cell) !== NO_GRID);
    if (!curves.length) return;
    const toggle = element("button", {
      type: "button", class: "quiet", "aria-pressed": String(this.logX), text: "log steps",
      onclick: () => {
        this.logX = !this.logX;
        this.show(this.place);
      },
    });
    const columns = new Set(curves.flatMap(([source]) => Object.keys(source.curves.columns)));
    let beside = [toggle];
    for (const plot of PLOTS) {
      const mine = Array.from(columns).filter(plot.of);
      const drawn = mine.map((column, i) => this.linesOf(curves, column, i)).filter((part) => part.length);
      if (!drawn.length) continue;
      if (plot.name === "Neurons" && !drawn.flat().some((line) => line.values.some((v) => v > 0))) continue;
      const host = this.section(plot.name, ...beside);
      beside = [];
      this.plot(host, plot, drawn.flat(), curves);
    }
    if (curves[0][0].curves.seeds) return;
    this.host.append(element("p", { class: "small", text: "Curves are means over seeds; bands reach from the lowest to the highest." }));
  }

  // Thin lines of all seeds, a band from the lowest to the highest, and the mean.
  linesOf(curves, column, number) {
    const { name, colour, line } = quantity(column, number);
    const found = [];
    for (const [source, cell] of curves) {
      if (!(column in source.curves.columns)) continue;
      const steps = source.steps(source.grid(cell));
      const along = (at) => Array.from(steps, (_, point) => at(point));
      const mean = along((point) => source.meanAt(column, cell, point));
      if (!mean.some(Number.isFinite)) continue;
      const b = source.number === 1;
      const base = { colour: b ? paler(colour) : colour, line, of: `${source.number}.${column}`, steps };
      const runs = source.curves.seeds ? source.alive(cell) : [];
      const [first, last] = source.runs(cell);
      if (source.curves.seeds && last - first > 1) {
        const each = runs.map((run) => along((point) => source.runAt(column, cell, run, point)));
        const ends = (best) => along((point) => best(...each.map((curve) => curve[point]).filter(Number.isFinite)));
        found.push({ ...base, values: ends(Math.max), hidden: true, high: true, width: 0 });
        found.push({ ...base, values: ends(Math.min), hidden: true, low: true, width: 0 });
        each.slice(0, MOST_SEEDS).forEach((values) => found.push({ ...base, values, width: 1, alpha: 0.4, line: "-" }));
      } else if (!source.curves.seeds && last - first !== 1) {
        for (const part of ["high", "low"]) {
          const values = along((point) => source.summaryAt(column, part, cell, point));
          found.push({ ...base, values, hidden: true, [part]: true, width: 0 });
        }
      }
      const key = this.app.model.compares ? `${"AB"[source.number]} ${name}` : name;
      found.push({ ...base, values: mean, width: 2, key });
    }
    return found;
  }

  plot(host, plot, lines, curves) {
    const every = Array.from(new Set(lines.flatMap((line) => Array.from(line.steps)))).sort((a, b) => a - b);
    const x = this.logX ? every.filter((step) => step > 0) : every;
    for (const line of lines) {
      const at = new Map(Array.from(line.steps, (step, i) => [step, line.values[i]]));
      line.values = x.map((step) => at.get(step) ?? NaN);
      if (plot.log) line.values = line.values.map((value) => (value > 0 ? value : NaN));
    }
    const bands = [];
    lines.forEach((line, i) => {
      if (line.high) bands.push([i, i + 1]);
    });
    linePlot(host, x, lines, bands, {
      x: "step", logX: this.logX, logY: plot.log, range: plot.range, mark: () => this.app.stepNow(),
    });
  }

  histograms() {
    for (const [source, cell] of this.found) {
      const about = source.about.histograms;
      if (!about) continue;
      about.layers.forEach((layer, which) => {
        const from = (cell * about.layers.length + which) * about.bins;
        const counts = Array.from(source.array("ipr").slice(from, from + about.bins));
        const dead = source.array("dead")[cell * about.layers.length + which];
        const living = counts.reduce((sum, count) => sum + count, 0);
        if (!living && !dead) return;
        const name = about.layers.length > 1 ? `, layer ${short(layer)}` : "";
        const host = this.section(`${this.prefix(source)}IPR of neurons${name}`);
        host.append(element("p", { class: "small", text: dead
          ? `${living} living neurons of all seeds; ${dead} more are dead` : `${living} neurons of all seeds` }));
        if (!living) return;
        const x = counts.map((_, i) => i / about.bins);
        linePlot(host, x, [{ values: counts, colour: OTHER_COLOURS[0], bars: true, width: 0 }], [], {
          x: "inverse participation ratio", rangeX: [0, 1], height: 140,
          range: (_, low, high) => [0, Math.max(high * 1.05, 1)],
        });
      });
    }
  }

  pruning() {
    for (const [source, cell] of this.found) {
      const about = source.about.pruning;
      if (!about) continue;
      const x = Array.from({ length: about.points }, (_, i) => i / (about.points - 1));
      about.orders.forEach((order, which) => {
        const lines = about.columns.map((column, i) => {
          const { name, colour, line } = quantity(column, i);
          const from = ((cell * about.orders.length + which) * about.columns.length + i) * about.points;
          const levels = source.array("pruning").slice(from, from + about.points);
          const values = Array.from(levels, (level) => (level === MISSING ? NaN : level / LEVELS));
          return { values, colour, line, key: name, of: column };
        }).filter((line) => line.values.some(Number.isFinite));
        if (!lines.length) return;
        const text = order === "random" ? "at random" : `from the ${short(order)} IPR`;
        linePlot(this.section(`${this.prefix(source)}Neurons pruned ${text}`), x, lines, [], {
          x: "share of neurons pruned", range: [0, 1.02], height: 150,
        });
      });
    }
  }

  prefix(source) {
    return this.app.model.compares ? `${"AB"[source.number]}: ` : "";
  }

  numbers() {
    const columns = Array.from(new Set(this.found.flatMap(([source]) => source.about.columns)));
    const rows = columns.map((column) => {
      const cells = this.found.map(([source, cell]) => {
        const name = `cell ${column}`;
        const text = source.has(name) ? shortest(source.array(name)[cell], source.kind(name)) : "–";
        return element("td", { text, "data-column": column });
      });
      return element("tr", {}, element("th", { scope: "row", text: words(column) }), ...cells);
    });
    const many = this.found.some(([source, cell]) => source.number_of("cell seeds", cell) > 1);
    const host = this.section(many ? "Numbers, means over seeds" : "Numbers");
    const table = element("table", { class: "numbers" }, element("tbody", {}, ...rows));
    if (this.app.model.compares) {
      const heads = this.found.map(([source]) => element("th", { scope: "col", text: "AB"[source.number] }));
      table.prepend(element("thead", {}, element("tr", {}, element("td"), ...heads)));
    }
    host.append(element("div", { class: "scroll" }, table));
  }

  seeds() {
    for (const [source, cell] of this.found) {
      const runs = source.about.runs;
      if (!runs) continue;
      const [first, last] = source.runs(cell);
      if (last - first < 1) continue;
      if (last - first === 1) {
        const name = runs.ids ? `, run ${short(runs.ids[first])}` : "";
        this.host.append(element("p", { class: "small", text:
          `${this.prefix(source)}one seed: ${source.array("run seed")[first]}${name}` }));
        continue;
      }
      const label = this.app.view.labels && runs.labels.includes(this.app.view.column)
        ? this.app.view.column : "subphase";
      const main = ["train_accuracy", "test_accuracy", "corrupted_accuracy", "memorization_step", "generalization_step"];
      const columns = [...main.filter((name) => runs.columns.includes(name)),
        ...runs.columns.filter((name) => !main.includes(name))];
      const head = ["seed", "phase", ...columns.map(words), ...(runs.ids ? ["run"] : [])];
      const body = [];
      for (let run = first; run < last; run++) {
        const phase = source.has(`run label ${label}`) ? DATA.labels[source.array(`run label ${label}`)[run]] : null;
        const cells = columns.map((name) => element("td", {
          text: shortest(source.array(`run ${name}`)[run], source.kind(`run ${name}`)),
        }));
        if (runs.ids) cells.push(element("td", { text: short(runs.ids[run]) }));
        body.push(element("tr", {}, element("th", { scope: "row", text: String(source.array("run seed")[run]) }),
          element("td", { text: phase ? phase.name : "–" }), ...cells));
      }
      const table = element("table", { class: "seeds" },
        element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col", text })))),
        element("tbody", {}, ...body));
      this.section(`${this.prefix(source)}Seeds`).append(
        element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Numbers of every seed" }, table),
      );
    }
  }

  commands() {
    for (const source of this.app.model.sources) {
      const text = this.command(source);
      if (!text) continue;
      const copy = element("button", { type: "button", class: "quiet", text: "copy" });
      copy.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(text);
          copy.textContent = "copied";
        } catch {
          getSelection().selectAllChildren(code);
        }
      });
      const code = element("code", { text, class: "command" });
      this.section(`${this.prefix(source)}Train just this cell`, copy).append(element("pre", {}, code));
    }
  }

  command(source) {
    const parts = source.about.command;
    if (!parts) return null;
    const sets = AXES.map((axis, i) => axis.sets[source.number][this.place[i]]);
    if (sets.includes(null)) return null;
    const number = AXES.map((axis, i) => this.place[i]).join("-");
    const output = `--output ${quoted(number ? `${parts.output}-${number}` : parts.output)}`;
    return [parts.begin, ...sets, parts.end, output].filter(Boolean).join(" ");
  }
}

// A word as a shell reads it.
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\"'\"'")}'`;
}
