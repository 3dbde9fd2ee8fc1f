// The canvases. Joined with the others by writing.py.
const GUTTER = 46;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(full(hex).slice(i, i + 2), 16));
const full = (hex) => (hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex);
const number = (value) => (Number.isNaN(value) ? "none"
  : value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3));
const wide = (value) => String(Number(value.toPrecision(3)));

function colours() {
  const [from, to] = [rgb(css("--ground")), rgb(css("--attention"))];
  return (share) => `rgb(${from.map((c, i) =>
    Math.round(c + (to[i] - c) * Math.max(0, Math.min(1, share)))).join(",")})`;
}

function canvas(id, height) {
  const element = $(id);
  const width = element.clientWidth;
  const ratio = window.devicePixelRatio || 1;
  element.style.height = `${height}px`;
  element.width = Math.round(width * ratio);
  element.height = Math.round(height * ratio);
  const pen = element.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = css("--soft");
  return { pen, width: width - GUTTER - 4, height };
}

function axis(pen, text, y) {
  pen.fillStyle = css("--soft");
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.fillText(String(text).slice(0, 7), GUTTER - 6, y);
}

function ticks(pen, width, y) {
  const { columns } = view.scores;
  pen.fillStyle = css("--soft");
  pen.textBaseline = "top";
  const many = Math.max(1, Math.min(columns, Math.floor(width / 56)));
  const every = Math.ceil(columns / many);
  for (let i = 0; i < columns; i += every) {
    const text = label(columnAxis(), i).split(" to ")[0].slice(0, 8);
    const x = GUTTER + ((i + 0.5) * width) / columns;
    pen.textAlign = x + 20 > GUTTER + width ? "right" : "center";
    pen.fillText(text, x, y);
  }
}

function cursor(pen, width, height) {
  if (state.column < 0) return;
  const each = width / view.scores.columns;
  pen.strokeStyle = css("--ink");
  pen.lineWidth = 1;
  pen.strokeRect(GUTTER + state.column * each, 0.5, Math.max(each, 1), height - 1);
}

// Draws what every picture has behind or before it, column by column
function columnsOf(pen, width, height, test, draw) {
  const each = width / view.scores.columns;
  for (let i = 0; i < view.scores.columns; i++) {
    if (test(i)) draw(GUTTER + i * each, each, height);
  }
}
function padding(pen, width, height) {
  pen.fillStyle = css("--padding");
  columnsOf(pen, width, height, (i) => view.barsHidden && view.barsHidden[i] > 0.999,
    (x, w, h) => pen.fillRect(x, 0, w + 0.3, h));
}
function outline(pen, width, height) {
  pen.strokeStyle = css("--truth");
  pen.lineWidth = 2;
  columnsOf(pen, width, height, (i) => view.barsTruth && isTruth(view.barsTruth[i]),
    (x, w, h) => pen.strokeRect(x + 1, 1, Math.max(w - 2, 1), h - 2));
}

function drawInput() {
  $("input-figure").hidden = !view.input;
  $("lines").replaceChildren();
  if (!view.input) return;
  const { pen, width, height } = canvas("input", 150);
  const colour = colours();
  const [segments, steps, features] = view.input.shape;
  padding(pen, width, height);
  pen.globalAlpha = 0.55;
  columnsOf(pen, width, height, (i) => view.bars[i] > 0 && !(view.barsHidden
    && view.barsHidden[i] > 0.999), (x, w, h) => {
    const i = Math.min(Math.floor((x - GUTTER + w / 2) / w), view.bars.length - 1);
    pen.fillStyle = colour(view.bars[i] / layer().scores.high);
    pen.fillRect(x, 0, w + 0.3, h);
  });
  pen.globalAlpha = 1;
  const picked = layer().axes.indexOf("segment");
  const segment = picked >= 0 ? Math.min(Math.max(state.picks[picked], 0), segments - 1) : 0;
  const feature = layer().axes.indexOf("feature");
  const only = feature >= 0 && state.picks[feature] >= 0 && features > 1
    ? state.picks[feature] : -1;
  const shown = only >= 0 && only < features ? [only]
    : [...Array(Math.min(features, 5)).keys()];
  const at = (step, f) => view.input.values[(segment * steps + step) * features + f];
  let [low, high] = [Infinity, -Infinity];
  for (const f of shown) {
    for (let i = 0; i < steps; i++) {
      if (at(i, f) < low) low = at(i, f);
      if (at(i, f) > high) high = at(i, f);
    }
  }
  if (!(high > low)) [low, high] = [low - 1, low + 1];
  const y = (value) => height - 8 - ((value - low) / (high - low)) * (height - 16);
  for (const f of shown) {
    pen.strokeStyle = css(`--line${(f % 5) + 1}`);
    pen.lineWidth = 1.5;
    pen.setLineDash(f % 2 ? [5, 3] : []);
    pen.beginPath();
    let drawn = false;
    for (let i = 0; i < steps; i++) {
      const x = GUTTER + ((i + 0.5) * width) / steps;
      if (Number.isNaN(at(i, f))) { drawn = false; continue; }
      if (drawn) pen.lineTo(x, y(at(i, f))); else pen.moveTo(x, y(at(i, f)));
      drawn = true;
    }
    pen.stroke();
    if (features > 1) {
      const item = document.createElement("li");
      const key = document.createElement("i");
      key.className = "line";
      key.style.borderTopColor = css(`--line${(f % 5) + 1}`);
      key.style.borderTopStyle = f % 2 ? "dashed" : "solid";
      const named = page.features && page.features.length === features;
      item.append(key, ` ${named ? page.features[f] : `feature ${f}`}`);
      $("lines").append(item);
    }
  }
  if (shown.length < features && only < 0) {
    const item = document.createElement("li");
    item.textContent = `the first ${shown.length} of ${features} features`;
    $("lines").append(item);
  }
  pen.setLineDash([]);
  axis(pen, wide(high), 10);
  axis(pen, wide(low), height - 10);
  outline(pen, width, height);
  cursor(pen, width, height);
  $("input-caption").textContent = `Input${picked >= 0 ? `, segment ${segment}` : ""}`
    + `${state.mean ? ", mean" : ""}, shaded by the attention on it`;
  $("input").setAttribute("aria-label", $("input-caption").textContent
    + ". Left and right move along it.");
}

