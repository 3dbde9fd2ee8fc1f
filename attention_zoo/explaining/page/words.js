// What is said: the prediction, the values, the table, the page of trust. Joined by writing.py.
// The axes that the picture is a mean over, but for one that it shows
const averaged = (shown = -1) => layer().axes
  .filter((_, i) => i !== columnAxis() && i !== shown && state.picks[i] < 0).map(plural);
const plural = (name) => (name === "query" ? "queries" : `${name}s`);
function meanOver(names) {
  const parts = names.map((name) => `the ${name}`);
  const last = parts.pop();
  return `mean over ${parts.length ? `${parts.join(", ")} and ` : ""}${last}`;
}
// What is chosen along the other axes, and what is a mean
function chosen(shown = -1) {
  const picked = layer().axes.map((name, i) => (i === columnAxis() || i === shown
    || state.picks[i] < 0 ? "" : `, ${name} ${label(i, state.picks[i])}`)).join("");
  const means = [...averaged(shown), ...(state.mean ? ["samples"] : [])];
  return picked + (means.length ? `, ${meanOver(means)}` : "");
}

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

const className = (number) => String(page.classes ? page.classes[number] : number);

function say() {
  const samples = filtered();
  const shown = $("prediction");
  shown.replaceChildren();
  if (state.mean) {
    shown.append(pair("Mean over", `${samples.length} samples`));
  } else {
    const i = state.place;
    shown.append(pair("Sample", `${page.numbers[i]}`));
    if (page.predicted) shown.append(pair("Predicted class", className(page.predicted[i])));
    const more = page.outputs > page.predictions[i].length ? ", ..." : "";
    const which = page.output === 1 ? "first of" : `number ${page.output} of`;
    const of = page.output_count > 1 ? `, ${which} ${page.output_count} outputs` : "";
    shown.append(pair(`Prediction${of}`, list(page.predictions[i]) + more));
    if (page.labels) shown.append(pair("Label", list(page.labels[i])));
  }
  for (const id of ["previous", "next", "number"]) $(id).disabled = state.mean;
  $("number").value = page.numbers[state.place];
  const rows = rowAxis() < 0 ? "" : ", up and down between its rows";
  $("hint").textContent = `Arrow keys: left and right ${state.mean ? "move along the pictures"
    : "change the sample; inside a picture they move along it"}${rows}.`;
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
  const at = row >= 0 ? row * columns + state.column : -1;
  const hidden = at >= 0 ? view.hidden && view.hidden.values[at] > 0.999
    : view.barsHidden && view.barsHidden[state.column] > 0.999;
  const truth = at >= 0 ? view.truth && isTruth(view.truth.values[at])
    : view.barsTruth && isTruth(view.barsTruth[state.column]);
  const means = [...averaged(row >= 0 ? down : -1), ...(state.mean ? ["samples"] : [])];
  $("value").textContent = `${kind()} ${label(columnAxis(), state.column)}`
    + `${row >= 0 ? `, ${layer().axes[down]} ${label(down, row)}` : ""}: `
    + `${what()} ${number(score)}${inputValue()}${hidden ? ", padding" : ""}`
    + `${truth ? ", relevant" : ""}${means.length ? `, ${meanOver(means)}` : ""}`;
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
    tableOf([kind(), `${what()}${chosen()}`], rows));
}

function trust() {
  const found = page.trust;
  $("trust").hidden = !found;
  if (!found) return;
  $("trust-about").textContent = `Layer ${found.layer}, measured on ${found.samples} samples`;
  const head = ["measure", "value", "control", "what it shows"];
  const table = tableOf(head, found.rows.map(([name, value, control, , sentence]) =>
    [name, value, control, `${sentence} `]));
  [...table.tBodies[0].rows].forEach((tr, i) => {
    const [verdict, , from] = found.rows[i].slice(3);
    for (const [tag, text, place] of [["strong", verdict && `${verdict} `, "prepend"],
      ["small", from, "append"]]) {
      const element = document.createElement(tag);
      element.textContent = text;
      tr.cells[3][place](element);
    }
    [1, 2].forEach((n) => {
      tr.cells[n].hidden = !tr.cells[n].textContent && window.innerWidth < 640;
      tr.cells[n].dataset.of = head[n];
    });
    tr.cells[1].className = "number";
  });
  $("trust-rows").replaceChildren(table);
}
