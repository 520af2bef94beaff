// The arrays of every folder, as the Python side packed them (explore/blob.py, explore/curves.py).

const DATA = JSON.parse(document.getElementById("data").textContent);
const MISSING = 255;
const LEVELS = 254;
const NO_GRID = 0xffff;
const SIZES = { f8: 8, f4: 4, u4: 4, u2: 2, u1: 1 };
const TYPES = { f8: Float64Array, f4: Float32Array, u4: Uint32Array, u2: Uint16Array, u1: Uint8Array };

async function inflated(text) {
  const packed = Uint8Array.fromBase64
    ? Uint8Array.fromBase64(text)
    : Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// One result folder: named arrays, decoded when first asked for.
class Source {
  constructor(about, bytes, number) {
    this.about = about;
    this.bytes = bytes;
    this.number = number;
    this.cells = about.cells;
    this.curves = about.curves;
    this.read = new Map();
    this.places = this.array("places");
    if (this.curves) this.rank = ranks(this.array("grid"), this.curves.grids.length);
    if (about.runs) this.first = starts(this.array("run cell"), this.cells);
    if (this.curves && this.curves.seeds) {
      this.runRank = ranks(this.array("grid of runs"), this.curves.grids.length);
    }
  }

  has(name) {
    return name in this.about.arrays;
  }

  kind(name) {
    return this.about.arrays[name][0];
  }

  array(name) {
    if (!this.read.has(name)) this.read.set(name, this.decoded(name));
    return this.read.get(name);
  }

  decoded(name) {
    const [kind, offset, count, row] = this.about.arrays[name];
    const size = SIZES[kind];
    const plain = new Uint8Array(count * size);
    for (let byte = 0; byte < size; byte++) {
      const from = offset + byte * count;
      for (let i = 0; i < count; i++) plain[i * size + byte] = this.bytes[from + i];
    }
    for (let i = 0; row && i < count; i++) if (i % row) plain[i] += plain[i - 1];
    return new TYPES[kind](plain.buffer);
  }

  // The exact number of a table, or NaN.
  number_of(name, place) {
    return this.has(name) ? this.array(name)[place] : NaN;
  }

  // Runs of a cell: [first, last).
  runs(cell) {
    return this.first ? [this.first[cell], this.first[cell + 1]] : [0, 0];
  }

  grid(cell) {
    return this.curves ? this.array("grid")[cell] : NO_GRID;
  }

  steps(grid) {
    return this.array(`steps.${grid}`);
  }

  // Quantized values of a cell back as numbers.
  value(name, cell, level) {
    if (level === MISSING) return NaN;
    const share = level / LEVELS;
    const scale = this.curves.columns[name];
    if (scale === "unit") return share;
    const bounds = this.array(`${name}.bounds`);
    const low = bounds[cell];
    const value = low + (bounds[this.cells + cell] - low) * share;
    return scale === "log" ? Math.exp(value) : value;
  }

  // One run's value of a curve at a point.
  runAt(name, cell, run, point) {
    const grid = this.array("grid of runs")[run];
    if (grid === NO_GRID || grid !== this.grid(cell)) return NaN;
    const points = this.curves.grids[grid];
    return this.value(name, cell, this.array(`${name}.${grid}`)[this.runRank[run] * points + point]);
  }

  // `mean`, `low` or `high` of a cell where single seeds were left out.
  summaryAt(name, part, cell, point) {
    const grid = this.grid(cell);
    const points = this.curves.grids[grid];
    const levels = this.array(`${name}.${part}.${grid}`);
    return this.value(name, cell, levels[this.rank[cell] * points + point]);
  }

  // The runs that a cell's means are over: those that did not diverge, if any did not.
  alive(cell) {
    const [first, last] = this.runs(cell);
    const every = Array.from({ length: last - first }, (_, i) => first + i);
    if (!this.has("run label subphase")) return every;
    const labels = this.array("run label subphase");
    const left = every.filter((run) => DATA.labels[labels[run]]?.name !== "Diverged");
    return left.length ? left : every;
  }

  meanAt(name, cell, point) {
    if (!this.curves.seeds) return this.summaryAt(name, "mean", cell, point);
    let sum = 0;
    let count = 0;
    for (const run of this.alive(cell)) {
      const value = this.runAt(name, cell, run, point);
      if (!Number.isNaN(value)) {
        sum += value;
        count += 1;
      }
    }
    return count ? sum / count : NaN;
  }
}

// How many members of its own group stand before each.
function ranks(groups, count) {
  const seen = new Uint32Array(count);
  return Uint32Array.from(groups, (group) => (group === NO_GRID ? 0 : seen[group]++));
}

// Where the members of every cell begin, in an ordered list of cells.
function starts(cellOf, cells) {
  const found = new Uint32Array(cells + 1);
  for (const cell of cellOf) found[cell + 1] += 1;
  for (let i = 0; i < cells; i++) found[i + 1] += found[i];
  return found;
}

// The shortest decimal that is this very number, as Python writes it.
function shortest(value, kind) {
  if (value === null || Number.isNaN(value)) return "–";
  if (kind !== "f4" || !Number.isFinite(value)) return String(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

// About this number, for plots.
function rough(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}
