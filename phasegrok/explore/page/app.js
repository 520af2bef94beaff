// The page: its state, its controls, its address.

class App {
  constructor(model) {
    this.model = model;
    this.views = model.views();
    this.state = {
      tab: "diagram", view: 0, x: this.axis(DATA.first.x), y: this.axis(DATA.first.y),
      only: new Map(), place: null, step: null, overlay: false,
    };
    this.panels = [];
    this.get = (id) => document.getElementById(id);
    this.cellView = new CellView(this, this.get("cell"));
  }

  axis(column) {
    return AXES.findIndex((axis) => axis.column === column);
  }

  get view() {
    return this.views[this.state.view] ?? this.views[0];
  }

  plane() {
    return { x: this.state.x, y: this.state.y };
  }

  // The step that is shown; null at the end, or where this view has nothing over time.
  stepNow() {
    const { step } = this.state;
    return step === null || !this.model.overTime(this.view) ? null : this.model.allSteps[step];
  }

  start() {
    this.head();
    this.controls();
    fromAddress(this);
    this.render();
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== this.written) {
        fromAddress(this);
        this.render();
      }
    });
    addEventListener("keydown", (event) => this.key(event));
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth !== width) this.render();
      width = innerWidth;
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.themed());
  }

  // Two folders of one sweep are told apart by where they are.
  nameOf(source) {
    const names = new Set(this.model.sources.map((each) => each.about.name));
    return short(names.size < this.model.sources.length ? source.about.folder : source.about.name);
  }

  head() {
    const { sources } = this.model;
    const names = sources.map((source) => this.nameOf(source));
    document.title = `${names.join(" and ")} · phasegrok`;
    this.get("title").textContent = names.map((name, i) => (names.length > 1 ? `${"AB"[i]}  ${name}` : name)).join("   ");
    this.get("summary").textContent = sources.map((source) =>
      [...source.about.summary, `${source.cells} cell${source.cells === 1 ? "" : "s"}`].filter(Boolean).map(short)
        .join("  ·  ")).join("\n");
    const notes = sources.flatMap((source) => source.about.notes.map((note) =>
      (names.length > 1 ? `${"AB"[source.number]}: ${note}` : note)));
    this.get("notes").replaceChildren(...notes.map((text) => element("li", { text })));
    this.get("made").textContent = `phasegrok ${DATA.version}`;
    for (const source of sources) {
      if (!source.about.file) continue;
      document.querySelector("footer").append(element("details", {},
        element("summary", { text: `The sweep ${short(source.about.name)}, every key` }),
        element("pre", { text: source.about.file })));
    }
  }

  controls() {
    const options = (select, entries) => select.replaceChildren(...entries.map(([value, text]) =>
      element("option", { value: String(value), text })));
    const groups = [["Phases", (v) => v.labels && !v.difference], ["Numbers", (v) => !v.labels && !v.difference],
      ["Differences", (v) => v.difference]];
    this.get("view").replaceChildren(...groups.flatMap(([label, test]) => {
      const mine = this.views.map((view, i) => ({ view, i })).filter(({ view }) => test(view));
      return mine.length ? [element("optgroup", { label }, ...mine.map(({ view, i }) =>
        element("option", { value: String(i), text: view.name })))] : [];
    }));
    const axes = AXES.map((axis, i) => [i, short(`${axis.name} ${axis.symbol}`.trim())]).filter(([i]) => AXES[i].texts.length > 1);
    for (const id of ["x", "y"]) options(this.get(id), [...axes, [-1, "nothing"]]);
    this.get("across").hidden = this.get("up").hidden = axes.length < 2;
    this.get("view").onchange = (event) => this.set({ view: Number(event.target.value) });
    for (const [id, other] of [["x", "y"], ["y", "x"]]) {
      this.get(id).onchange = (event) => {
        const axis = Number(event.target.value);
        const swap = axis >= 0 && axis === this.state[other];
        this.state.only.delete(axis);
        this.set({ [id]: axis, ...(swap ? { [other]: this.state[id] } : {}) });
      };
    }
    this.get("overlay").onchange = (event) => this.set({ overlay: event.target.checked });
    document.querySelectorAll("[data-tab]").forEach((tab) => {
      tab.onclick = () => this.set({ tab: tab.dataset.tab });
    });
    const steps = this.model.allSteps;
    this.get("step").max = String(steps.length);
    this.get("step").oninput = (event) => this.setStep(Number(event.target.value));
    this.get("play").onclick = () => this.play();
    this.get("theme").onclick = () => this.toggleTheme();
    this.get("help").onclick = () => this.get("keys").showModal();
  }

  onlyControls() {
    const host = this.get("only");
    host.replaceChildren();
    AXES.forEach((axis, i) => {
      if (i === this.state.x || i === this.state.y || axis.texts.length < 2) return;
      const select = element("select", {}, element("option", { value: "", text: "all" }),
        ...axis.texts.map((text, value) => element("option", { value: String(value), text: short(text) })));
      select.value = this.state.only.has(i) ? String(this.state.only.get(i)) : "";
      select.onchange = () => {
        if (select.value === "") this.state.only.delete(i);
        else this.state.only.set(i, Number(select.value));
        this.set({});
      };
      host.append(element("label", {}, `${short(axis.name)} `, select));
    });
  }

  set(change) {
    Object.assign(this.state, change);
    this.render();
  }

  // Only what changes with the step is drawn again.
  setStep(step) {
    this.state.step = step >= this.model.allSteps.length ? null : Math.max(step, 0);
    this.stepped();
    if (this.state.tab === "diagram") this.redraw();
    else this.stage();
    redrawPlots();
    toAddress(this);
  }

  stepped() {
    const steps = this.model.allSteps;
    const there = steps.length > 0 && this.model.overTime(this.view);
    this.get("time").hidden = !there;
    this.get("step").value = String(this.state.step ?? steps.length);
    const now = this.stepNow();
    this.get("when").textContent = now === null ? `end, step ${steps.at(-1)}` : `step ${now}`;
    this.get("step").setAttribute("aria-valuetext", this.get("when").textContent);
  }

  play() {
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    } else {
      if (this.state.step === null) this.setStep(0);
      const pause = Math.min(Math.max(8000 / this.model.allSteps.length, 40), 400);
      this.timer = setInterval(() => {
        if (this.state.step === null) this.play();
        else this.setStep(this.state.step + 1);
      }, pause);
    }
    this.get("play").textContent = this.timer ? "Stop" : "Play";
  }

  render() {
    const { state } = this;
    this.get("view").value = String(state.view);
    this.get("x").value = String(state.x);
    this.get("y").value = String(state.y);
    this.get("overlay").checked = state.overlay;
    const sliced = AXES.some((axis, i) => i !== state.x && i !== state.y && axis.texts.length > 1);
    this.get("lines").hidden = !(state.tab === "diagram" && this.view.labels && !this.view.difference
      && state.x >= 0 && (sliced || this.model.compares));
    document.querySelectorAll("[data-tab]").forEach((tab) =>
      tab.setAttribute("aria-selected", String(tab.dataset.tab === state.tab)));
    this.scale = this.view.labels ? null : new Scale(this.model.range(this.view), this.view.difference);
    this.onlyControls();
    this.stepped();
    this.stage();
    if (state.place) this.cellView.show(state.place);
    else this.cellView.clear();
    toAddress(this);
  }

  stage() {
    const host = this.get("stage");
    host.replaceChildren();
    document.querySelector("main").classList.remove("low");
    this.cached = null;
    if (this.state.tab === "boundaries") boundaryView(this, host);
    else if (this.state.tab === "table") tableView(this, host);
    else this.diagrams(host);
  }

  diagrams(host) {
    const { x, y, only } = this.state;
    const slices = this.model.slices(x, y, only);
    const sources = this.view.difference ? [this.model.sources[1]] : this.model.sources;
    this.panels = slices.slice(0, MOST_PANELS).flatMap((slice) =>
      sources.map((source) => new Panel(this, source, slice, x, y)));
    const sheet = element("div", { class: "sheet" }, ...this.panels.map((panel) => panel.figure));
    this.legend = element("div");
    host.append(sheet, this.legend);
    if (slices.length > MOST_PANELS) {
      host.append(element("p", { class: "small", text:
        `The first ${MOST_PANELS} of ${slices.length} slices. Choose values above to see others.` }));
    }
    // Its cells are large already: beside them would be nothing.
    const few = this.panels.length * (this.panels[0]?.rows.length ?? 1) <= 8;
    document.querySelector("main").classList.toggle("low", few);
    const room = sheet.clientWidth;
    const columns = this.columnsFor(room);
    sheet.style.setProperty("--columns", String(columns));
    for (const panel of this.panels) panel.measure(columnWidth(room, columns));
    this.redraw();
  }

  // As few panels beside each other, and so as large, as let all of them be seen at once.
  columnsFor(room) {
    const [first] = this.panels;
    if (!first) return 1;
    const each = this.model.compares && !this.view.difference ? 2 : 1; // A and B stay side by side
    const least = Math.min(Math.max(first.columns.length * 11 + 60, 150), 400);
    const most = Math.max(Math.floor((room + GAP) / (least + GAP)), 1);
    if (most < each) return 1;
    first.measure(columnWidth(room, 1));
    // No wider than their cells may be: that many stand side by side for nothing.
    const free = Math.floor((room + GAP) / (first.width + GAP));
    let columns = Math.max(Math.min(free, this.panels.length) - (free % each), each);
    for (; columns + each <= Math.min(most, this.panels.length); columns += each) {
      first.measure(columnWidth(room, columns));
      if (Math.ceil(this.panels.length / columns) * (first.height + 50) < innerHeight * 0.85) break;
    }
    // Four panels as two and two, not three and one.
    const rows = Math.ceil(this.panels.length / columns);
    return Math.ceil(this.panels.length / rows / each) * each;
  }

  redraw() {
    this.cached = null;
    for (const panel of this.panels) {
      panel.draw();
      const line = this.state.overlay && this.lines().find((each) => each.panel === panel && each.rows.length);
      panel.swatch.style.background = line ? line.colour : "transparent";
      panel.swatch.hidden = !line;
    }
    const made = !this.view.labels ? scaleLegend(this) : this.view.difference ? differenceLegend(this) : phaseLegend(this);
    this.legend.replaceChildren(made);
  }

  // The boundary of every slice and folder.
  lines() {
    if (this.cached) return this.cached;
    const { x, y, only, tab } = this.state;
    if (x < 0) return [];
    const column = this.view.labels ? this.view.column : "subphase";
    const step = this.view.labels ? this.stepNow() : null;
    const slices = this.model.slices(x, y, only);
    this.cached = slices.flatMap((slice, i) => this.model.sources.map((source) => ({
      rows: this.model.boundary(source, slice, x, y, column, step),
      colour: LINES[i % LINES.length],
      dashed: source.number === 1,
      slice,
      title: [this.model.compares ? "AB"[source.number] : "", this.model.title(slice)].filter(Boolean).join(" "),
      panel: tab === "diagram" ? this.panels.find((p) => p.source === source && sameSlice(p.slice, slice)) : null,
    })));
    return this.cached;
  }

  chosenIn(panel) {
    const { place } = this.state;
    if (!place || panel.slice.some(([axis, value]) => place[axis] !== value)) return null;
    return [panel.x >= 0 ? place[panel.x] : 0, panel.y >= 0 ? place[panel.y] : 0];
  }

  choose(panel, at, go = false) {
    this.choosePlace(panel.place(at), go);
  }

  choosePlace(place, go = false) {
    this.state.place = place;
    if (this.state.tab === "table") this.stage();
    else if (this.state.tab === "diagram") for (const panel of this.panels) panel.draw();
    this.cellView.show(place);
    toAddress(this);
    const host = this.get("cell");
    if (go) host.focus({ preventScroll: true });
    if (go || innerWidth <= NARROW) host.scrollIntoView({ block: "start" });
  }

  letGo() {
    this.set({ place: null });
  }

  hover(panel, at, event) {
    const tip = this.get("tip");
    tip.hidden = !at;
    if (!at) return;
    tip.replaceChildren(...describe(this, panel, at).map((text) => element("div", { text })));
    const [x, y] = event ? [event.clientX + 14, event.clientY + 14] : panel.corner(at);
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(Math.min(x, innerWidth - box.width - 8), 4)}px`;
    tip.style.top = `${y + box.height + 8 > innerHeight ? Math.max(y - box.height - 30, 4) : y}px`;
  }

  say(panel, at) {
    this.get("said").textContent = describe(this, panel, at).join("; ");
    this.hover(panel, at);
  }

  key(event) {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.key !== "Escape") return;
    if (event.ctrlKey || event.metaKey || event.altKey || this.get("keys").open) return;
    const steps = this.model.allSteps.length;
    const over = this.model.overTime(this.view);
    const at = this.state.step ?? steps;
    if (event.key === "Escape" && this.state.place) this.letGo();
    else if (event.key === "," && over) this.setStep(at - 1);
    else if (event.key === "." && over) this.setStep(at + 1);
    else if (event.key === " " && over && event.target.tagName !== "BUTTON") this.play();
    else if (event.key === "b" && !this.get("lines").hidden) this.set({ overlay: !this.state.overlay });
    else if (event.key === "d") this.toggleTheme();
    else return;
    event.preventDefault();
  }

  toggleTheme() {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    this.themed();
  }

  themed() {
    colours.clear();
    this.get("theme").textContent = isDark() ? "Light" : "Dark";
    this.render();
  }

}

const LINES = OTHER_COLOURS;
const MOST_PANELS = 60;
const GAP = 24; // pixels between panels, as in style.css
const NARROW = 980; // pixels, as in style.css

function columnWidth(room, columns) {
  return Math.floor((room - (columns - 1) * GAP) / columns);
}

function sameSlice(a, b) {
  return a.length === b.length && a.every(([axis, value], i) => axis === b[i][0] && value === b[i][1]);
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

async function open() {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser cannot unpack data (DecompressionStream, in browsers since 2023)");
  }
  const sources = await Promise.all(DATA.sources.map(async (about, number) =>
    new Source(about, await inflated(about.data), number)));
  const app = new App(new Model(sources));
  app.get("theme").textContent = isDark() ? "Light" : "Dark";
  app.start();
  globalThis.explorer = app; // to ask more of it from the browser's console
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

open().catch((error) => {
  document.getElementById("notes").append(element("li", { text: `This page cannot be shown: ${error.message}` }));
  throw error;
});
