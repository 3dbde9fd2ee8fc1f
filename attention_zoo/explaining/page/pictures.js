// The canvases. Joined with the others by writing.py.
function drawInput() {
  $("input-figure").hidden = !view.input;
  $("lines").replaceChildren();
  if (!view.input) return;
  const { pen, width, height } = canvas("input", 150);
  padding(pen, width, height);
  shade(pen, width, height);
  const shown = drawnFeatures();
  const { steps, at, bars, features } = view.input;
  const values = shown.flatMap((f) => [...Array(steps).keys()].map((i) => at(i, f)))
    .filter((value) => !Number.isNaN(value));
  let [low, high] = bars ? [0, 0] : [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (!(high > low)) [low, high] = values.length ? [low - 1, low + 1] : [0, 1];
  const y = (value) => height - 8 - ((value - low) / (high - low)) * (height - 16);
  if (bars) inputBars(pen, width, y);
  else shown.forEach((f) => inputLine(pen, width, y, f));
  if (features > 1) legend(shown);
  axis(pen, brief(high), 10);
  axis(pen, brief(low), height - 10);
  outline(pen, width, height);
  cursor(pen, width, height);
  $("input-caption").textContent = inputCaption();
  $("input").setAttribute("aria-label", `${inputCaption()}. Left and right move along it.`);
}

function shade(pen, width, height) {
  const colour = colours();
  const each = width / view.bars.length;
  pen.globalAlpha = 0.55;
  view.bars.forEach((value, i) => {
    if (!(value > 0) || isHidden(i)) return;
    pen.fillStyle = colour(value / view.top);
    pen.fillRect(GUTTER + i * each, 0, each, height);
  });
  pen.globalAlpha = 1;
}

function inputBars(pen, width, y) {
  const { steps, at } = view.input;
  const each = width / steps;
  pen.fillStyle = css("--line1");
  for (let i = 0; i < steps; i++) {
    const [from, to] = [y(0), y(at(i, 0))];
    pen.fillRect(GUTTER + (i + 0.25) * each, Math.min(from, to), Math.max(each / 2, 0.8),
      Math.max(Math.abs(to - from), 1));
  }
  pen.fillStyle = css("--soft");
  pen.fillRect(GUTTER, y(0), width, 1);
}

function inputLine(pen, width, y, feature) {
  const { steps, at } = view.input;
  pen.strokeStyle = css(`--line${(feature % 5) + 1}`);
  pen.lineWidth = 1.5;
  pen.setLineDash(feature % 2 ? [5, 3] : []);
  pen.beginPath();
  let drawn = false;
  for (let i = 0; i < steps; i++) {
    const x = GUTTER + ((i + 0.5) * width) / steps;
    const value = at(i, feature);
    if (!Number.isNaN(value)) pen[drawn ? "lineTo" : "moveTo"](x, y(value));
    drawn = !Number.isNaN(value);
  }
  pen.stroke();
  pen.setLineDash([]);
}

function legend(shown) {
  const { features } = view.input;
  for (const f of shown) {
    const item = document.createElement("li");
    const key = document.createElement("i");
    key.className = "line";
    key.style.borderTopColor = css(`--line${(f % 5) + 1}`);
    key.style.borderTopStyle = f % 2 ? "dashed" : "solid";
    item.append(key, ` ${featureName(f)}`);
    $("lines").append(item);
  }
  if (shown.length > 1 && shown.length < features) {
    const item = document.createElement("li");
    item.textContent = `the first ${shown.length} of ${features} features`;
    $("lines").append(item);
  }
}

function drawBars() {
  const { pen, width, height } = canvas("bars", 150);
  const plot = height - 20;
  padding(pen, width, plot);
  const { top } = view;
  const each = width / view.bars.length;
  const gap = each > 4 ? 1 : 0;
  const zero = layer().scores.low < 0 ? plot / 2 : plot;
  view.bars.forEach((value, i) => {
    const tall = (value / top) * (zero - 4);
    pen.fillStyle = css(tall < 0 ? "--truth" : "--attention");
    pen.fillRect(GUTTER + i * each + gap, zero - tall, Math.max(each - 2 * gap, 0.8), tall);
  });
  pen.fillStyle = css("--line");
  pen.fillRect(GUTTER, zero, width, 1);
  axis(pen, brief(top), 8);
  axis(pen, "0", zero - 4);
  ticks(pen, width, plot + 5);
  outline(pen, width, plot);
  cursor(pen, width, plot);
  $("bars-caption").textContent = `${capital(what())} per ${kind()}${chosen()}`;
  $("bars").setAttribute("aria-label", $("bars-caption").textContent
    + `. Left and right move along it${rowAxis() < 0 ? "" : ", up and down between rows"}.`);
}

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
    // The weights of a query that is padding are exactly 0
    const asks = values.slice(r * columns, (r + 1) * columns).some((value) => value !== 0);
    for (let c = 0; c < columns; c++) {
      const i = r * columns + c;
      const grey = view.hidden && (!asks || view.hidden.values[i] > 0.999);
      pen.fillStyle = grey ? css("--padding") : colour(values[i] / view.high);
      pen.fillRect(GUTTER + c * w, r * h, w + 0.3, h + 0.3);
    }
  }
  if (view.truth) outlineCells(pen, w, h);
  pen.strokeStyle = css("--line");
  pen.lineWidth = 1;
  pen.strokeRect(GUTTER + 0.5, 0.5, width - 1, plot - 1);
  const every = Math.ceil(rows / Math.max(1, Math.floor(plot / 18)));
  for (let r = 0; r < rows; r += every) {
    axis(pen, ends(down, r)[0], Math.max(7, (r + 0.5) * h));
  }
  ticks(pen, width, plot + 5);
  const row = state.picks[down];
  pen.strokeStyle = css("--ink");
  if (row >= 0) pen.strokeRect(GUTTER + 0.5, row * h, width - 1, h);
  cursor(pen, width, plot);
  const caption = `${capital(what())}, ${layer().axes[down]} (down) by ${kind()} (across)${chosen(down)}`;
  $("map-caption").textContent = `${caption}; click a row to choose it`
    + (canAverage(down) ? ", once more for the mean" : "");
  $("map").setAttribute("aria-label",
    `${caption}. Left and right move along it, up and down choose a row.`);
}

// Only the edges between relevant cells and others
function outlineCells(pen, w, h) {
  const { rows, columns, values } = view.truth;
  pen.strokeStyle = css("--truth");
  pen.lineWidth = 2;
  const inside = (r, c) => r >= 0 && c >= 0 && r < rows && c < columns
    && isTruth(values[r * columns + c]);
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
  $("largest").textContent = `${wide(view.high)}, the ${
    averaged(rowAxis()).length || state.mean ? "largest mean" : "layer's largest"}`;
  $("padding-key").hidden = !layer().hidden;
  $("truth-key").hidden = !layer().truth;
}