function drawBars() {
  const { pen, width, height } = canvas("bars", 150);
  const plot = height - 20;
  padding(pen, width, plot);
  const top = layer().scores.high;
  pen.fillStyle = css("--attention");
  const each = width / view.bars.length;
  const gap = each > 4 ? 1 : 0;
  view.bars.forEach((value, i) => {
    const tall = (value / top) * (plot - 4);
    pen.fillRect(GUTTER + i * each + gap, plot - tall, Math.max(each - 2 * gap, 0.8), tall);
  });
  pen.fillStyle = css("--line");
  pen.fillRect(GUTTER, plot, width, 1);
  axis(pen, wide(top), 8);
  axis(pen, "0", plot - 4);
  ticks(pen, width, plot + 5);
  outline(pen, width, plot);
  cursor(pen, width, plot);
  $("bars-caption").textContent = `Attention per ${layer().axes[columnAxis()]}${chosen()}`;
  $("bars").setAttribute("aria-label", $("bars-caption").textContent
    + ". Left and right move along it, up and down between rows.");
}

function chosen() {
  return layer().axes.map((name, i) => {
    if (i === columnAxis()) return "";
    const pick = state.picks[i];
    return pick < 0 ? `, mean over the ${plural(name)}` : `, ${name} ${label(i, pick)}`;
  }).join("") + (state.mean ? ", mean over samples" : "");
}
const plural = (name) => (name === "query" ? "queries" : `${name}s`);

function drawMap() {
  const down = rowAxis();
  $("map-figure").hidden = down < 0;
  if (down < 0) return;
  const { rows, columns, values } = view.scores;
  const plot = Math.max(60, Math.min(rows * 22, 420));
  const { pen, width } = canvas("map", plot + 20);
  const colour = colours();
  const [w, h] = [width / columns, plot / rows];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const i = r * columns + c;
      const grey = view.hidden && view.hidden.values[i] > 0.999;
      pen.fillStyle = grey ? css("--padding") : colour(values[i] / layer().scores.high);
      pen.fillRect(GUTTER + c * w, r * h, w + 0.3, h + 0.3);
    }
  }
  if (view.truth) {
    // Only the edges between cells that are the answer and cells that are not
    pen.strokeStyle = css("--truth");
    pen.lineWidth = 2;
    const inside = (r, c) => r >= 0 && c >= 0 && r < rows && c < columns
      && isTruth(view.truth.values[r * columns + c]);
    pen.beginPath();
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        if (!inside(r, c)) continue;
        const [x, y] = [GUTTER + c * w, r * h];
        if (!inside(r - 1, c)) { pen.moveTo(x, y + 1); pen.lineTo(x + w, y + 1); }
        if (!inside(r + 1, c)) { pen.moveTo(x, y + h - 1); pen.lineTo(x + w, y + h - 1); }
        if (!inside(r, c - 1)) { pen.moveTo(x + 1, y); pen.lineTo(x + 1, y + h); }
        if (!inside(r, c + 1)) { pen.moveTo(x + w - 1, y); pen.lineTo(x + w - 1, y + h); }
      }
    }
    pen.stroke();
  }
  pen.strokeStyle = css("--line");
  pen.lineWidth = 1;
  pen.strokeRect(GUTTER + 0.5, 0.5, width - 1, plot - 1);
  const every = Math.ceil(rows / Math.max(1, Math.floor(plot / 18)));
  for (let r = 0; r < rows; r += every) {
    axis(pen, label(down, r).split(" to ")[0], (r + 0.5) * h);
  }
  ticks(pen, width, plot + 5);
  const row = state.picks[down];
  pen.strokeStyle = css("--ink");
  if (row >= 0) pen.strokeRect(GUTTER + 0.5, row * h, width - 1, h);
  cursor(pen, width, plot);
  $("map-caption").textContent = `Attention, ${layer().axes[down]} (down) by `
    + `${layer().axes[columnAxis()]} (across); click a row to choose it`;
  $("map").setAttribute("aria-label", $("map-caption").textContent
    + ". Left and right move along it, up and down choose a row.");
}

function drawScale() {
  const element = $("scale");
  element.width = 96;
  element.height = 12;
  const pen = element.getContext("2d");
  const colour = colours();
  for (let x = 0; x < 96; x++) {
    pen.fillStyle = colour(x / 95);
    pen.fillRect(x, 0, 1, 12);
  }
  $("largest").textContent = `${wide(layer().scores.high)}, the layer's largest`;
  $("padding-key").hidden = !layer().hidden;
  $("truth-key").hidden = !layer().truth;
}
