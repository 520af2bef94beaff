// Curves, histograms and boundaries, drawn by uPlot.

const plots = new Set();

function forgetPlots(host) {
  for (const plot of plots) {
    if (!host || host.contains(plot.host)) {
      plot.watch.disconnect();
      plot.chart.destroy();
      plots.delete(plot);
    }
  }
}

function dashes(line) {
  return { "--": [7, 4], ":": [2, 3], "-.": [7, 3, 2, 3] }[line] ?? [];
}

// Black lines are drawn in the colour of text, which reads on any background.
function onPage(colour) {
  return colour === "#000000" ? css("--ink") : colour;
}

function axis(label, values, size) {
  return {
    stroke: css("--quiet"),
    grid: { stroke: css("--grid"), width: 1 },
    ticks: { show: false },
    font: `11px ${FONT}`,
    labelFont: `11px ${FONT}`,
    label,
    labelSize: label ? 18 : 0,
    labelGap: 0,
    size: size ?? 22,
    gap: 4,
    values,
  };
}

// A line plot.
//   host: where it goes. x: numbers. lines: {name, values, colour, line, width, alpha, key}.
//   bands: pairs of lines. options: {x, y, logX, logY, range, mark, height, keys, points}.
// A line with a key has an entry in the legend; its value under the pointer stands there.
function linePlot(host, x, lines, bands, options) {
  const box = element("div", { class: "plot" });
  const legend = element("div", { class: "legend" });
  host.append(legend, box);
  const shown = lines.filter((line) => line.key);
  const values = shown.map((line) => {
    const output = element("output");
    const sample = element("i", { class: "line" });
    sample.style.borderTopColor = onPage(line.colour);
    sample.style.borderTopStyle = { "--": "dashed", ":": "dotted", "-.": "dashed" }[line.line] ?? "solid";
    const entry = element("button", { type: "button", "aria-pressed": "true" }, sample, line.key, output);
    entry.addEventListener("click", () => {
      const show = entry.getAttribute("aria-pressed") !== "true";
      entry.setAttribute("aria-pressed", String(show));
      lines.forEach((other, i) => {
        if (other.of === line.of) chart.setSeries(i + 1, { show });
      });
    });
    legend.append(entry);
    return output;
  });
  const series = lines.map((line) => ({
    stroke: line.hidden ? "transparent" : onPage(line.colour),
    width: line.width ?? 2,
    alpha: line.alpha ?? 1,
    dash: dashes(line.line),
    points: { show: line.points === true, size: 5 },
    spanGaps: line.points === true,
    paths: line.bars ? uPlot.paths.bars({ size: [1, Infinity], align: 1 }) : undefined,
    fill: line.bars ? onPage(line.colour) : undefined,
  }));
  const tall = options.height ?? 190;
  const chart = new uPlot({
    width: Math.max(box.clientWidth, 120),
    height: tall,
    legend: { show: false },
    padding: [8, 22, 0, 0],
    cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false } },
    scales: {
      x: { time: false, distr: options.logX ? 3 : 1, range: options.rangeX },
      y: { distr: options.logY ? 3 : 1, range: options.range },
    },
    axes: [
      axis(options.x, (_, ticks) => ticks.map((tick) => (tick === null ? "" : rough(tick)))),
      axis(options.y, (_, ticks) => ticks.map((tick) => (tick === null ? "" : rough(tick))), 44),
    ],
    series: [{}, ...series],
    bands: bands.map(([high, low]) => ({
      series: [high + 1, low + 1],
      fill: `${onPage(lines[high].colour)}2e`,
    })),
    hooks: {
      setCursor: [(u) => shown.forEach((line, i) => {
        const at = u.cursor.idx;
        const value = at === null || at === undefined ? null : line.values[at];
        values[i].textContent = Number.isFinite(value) ? ` ≈ ${rough(value)}` : "";
      })],
      draw: [(u) => mark(u, options.mark?.())],
    },
  }, [x, ...lines.map((line) => line.values.map((v) => (Number.isFinite(v) ? v : null)))], box);
  const watch = new ResizeObserver(() => {
    const wide = box.clientWidth;
    if (wide > 0 && Math.abs(wide - chart.width) > 1) chart.setSize({ width: wide, height: tall });
  });
  watch.observe(box);
  plots.add({ host: box, chart, watch });
  return chart;
}

// The step that the diagram shows.
function mark(u, at) {
  if (at === null || at === undefined) return;
  const x = u.valToPos(at, "x", true);
  if (!Number.isFinite(x) || x < u.bbox.left || x > u.bbox.left + u.bbox.width) return;
  u.ctx.save();
  u.ctx.strokeStyle = css("--accent");
  u.ctx.lineWidth = 1.5 * (window.devicePixelRatio || 1);
  u.ctx.beginPath();
  u.ctx.moveTo(x, u.bbox.top);
  u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
  u.ctx.stroke();
  u.ctx.restore();
}

function redrawPlots() {
  for (const plot of plots) plot.chart.redraw(false);
}
