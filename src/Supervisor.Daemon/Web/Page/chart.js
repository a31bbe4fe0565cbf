// Small charts of the last minutes.

const WIDTH = 160;
const HEIGHT = 32;

/** The longest time between two readings that a line bridges. */
const GAP_MS = 15000;

/** An empty chart. */
function makeChart(kind) {
  const chart = drawing("svg", { class: `chart ${kind}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  chart.append(
    drawing("path", { class: "area" }), drawing("path", { class: "line" }),
    drawing("path", { class: "base", d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }));
  return chart;
}

/** Draws the queue as an area; the top is the highest length, at least a few connections, so a short queue looks short. */
function drawQueue(chart, samples, limit) {
  const highest = samples.reduce((most, sample) => Math.max(most, sample.queue || 0), 0);
  const top = Math.max(highest, Math.min(limit ?? 8, 8), 1);
  const runs = [];
  let last = null;
  for (const sample of samples) {
    if (Number.isNaN(sample.queue)) {
      last = null;
      continue;
    }
    const point = [xOf(sample), HEIGHT - 1 - sample.queue / top * (HEIGHT - 3)];
    if (last && sample.at - last.at <= GAP_MS) {
      runs.at(-1).push(point);
    } else {
      runs.push([point]);
    }
    last = sample;
  }
  const line = runs.map(run => "M" + run.map(point => point.map(shorten).join(" ")).join("L")).join("");
  const area = runs.map(run => `M${shorten(run[0][0])} ${HEIGHT}L${run.map(point => point.map(shorten).join(" ")).join("L")}`
    + `L${shorten(run.at(-1)[0])} ${HEIGHT}Z`).join("");
  setAttribute(chart.children[0], "d", area);
  setAttribute(chart.children[1], "d", line);
  setAttribute(chart, "aria-label", `Queue in the last 5 minutes: at most ${number(highest)}`);
  setAttribute(chart, "data-high", limit > 0 && highest >= limit);
}

/** Draws drops as bars. Returns how many there were. */
function drawDrops(chart, samples) {
  const highest = samples.reduce((most, sample) => Math.max(most, sample.drops), 0);
  const sum = samples.reduce((total, sample) => total + sample.drops, 0);
  const bars = samples.filter(sample => sample.drops > 0).map(sample =>
    `M${shorten(Math.max(1, xOf(sample)))} ${HEIGHT - 1}V${shorten(HEIGHT - 3 - sample.drops / highest * (HEIGHT - 6))}`).join("");
  setAttribute(chart.children[1], "d", bars);
  setAttribute(chart, "aria-label", `Drops in the last 5 minutes: ${number(sum)}`);
  return sum;
}

const xOf = sample => WIDTH - (model.times[model.slot] - sample.at) / CHART_MS * WIDTH;

const shorten = value => Math.round(value * 10) / 10;
