// One panel of a diagram on a canvas: cells, letters, boundaries, ticks, and which cell is where.

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

const colours = new Map(); // of the theme; emptied when it changes

function css(name) {
  if (!colours.has(name)) {
    colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  }
  return colours.get(name);
}

function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...inside);
  return made;
}

function blend(stops, share) {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, stops.length - 1);
  return stops[low].map((part, i) => Math.round(part + (stops[high][i] - part) * (at - low)));
}

// A metric's colours between two ends.
class Scale {
  constructor([low, high, log], difference) {
    Object.assign(this, { low, high, log, stops: DATA.colours[difference ? "difference" : "value"] });
  }

  share(value) {
    if (!this.log) return (value - this.low) / (this.high - this.low);
    return (Math.log(value) - Math.log(this.low)) / (Math.log(this.high) - Math.log(this.low));
  }

  at(share) {
    return this.log ? this.low * (this.high / this.low) ** share : this.low + (this.high - this.low) * share;
  }

  colour(value) {
    return `rgb(${blend(this.stops, this.share(value)).join(",")})`;
  }
}

// Every n-th of some texts, so that none runs into the next.
function spaced(texts, room, size) {
  for (let every = 1; every < texts.length; every++) {
    let fits = true;
    for (let i = 0; i + every < texts.length; i += every) {
      fits &&= (size(texts[i]) + size(texts[i + every])) / 2 + 6 < every * room;
    }
    if (fits) return every;
  }
  return Math.max(texts.length, 1);
}

class Panel {
  constructor(app, source, slice, x, y) {
    Object.assign(this, { app, source, slice, x, y });
    this.columns = x >= 0 ? AXES[x].texts.map(short) : [""];
    this.rows = y >= 0 ? AXES[y].texts.map(short) : [""];
    this.titleText = app.model.title(slice);
    if (app.model.compares) {
      const whose = app.view.difference ? "A → B" : "AB"[source.number];
      this.titleText = [whose, this.titleText]
        .filter(Boolean).join("  ·  ");
    }
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.host = element("div", {
      class: "panel", tabindex: "0", role: "application", "aria-label": this.description(),
      "aria-roledescription": "phase diagram",
    }, this.canvas);
    this.swatch = element("i", { class: "swatch" });
    this.figure = element("figure", {}, element("figcaption", {}, this.swatch, this.titleText), this.host);
    this.focus = null;
    this.listen();
  }

  description() {
    const size = `${this.columns.length} by ${this.rows.length} cells`;
    return `Phase diagram ${this.titleText}, ${size}. Arrow keys move, Enter chooses a cell.`;
  }

