// What is asked of the data: which cell lies where, how it is called, what it was at a step.

const AXES = DATA.axes;
const GENERALIZING = new Set(DATA.generalizing);
const LABELS = {
  subphase: "Phase (Table 2)",
  phase: "Phase, Inversion as one",
  direct_phase: "Phase, by corrupted examples",
};
const LONGEST = 60; // characters of a name on the screen

function short(text) {
  const plain = String(text).replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
  const letters = Array.from(plain.slice(0, 4 * LONGEST));
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : letters.join("");
}

function words(column) {
  return short(column.replaceAll("_", " "));
}

class Model {
  constructor(sources) {
    this.sources = sources;
    this.where = sources.map((source) => new Map());
    sources.forEach((source, number) => {
      for (let cell = 0; cell < source.cells; cell++) {
        this.where[number].set(this.key(this.placeOf(source, cell)), cell);
      }
    });
    this.allSteps = this.everyStep();
    this.points = new Map();
  }

  get compares() {
    return this.sources.length > 1;
  }

  placeOf(source, cell) {
    return AXES.map((_, axis) => source.places[axis * source.cells + cell]);
  }

  key(place) {
    return place.reduce((key, value, axis) => key * (AXES[axis].texts.length + 1) + value, 0);
  }

  cell(source, place) {
    return this.where[source.number].get(this.key(place)) ?? -1;
  }

  everyStep() {
    const found = new Set();
    for (const source of this.sources) {
      source.curves?.grids.forEach((_, grid) => source.steps(grid).forEach((step) => found.add(step)));
    }
    return Array.from(found).sort((a, b) => a - b);
  }

  // The last point of a cell's curves up to a step; -1 where there is none.
  point(source, cell, step) {
    const grid = source.grid(cell);
    if (grid === NO_GRID) return -1;
    const key = `${source.number}.${grid}.${step}`;
    if (!this.points.has(key)) {
      const steps = source.steps(grid);
      let last = -1;
      while (last + 1 < steps.length && steps[last + 1] <= step) last += 1;
      this.points.set(key, last);
    }
    return this.points.get(key);
  }

  // Which label a cell has at a step (null: at the end), as a place in DATA.labels; -1: none.
  label(source, cell, column, step) {
    if (cell < 0) return -1;
    let found;
    if (step === null) {
      if (!source.has(`label ${column}`)) return -1;
      found = source.array(`label ${column}`)[cell];
    } else {
      const point = this.point(source, cell, step);
      if (point < 0 || !source.curves.labels) return -1;
      const grid = source.grid(cell);
      const points = source.curves.grids[grid];
      found = source.array(`label ${column}.${grid}`)[source.rank[cell] * points + point];
    }
    return found === MISSING ? -1 : found;
  }

  value(source, cell, column, step) {
    if (cell < 0) return NaN;
    if (step === null) return source.number_of(`cell ${column}`, cell);
    const point = this.point(source, cell, step);
    return point < 0 || !(column in source.curves.columns) ? NaN : source.meanAt(column, cell, point);
  }

  inferred(source, cell) {
    return cell >= 0 && source.has("inferred") && source.array("inferred")[cell] === 1;
  }

  // Whether a view can be shown at steps.
  overTime(view) {
    if (!this.allSteps.length) return false;
    const every = (test) => this.sources.every((source) => source.curves && test(source));
    if (view.labels) return every((source) => source.curves.labels);
    return every((source) => view.column in source.curves.columns);
  }

  views() {
    const first = this.sources[0];
    const shared = (name) => this.sources.every((source) => source.has(name));
    const labels = Object.keys(LABELS).filter((name) => shared(`label ${name}`));
    const numbers = first.about.columns.filter((name) => shared(`cell ${name}`) && this.varies(name));
    const found = labels.map((column) => ({ id: column, column, labels: true, name: LABELS[column] }));
    for (const column of numbers) found.push({ id: `m.${column}`, column, name: words(column) });
    if (!this.compares) return found;
    const differences = labels.map((column) => ({
      id: `d.${column}`, column, labels: true, difference: true, name: `A → B: ${LABELS[column]}`,
    }));
    for (const column of numbers) {
      differences.push({
        id: `d.m.${column}`, column, difference: true, name: `B − A: ${words(column)}`,
      });
    }
    return [...found, ...differences];
  }

