// What is chosen, and the scores that belong to it. Joined with the others by writing.py.
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
