// Buttons, keys and pointers. Joined with the others by writing.py.
function option(select, value, text) {
  const element = document.createElement("option");
  element.value = value;
  element.textContent = text;
  select.append(element);
}

// The mean over an axis that sums to one would tell nothing
const canAverage = (axis) => axis !== layer().attended;

// The place along an axis that is attended to most, over all samples
function busiest(axis) {
  const { shape, values } = layer().scores;
  const inner = product(shape.slice(axis + 1));
  const sums = new Float64Array(shape[axis]);
  values.forEach((value, i) => { sums[Math.floor(i / inner) % shape[axis]] += value; });
  return sums.indexOf(Math.max(...sums));
}

function chooseLayer(index) {
  state.layer = index;
  [state.column, state.row, state.input] = [-1, -1, 0];
  const { axes, scores } = layer();
  state.picks = axes.map((_, i) => (i === columnAxis() || canAverage(i) ? -1 : busiest(i)));
  $("selections").replaceChildren(...axes.map((name, i) => {
    if (i === columnAxis()) return "";
    const box = document.createElement("label");
    const select = document.createElement("select");
    select.id = `pick-${name}`;
    if (canAverage(i)) option(select, -1, `mean of ${scores.shape[i]}`);
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
  $("input-choice").replaceChildren();
  candidates().forEach((each, i) => option($("input-choice"), i, String(each.number)));
  $("input-label").hidden = candidates().length < 2;
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
    .forEach((each) => option($("classes"), String(each), className(each)));
}
$("classes").addEventListener("change", () => {
  state.of = $("classes").value;
  if (!filtered().includes(state.place)) [state.place] = filtered();
  update();
});
$("input-choice").addEventListener("change", () => {
  state.input = Number($("input-choice").value);
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
    const again = at.row === state.picks[rowAxis()] && canAverage(rowAxis());
    if (at.row >= 0) pick(again ? -1 : at.row);
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
    if (by) {
      const first = canAverage(rowAxis()) ? -1 : 0;
      pick(Math.max(first, Math.min(view.scores.rows - 1, state.picks[rowAxis()] + by)));
    }
    point(to === undefined ? Math.max(0, state.column) : to, -1);
  });
}
function pick(row) {
  state.picks[rowAxis()] = row;
  $(`pick-${layer().axes[rowAxis()]}`).value = row;
  update();
}

document.addEventListener("keydown", (event) => {
  if (event.target.matches("select, textarea, input:not([type=checkbox])") || event.altKey
    || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const last = view.scores.columns - 1;
  if (state.mean) point(Math.max(0, Math.min(last, state.column + by)), -1);
  else move(by);
});
window.addEventListener("resize", () => { draw(); trust(); });
window.addEventListener("beforeprint", draw);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

chooseLayer(0);
trust();
update();