  varies(column) {
    return this.sources.some((source) => source.array(`cell ${column}`).some((v) => !Number.isNaN(v)));
  }

  // The ends of a view's scale, over all cells and, where it has them, all steps.
  range(view) {
    if (view.column.endsWith("_accuracy")) return view.difference ? [-1, 1, false] : [0, 1, false];
    let low = Infinity;
    let high = -Infinity;
    const see = (value) => {
      if (!Number.isFinite(value)) return;
      low = Math.min(low, value);
      high = Math.max(high, value);
    };
    if (view.difference) {
      const [a, b] = this.sources;
      for (let cell = 0; cell < a.cells; cell++) {
        const other = this.cell(b, this.placeOf(a, cell));
        if (other >= 0) see(this.value(b, other, view.column, null) - this.value(a, cell, view.column, null));
      }
      const most = Math.max(Math.abs(low), Math.abs(high));
      return Number.isFinite(most) && most > 0 ? [-most, most, false] : [-1, 1, false];
    }
    for (const source of this.sources) {
      source.array(`cell ${view.column}`).forEach(see);
      const bounds = `${view.column}.bounds`;
      const log = source.curves?.columns[view.column] === "log";
      if (source.has(bounds)) source.array(bounds).forEach((v) => see(log ? Math.exp(v) : v));
    }
    if (!(high > low)) return [Number.isFinite(low) ? low : 0, Number.isFinite(low) ? low + 1 : 1, false];
    const log = (view.column.endsWith("_loss") || view.column.endsWith("_step")) && low > 0 && high > 50 * low;
    return [low, high, log];
  }

  // The slices: every combination of the axes that run neither across nor up, one for each folder.
  slices(x, y, only) {
    const rest = AXES.map((_, axis) => axis).filter((axis) => axis !== x && axis !== y);
    const found = new Map();
    this.sources.forEach((source) => {
      for (let cell = 0; cell < source.cells; cell++) {
        const place = this.placeOf(source, cell);
        if (rest.some((axis) => only.has(axis) && only.get(axis) !== place[axis])) continue;
        const key = rest.map((axis) => place[axis]).join(".");
        if (!found.has(key)) found.set(key, rest.map((axis) => [axis, place[axis]]));
      }
    });
    return Array.from(found.values()).sort((a, b) => {
      for (let i = 0; i < a.length; i++) if (a[i][1] !== b[i][1]) return a[i][1] - b[i][1];
      return 0;
    });
  }

  title(slice) {
    return slice.filter(([axis]) => AXES[axis].texts.length > 1)
      .map(([axis, value]) => `${short(AXES[axis].name)} = ${short(AXES[axis].texts[value])}`).join(", ");
  }

  placeIn(slice, x, y, across, up) {
    const place = new Array(AXES.length).fill(0);
    for (const [axis, value] of slice) place[axis] = value;
    if (x >= 0) place[x] = across;
    if (y >= 0) place[y] = up;
    return place;
  }

  // Where networks begin to generalize along x, in every row: the last place where they do, midway
  // between two neighbouring cells (analysis/boundaries.py).
  boundary(source, slice, x, y, column, step) {
    const rows = [];
    const across = AXES[x].texts.length;
    for (let up = 0; up < (y >= 0 ? AXES[y].texts.length : 1); up++) {
      let before = null;
      let found = null;
      for (let i = 0; i < across; i++) {
        const label = this.label(source, this.cell(source, this.placeIn(slice, x, y, i, up)), column, step);
        if (label < 0) continue;
        const inside = GENERALIZING.has(label);
        if (before && !before.inside && inside) found = [before.i, i];
        before = { inside, i };
      }
      if (found) rows.push({ up, from: found[0], to: found[1] });
    }
    return rows;
  }
}