  listen() {
    this.host.addEventListener("pointermove", (event) => this.app.hover(this, this.hit(event), event));
    this.host.addEventListener("pointerleave", () => this.app.hover(this, null));
    this.host.addEventListener("click", (event) => {
      const at = this.hit(event);
      if (at) {
        this.focus = at;
        this.app.choose(this, at);
      }
    });
    this.host.addEventListener("keydown", (event) => this.key(event));
    this.host.addEventListener("focus", () => this.draw());
    this.host.addEventListener("blur", () => {
      this.app.hover(this, null);
      this.draw();
    });
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const move = moves[event.key];
    if (move) {
      const [i, j] = this.focus ?? [0, this.rows.length - 1];
      const step = this.focus ? move : [0, 0];
      this.focus = [
        Math.min(Math.max(i + step[0], 0), this.columns.length - 1),
        Math.min(Math.max(j + step[1], 0), this.rows.length - 1),
      ];
      this.draw();
      this.app.say(this, this.focus);
    } else if (event.key === "Enter" && this.focus) {
      this.app.choose(this, this.focus, true);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  place([across, up]) {
    return this.app.model.placeIn(this.slice, this.x, this.y, across, up);
  }

  cell(at) {
    return this.app.model.cell(this.source, this.place(at));
  }

  hit(event) {
    const box = this.canvas.getBoundingClientRect();
    const across = Math.floor((event.clientX - box.left - this.left) / this.wide);
    const up = this.rows.length - 1 - Math.floor((event.clientY - box.top - this.top) / this.high);
    const inside = across >= 0 && across < this.columns.length && up >= 0 && up < this.rows.length;
    return inside ? [across, up] : null;
  }

  // Where a cell is on the screen, for what is said beside it.
  corner([across, up]) {
    const box = this.canvas.getBoundingClientRect();
    return [box.left + this.left + (across + 1) * this.wide,
      box.top + this.top + (this.rows.length - up) * this.high];
  }

  // Sizes in CSS pixels for a panel of some width.
  measure(width) {
    const pen = this.canvas.getContext("2d");
    pen.font = `11px ${FONT}`;
    const size = (text) => Math.min(pen.measureText(text).width, width * 0.35);
    this.top = 2;
    this.left = Math.ceil(Math.max(0, ...this.rows.map(size))) + (this.y >= 0 ? 24 : 4);
    this.bottom = this.x >= 0 ? 34 : 6;
    const room = width - this.left - 8;
    this.wide = Math.max(Math.min(room / this.columns.length, 64), 1);
    if (this.wide > 4) this.wide = Math.floor(this.wide);
    const tall = Math.round(this.wide * 0.92);
    this.high = Math.min(Math.max(tall, this.rows.length > 60 ? 2 : this.y >= 0 ? 13 : 30), 44);
    this.every = spaced(this.columns, this.wide, size);
    this.width = Math.min(width, Math.ceil(this.left + this.wide * this.columns.length + 10));
    this.height = this.top + this.high * this.rows.length + this.bottom;
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const pixels = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1]) {
      [this.canvas.width, this.canvas.height] = pixels;
      this.canvas.style.width = `${this.width}px`;
      this.canvas.style.height = `${this.height}px`;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    for (let up = 0; up < this.rows.length; up++) {
      for (let across = 0; across < this.columns.length; across++) this.drawCell(pen, across, up);
    }
    this.drawBoundary(pen);
    this.drawTicks(pen);
    this.drawRings(pen);
  }

  box(across, up) {
    return [this.left + across * this.wide, this.top + (this.rows.length - 1 - up) * this.high, this.wide, this.high];
  }

  drawCell(pen, across, up) {
    const box = this.box(across, up);
    const drawn = look(this.app, this.source, this.place([across, up]));
    if (drawn.missing) {
      this.hatch(pen, box);
      return;
    }
    pen.fillStyle = drawn.colour;
    pen.fillRect(box[0], box[1], box[2] + 0.3, box[3] + 0.3);
    if (drawn.second) {
      pen.beginPath();
      pen.moveTo(box[0] + box[2], box[1]);
      pen.lineTo(box[0] + box[2], box[1] + box[3]);
      pen.lineTo(box[0], box[1] + box[3]);
      pen.fillStyle = drawn.second.colour;
      pen.fill();
    }
    const small = Math.min(this.wide, this.high);
    const many = drawn.second && drawn.letter;
    if (!drawn.letter || small < (many ? 16 : 9)) return;
    pen.font = `${Math.round(Math.min(small * (many ? 0.42 : 0.52), 15))}px ${FONT}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.globalAlpha = 0.6;
    pen.fillStyle = drawn.ink;
    const [x, y] = [box[0] + box[2] / 2, box[1] + box[3] / 2 + 0.5];
    const aside = many ? small * 0.22 : 0;
    pen.fillText(drawn.letter, x - aside, y - aside);
    if (many) {
      pen.fillStyle = drawn.second.ink;
      pen.fillText(drawn.second.letter, x + aside, y + aside);
    }
    pen.globalAlpha = 1;
  }

  hatch(pen, [x, y, wide, high]) {
    pen.save();
    pen.beginPath();
    pen.rect(x, y, wide, high);
    pen.clip();
    pen.strokeStyle = css("--faint");
    pen.lineWidth = 1;
    pen.beginPath();
    for (let i = -high; i < wide; i += 5) {
      pen.moveTo(x + i, y + high);
      pen.lineTo(x + i + high, y);
    }
    pen.stroke();
    pen.restore();
  }

  // Along the edges of cells around those that generalize; and the other slices' lines.
  drawBoundary(pen) {
    const { app } = this;
    if (!app.view.labels || app.view.difference) return;
    const inside = (across, up) => {
      const label = app.model.label(this.source, this.cell([across, up]), app.view.column, app.stepNow());
      return label < 0 ? null : GENERALIZING.has(label);
    };
    pen.beginPath();
    for (let up = 0; up < this.rows.length; up++) {
      for (let across = 0; across < this.columns.length; across++) {
        const mine = inside(across, up);
        const [x, y, wide, high] = this.box(across, up);
        const right = across + 1 < this.columns.length ? inside(across + 1, up) : null;
        const above = up + 1 < this.rows.length ? inside(across, up + 1) : null;
        if (mine !== null && right !== null && mine !== right) {
          pen.moveTo(x + wide, y);
          pen.lineTo(x + wide, y + high);
        }
        if (mine !== null && above !== null && mine !== above) {
          pen.moveTo(x, y);
          pen.lineTo(x + wide, y);
        }
      }
    }
    pen.strokeStyle = "#000";
    pen.lineWidth = 1.6;
    pen.lineCap = "square";
    pen.stroke();
    if (app.state.overlay) app.lines().forEach((line) => this.drawLine(pen, line));
  }

  drawLine(pen, { rows, colour, panel }) {
    const drawn = rows.map((row) => {
      const [, y, , high] = this.box(0, row.up);
      return [this.left + ((row.from + row.to) / 2 + 0.5) * this.wide, y + high / 2];
    });
    for (const [stroke, width] of [["rgba(255,255,255,.85)", 4.5], [colour, panel === this ? 3 : 2]]) {
      pen.beginPath();
      drawn.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.strokeStyle = stroke;
      pen.lineWidth = width;
      pen.lineJoin = "round";
      pen.stroke();
    }
  }

  drawTicks(pen) {
    pen.font = `11px ${FONT}`;
    pen.fillStyle = css("--quiet");
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const most = this.left - (this.y >= 0 ? 22 : 4);
    const upwards = spaced(this.rows, this.high, () => 8);
    this.rows.forEach((text, up) => {
      if (up % upwards) return;
      const [, y, , high] = this.box(0, up);
      pen.fillText(text, this.left - 5, y + high / 2 + 0.5, most);
    });
    pen.textAlign = "center";
    const under = this.top + this.high * this.rows.length;
    this.columns.forEach((text, across) => {
      if (across % this.every) return;
      pen.fillText(text, this.left + (across + 0.5) * this.wide, under + 10, this.every * this.wide);
    });
    pen.fillStyle = css("--ink");
    const middle = this.left + (this.wide * this.columns.length) / 2;
    if (this.x >= 0) pen.fillText(this.axisName(this.x), middle, under + 26, this.width - this.left);
    if (this.y < 0) return;
    pen.save();
    pen.translate(8, this.yMiddle(pen));
    pen.rotate(-Math.PI / 2);
    const tall = this.height - 4;
    const name = this.axisName(this.y);
    const { symbol } = AXES[this.y];
    pen.fillText(symbol && this.isTall(pen, name) ? symbol : name, 0, 0, tall);
    pen.restore();
  }

  isTall(pen, name) {
    return pen.measureText(name).width > this.high * this.rows.length;
  }

  // Beside the middle of the cells, but so that the name is not cut off above.
  yMiddle(pen) {
    if (AXES[this.y].symbol) return this.top + (this.high * this.rows.length) / 2;
    const half = Math.min(pen.measureText(this.axisName(this.y)).width, this.height - 4) / 2;
    return Math.max(this.top + (this.high * this.rows.length) / 2, half + 2);
  }

  axisName(axis) {
    return short(`${AXES[axis].name} ${AXES[axis].symbol}`.trim());
  }

  drawRings(pen) {
    const ring = (at, inner, outer) => {
      const [x, y, wide, high] = this.box(...at);
      pen.strokeStyle = outer;
      pen.lineWidth = 4;
      pen.strokeRect(x, y, wide, high);
      pen.strokeStyle = inner;
      pen.lineWidth = 2;
      pen.strokeRect(x, y, wide, high);
    };
    const chosen = this.app.chosenIn(this);
    if (chosen) ring(chosen, "#000", "#fff");
    if (this.focus && document.activeElement === this.host) ring(this.focus, css("--accent"), "#fff");
  }
}
