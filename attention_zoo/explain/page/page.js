"use strict";
// The page's parts: unpacking, what is chosen, the pictures, the words, the keys.
(() => {
  const $ = (id) => document.getElementById(id);
  const page = JSON.parse($("data").textContent);

  // Unpacking --------------------------------------------------------------------------------
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const product = (list) => list.reduce((a, b) => a * b, 1);

  function numbers(packed) {
    const view = new DataView(bytes(packed.data).buffer);
    const step = (packed.high - packed.low) / 65534;
    const values = new Float32Array(view.byteLength / 2);
    for (let i = 0; i < values.length; i++) {
      const code = view.getUint16(2 * i, true);
      values[i] = code === 65535 ? NaN : packed.low + code * step;
    }
    return { shape: packed.shape.slice(1), size: product(packed.shape.slice(1)), values,
      low: packed.low, high: packed.high };
  }

  function bits(packed) {
    if (!packed) return null;
    const data = bytes(packed.data);
    const values = new Uint8Array(product(packed.shape));
    for (let i = 0; i < values.length; i++) values[i] = (data[i >> 3] >> (7 - (i & 7))) & 1;
    return { size: product(packed.shape.slice(1)), values };
  }

  const layers = page.layers.map((layer) => ({ ...layer, scores: numbers(layer.scores),
    hidden: bits(layer.hidden), truth: bits(layer.truth) }));
  const inputs = page.inputs.map(numbers);

  // What is chosen ---------------------------------------------------------------------------
  const state = { place: 0, mean: false, of: "", layer: 0, picks: [], column: -1, row: -1 };
  const layer = () => layers[state.layer];
  const filtered = () => page.numbers.map((_, i) => i)
    .filter((i) => state.of === "" || String(page.predicted[i]) === state.of);

  // Steps and keys run across the picture; another axis next to them runs down
  function columnAxis() {
    const across = layer().axes.map((name, i) => (name === "step" || name === "key" ? i : -1));
    const last = Math.max(...across);
    return last >= 0 ? last : layer().attended;
  }
  function rowAxis() {
    const others = layer().axes.map((_, i) => i).filter((i) => i !== columnAxis());
    return others.length ? others[others.length - 1] : -1;
  }

  function label(axis, place) {
    const { grouped, sizes, labels } = layer();
    const first = place * grouped[axis];
    const last = Math.min(first + grouped[axis], sizes[axis]) - 1;
    const name = (i) => (labels[axis] ? labels[axis][i] : String(i));
    return first === last ? name(first) : `${name(first)} to ${name(last)}`;
  }

  // One sample's cells, or the mean of those of all that are chosen
  function cells(packed) {
    const chosen = state.mean ? filtered() : [state.place];
    const found = new Float32Array(packed.size);
    for (const sample of chosen) {
      for (let i = 0; i < packed.size; i++) found[i] += packed.values[sample * packed.size + i];
    }
    return found.map((value) => value / chosen.length);
  }

  // Scores as a matrix (rows, columns) for the picks of all other axes; -1 picks their mean
  function matrix(flat) {
    const shape = layer().scores.shape;
    const [across, down] = [columnAxis(), rowAxis()];
    const columns = shape[across];
    const rows = down < 0 ? 1 : shape[down];
    const sums = new Float32Array(rows * columns);
    let counted = 1;
    shape.forEach((size, axis) => {
      if (axis !== across && axis !== down && state.picks[axis] < 0) counted *= size;
    });
    const at = shape.map(() => 0);
    for (let i = 0; i < flat.length; i++) {
      const taken = at.every((place, axis) => axis === across || axis === down
        || state.picks[axis] < 0 || state.picks[axis] === place);
      if (taken) sums[(down < 0 ? 0 : at[down]) * columns + at[across]] += flat[i] / counted;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        if (++at[axis] < shape[axis]) break;
        at[axis] = 0;
      }
    }
    return { rows, columns, values: sums };
  }

  function rowOf(table) {
    const row = rowAxis() < 0 ? 0 : state.picks[rowAxis()];
    if (row >= 0) return table.values.slice(row * table.columns, (row + 1) * table.columns);
    const found = new Float32Array(table.columns);
    table.values.forEach((value, i) => { found[i % table.columns] += value / table.rows; });
    return found;
  }

  // What is drawn, worked out once for all pictures
  let view = null;
  function look() {
    const part = (packed) => (packed ? matrix(cells(packed)) : null);
    view = { scores: part(layer().scores), hidden: part(layer().hidden), truth: part(layer().truth),
      input: null };
    view.bars = rowOf(view.scores);
    view.barsHidden = view.hidden && rowOf(view.hidden);
    view.barsTruth = view.truth && rowOf(view.truth);
    const steps = view.scores.columns;
    const size = layer().sizes[columnAxis()];
    const input = inputs.find((each) => each.shape[1] === size || each.shape[1] === steps)
      || (layer().axes[columnAxis()] === "feature" ? null : inputs.find((e) => e.shape[1] > 1));
    if (input) view.input = { ...input, values: cells(input) };
  }
  const isTruth = (value) => value > 0 && value >= 0.5;

  // The pictures -----------------------------------------------------------------------------
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

  // The words --------------------------------------------------------------------------------
  function pair(name, text) {
    const box = document.createElement("div");
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    term.textContent = name;
    value.textContent = text;
    box.append(term, value);
    return box;
  }
  const list = (values) => values.map((v) => (v === null ? "none" : String(v))).join(", ");

  function say() {
    const samples = filtered();
    const answer = $("answer");
    answer.replaceChildren();
    if (state.mean) {
      answer.append(pair("Mean over", `${samples.length} samples`));
    } else {
      const i = state.place;
      answer.append(pair("Sample", `${page.numbers[i]}`));
      if (page.predicted) answer.append(pair("Predicted class", String(page.predicted[i])));
      const more = page.outputs > page.predictions[i].length ? ", ..." : "";
      answer.append(pair("Prediction", list(page.predictions[i]) + more));
      if (page.labels) answer.append(pair("Label", list(page.labels[i])));
    }
    for (const id of ["previous", "next", "number"]) $(id).disabled = state.mean;
    $("number").value = page.numbers[state.place];
    value();
    fillTable();
  }

  function value() {
    if (state.column < 0) {
      $("value").textContent = "Point at a picture, or move in it with the arrow keys, for values.";
      return;
    }
    const { columns, values } = view.scores;
    const down = rowAxis();
    const row = state.row >= 0 ? state.row : down >= 0 ? state.picks[down] : -1;
    const score = row >= 0 ? values[row * columns + state.column] : view.bars[state.column];
    const where = row >= 0 ? `, ${layer().axes[down]} ${label(down, row)}` : "";
    const at = row >= 0 ? row * columns + state.column : -1;
    const hidden = at >= 0 ? view.hidden && view.hidden.values[at] > 0.999
      : view.barsHidden && view.barsHidden[state.column] > 0.999;
    const truth = at >= 0 ? view.truth && isTruth(view.truth.values[at])
      : view.barsTruth && isTruth(view.barsTruth[state.column]);
    $("value").textContent = `${layer().axes[columnAxis()]} ${label(columnAxis(), state.column)}`
      + `${where}: attention ${number(score)}${hidden ? ", padding" : ""}`
      + `${truth ? ", the answer is here" : ""}`;
  }

  function tableOf(head, rows) {
    const table = document.createElement("table");
    const line = (cells, tag) => {
      const tr = document.createElement("tr");
      cells.forEach((text) => {
        const cell = document.createElement(tag);
        cell.textContent = text;
        tr.append(cell);
      });
      return tr;
    };
    table.createTHead().append(line(head, "th"));
    table.createTBody().append(...rows.map((cells) => line(cells, "td")));
    return table;
  }

  function fillTable() {
    if (!$("table").open) return;
    const rows = [...view.bars].map((score, i) => [label(columnAxis(), i), number(score)]);
    $("table").querySelector("div").replaceChildren(
      tableOf([layer().axes[columnAxis()], "attention"], rows));
  }

  function trust() {
    const found = page.trust;
    $("trust").hidden = !found;
    if (!found) return;
    $("trust-about").textContent = `Layer ${found.layer}, measured on ${found.samples} samples`;
    const figure = (x) => (x === null || x === undefined ? ""
      : x !== 0 && Math.abs(x) < 0.0995 ? wide(x) : x.toFixed(3));
    const head = ["measure", "value", "control", "what it shows"];
    const table = tableOf(head, found.rows.map((row) => [row.name, figure(row.value),
      figure(row.control) + (row.against ? ` (${row.against})` : ""), row.sentence]));
    [...table.tBodies[0].rows].forEach((tr, i) => {
      const source = document.createElement("small");
      source.textContent = found.rows[i].source ? ` [${found.rows[i].source}]` : "";
      tr.cells[3].append(source);
      [1, 2].forEach((n) => {
        tr.cells[n].hidden = !tr.cells[n].textContent && window.innerWidth < 640;
        tr.cells[n].dataset.of = head[n];
      });
      tr.cells[1].className = "number";
    });
    $("trust-rows").replaceChildren(table);
  }

  // The controls -----------------------------------------------------------------------------
  function option(select, value, text) {
    const element = document.createElement("option");
    element.value = value;
    element.textContent = text;
    select.append(element);
  }

  function chooseLayer(index) {
    state.layer = index;
    [state.column, state.row] = [-1, -1];
    const { axes, scores, attended } = layer();
    // The mean over an axis that sums to one would tell nothing
    state.picks = axes.map((_, i) => (i === attended && i !== columnAxis() ? 0 : -1));
    $("selections").replaceChildren(...axes.map((name, i) => {
      if (i === columnAxis()) return "";
      const box = document.createElement("label");
      const select = document.createElement("select");
      select.id = `pick-${name}`;
      if (state.picks[i] < 0) option(select, -1, `mean of ${scores.shape[i]}`);
      for (let k = 0; k < scores.shape[i]; k++) option(select, k, label(i, k));
      select.value = state.picks[i];
      select.addEventListener("change", () => {
        state.picks[i] = Number(select.value);
        state.row = -1;
        update();
      });
      box.append(`${name[0].toUpperCase()}${name.slice(1)} `, select);
      return box;
    }).filter(Boolean));
    const grouped = Math.max(...layer().grouped) > 1;
    $("count").textContent = `${page.numbers.length} of ${page.total} samples`
      + (page.numbers.length < page.total ? ", spread evenly" : "")
      + (grouped ? `. Scores are means of ${layer().grouped.join(" by ")} neighbours` : "");
  }

  function move(by) {
    const samples = filtered();
    const here = samples.indexOf(state.place);
    state.place = samples[Math.max(0, Math.min(samples.length - 1, here + by))];
    update();
  }

  function draw() {
    drawInput();
    drawBars();
    drawMap();
    drawScale();
  }
  function update() {
    look();
    draw();
    say();
  }
  function point(column, row) {
    state.column = column;
    state.row = row;
    draw();
    value();
  }

  $("title").textContent = page.title;
  layers.forEach((each, i) => option($("layer"), i, each.name));
  $("layer-label").hidden = layers.length < 2;
  $("layer").addEventListener("change", () => {
    chooseLayer(Number($("layer").value));
    update();
  });
  $("classes-label").hidden = !page.predicted;
  if (page.predicted) {
    option($("classes"), "", "all");
    [...new Set(page.predicted)].sort((a, b) => a - b)
      .forEach((each) => option($("classes"), String(each), String(each)));
  }
  $("classes").addEventListener("change", () => {
    state.of = $("classes").value;
    if (!filtered().includes(state.place)) [state.place] = filtered();
    update();
  });
  $("mean").addEventListener("change", () => { state.mean = $("mean").checked; update(); });
  $("previous").addEventListener("click", () => move(-1));
  $("next").addEventListener("click", () => move(1));
  $("number").min = page.numbers[0];
  $("number").max = page.numbers[page.numbers.length - 1];
  $("number").addEventListener("change", () => {
    const wanted = Number($("number").value);
    const far = (i) => Math.abs(page.numbers[i] - wanted);
    state.place = filtered().reduce((best, i) => (far(i) < far(best) ? i : best));
    update();
  });
  $("table").addEventListener("toggle", fillTable);

  for (const id of ["input", "bars", "map"]) {
    const element = $(id);
    const place = (event) => {
      const box = element.getBoundingClientRect();
      const { columns, rows } = view.scores;
      const x = (event.clientX - box.left - GUTTER) / (box.width - GUTTER - 4);
      const y = (event.clientY - box.top) / (box.height - 20);
      return { column: Math.max(0, Math.min(columns - 1, Math.floor(x * columns))),
        row: id === "map" ? Math.max(0, Math.min(rows - 1, Math.floor(y * rows))) : -1 };
    };
    element.addEventListener("pointermove", (event) => {
      const at = place(event);
      if (at.column !== state.column || at.row !== state.row) point(at.column, at.row);
    });
    element.addEventListener("click", (event) => {
      const at = place(event);
      if (at.row >= 0) pick(at.row);
      point(at.column, -1);
    });
    element.addEventListener("keydown", (event) => {
      const { columns } = view.scores;
      const to = { ArrowLeft: Math.max(0, state.column - 1), Home: 0, End: columns - 1,
        ArrowRight: Math.min(columns - 1, state.column + 1) }[event.key];
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (to === undefined && (by === undefined || rowAxis() < 0)) return;
      event.preventDefault();
      event.stopPropagation();
      if (by) pick(Math.max(0, Math.min(view.scores.rows - 1, state.picks[rowAxis()] + by)));
      point(to === undefined ? Math.max(0, state.column) : to, -1);
    });
  }
  function pick(row) {
    state.picks[rowAxis()] = row;
    $(`pick-${layer().axes[rowAxis()]}`).value = row;
    update();
  }

  document.addEventListener("keydown", (event) => {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.altKey || event.ctrlKey
      || event.metaKey || event.shiftKey || state.mean) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    move(by);
  });
  window.addEventListener("resize", () => { draw(); trust(); });
  window.addEventListener("beforeprint", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  chooseLayer(0);
  trust();
  update();
})();
