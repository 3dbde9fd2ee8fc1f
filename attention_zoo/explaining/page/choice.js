// What is chosen, and the scores that belong to it. Joined with the others by writing.py.
const state = { place: 0, mean: false, of: "", layer: 0, input: 0, picks: [], column: -1,
  row: -1 };
const layer = () => layers[state.layer];
const what = () => layer().what;
const capital = (text) => text[0].toUpperCase() + text.slice(1);
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

// What a place along an axis is called: of neighbours that are one, the first and the last
function ends(axis, place) {
  const { grouped, sizes, labels } = layer();
  const first = place * grouped[axis];
  const last = Math.min(first + grouped[axis], sizes[axis]) - 1;
  return (first === last ? [first] : [first, last])
    .map((i) => (labels[axis] ? labels[axis][i] : String(i)));
}
const label = (axis, place) => ends(axis, place).join(" to ");

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
    input: seen() };
  view.bars = rowOf(view.scores);
  view.barsHidden = view.hidden && rowOf(view.hidden);
  view.barsTruth = view.truth && rowOf(view.truth);
  [view.high, view.top] = scales();
}
const isTruth = (value) => value > 0 && value >= 0.5;

// Where the colours of the map and the bars end: at the layer's largest score, or at the largest
// mean of any sample, so that samples can be compared; for the mean over samples at the largest of it
const peaks = new Map();
const largest = (values) => values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-12);
function scales() {
  if (state.mean) return [largest(view.scores.values), largest(view.bars)];
  const { scores } = layer();
  const high = Math.max(scores.high, -scores.low);
  const row = rowAxis();
  const [map, bars] = [averaged(row).length > 0, averaged().length > 0];
  if (!bars) return [high, high];
  const key = JSON.stringify([state.layer, ...state.picks.map((p, i) => (i === row ? p < 0 : p))]);
  if (!peaks.has(key)) {
    const found = [0, 0];
    for (let i = 0; i < page.numbers.length; i++) {
      const table = matrix(scores.values.subarray(i * scores.size, (i + 1) * scores.size));
      found[0] = Math.max(found[0], largest(table.values));
      found[1] = Math.max(found[1], largest(rowOf(table)));
    }
    peaks.set(key, found);
  }
  const [mean, top] = peaks.get(key);
  const most = map ? mean : high;
  return [most, row >= 0 && state.picks[row] >= 0 ? most : top];
}
