// Which input belongs to what a layer attends to. Joined with the others by writing.py.
const kind = () => layer().axes[columnAxis()];

// An input as (segments, steps, features), as the axes of the layer suggest; null where they do not
function parts(sizes) {
  const segments = layer().axes.includes("segment");
  if (sizes.length === 1) return [1, sizes[0], 1];
  if (sizes.length === 2) return segments ? [...sizes, 1] : [1, ...sizes];
  return segments ? sizes : null;
}

// The inputs of as many steps, or features, as the layer attends to. One input alone is shown
// although the model makes fewer steps of it
function candidates() {
  const size = layer().sizes[columnAxis()];
  const able = inputs.filter(({ sizes }) => (kind() === "feature" ? sizes.length === 1
    : kind() === "step" || kind() === "key") && parts(sizes) && parts(sizes)[1] > 1);
  const same = able.filter(({ sizes }) => parts(sizes)[1] === size);
  return same.length || page.input_count > 1 || kind() === "feature" ? same : able;
}

// The chosen input of the sample: how many steps and features, and their values
function seen() {
  const input = candidates()[state.input];
  if (!input) return null;
  const [segments, steps, features] = parts(input.shape);
  const flat = cells(input);
  const axis = layer().axes.indexOf("segment");
  const segment = axis >= 0 ? state.picks[axis] : 0;
  const at = (step, feature) => {
    const value = (s) => flat[(s * steps + step) * features + feature];
    if (segment >= 0) return value(Math.min(segment, segments - 1));
    return [...Array(segments).keys()].reduce((sum, s) => sum + value(s), 0) / segments;
  };
  return { number: input.number, length: parts(input.sizes)[1], steps, features, at,
    bars: kind() === "feature" || (input.whole && features === 1) };
}

// Which features are drawn: the one that is chosen, or the first few
function drawnFeatures() {
  const { features } = view.input;
  const axis = layer().axes.indexOf("feature");
  const only = axis >= 0 && axis !== columnAxis() ? state.picks[axis] : -1;
  if (only >= 0 && only < features) return [only];
  return [...Array(Math.min(features, 5)).keys()];
}
const featureName = (i) => (page.features && page.features.length === view.input.features
  ? page.features[i] : `feature ${i}`);

function inputCaption() {
  const { number: mine, length, bars } = view.input;
  const { axes, sizes } = layer();
  const [among, last] = [candidates().length, page.input_count - 1];
  const segment = axes.indexOf("segment");
  const picked = segment >= 0 && state.picks[segment] >= 0;
  const means = segment >= 0 && !picked ? ["segments"] : [];
  if (state.mean) means.push("samples");
  const steps = sizes[columnAxis()];
  return `Input${last ? ` ${mine} (of 0 to ${last})` : ""}`
    + (picked ? `, segment ${label(segment, state.picks[segment])}` : "")
    + (bars ? `, a bar for each ${kind() === "feature" ? "feature" : "step"}` : "")
    + (means.length ? `, ${meanOver(means)}` : "")
    + (length === steps ? ", shaded by the attention on it"
      : `: ${length} steps, shaded by the attention on the ${steps} that the model makes of them`)
    + (among > 1 ? `, if the layer sees this one: ${among} inputs are as long, choose above` : "");
}

// The input where the cursor is
function inputValue() {
  if (!view.input) return "";
  const { steps, at } = view.input;
  const step = Math.floor(((state.column + 0.5) * steps) / view.scores.columns);
  return `, input ${drawnFeatures().map((f) => wide(at(step, f))).join(", ")}`;
}
