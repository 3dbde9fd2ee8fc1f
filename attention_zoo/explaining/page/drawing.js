// What the pictures share. Joined with the others by writing.py.
const GUTTER = 60;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(full(hex).slice(i, i + 2), 16));
const full = (hex) => (hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex);
const number = (value) => (Number.isNaN(value) ? "none"
  : value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3));
const wide = (value) => String(Number(value.toPrecision(3)));
// For an axis, where there is little room
const brief = (value) => (wide(value).length < 7 ? wide(value)
  : value.toExponential(1).replace("e+", "e"));

function colours() {
  const [from, above, below] = ["--ground", "--attention", "--truth"].map((name) => rgb(css(name)));
  return (share) => `rgb(${from.map((c, i) => Math.round(c
    + ((share < 0 ? below : above)[i] - c) * Math.min(1, Math.abs(share)))).join(",")})`;
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

// As much of a text as there is room for
function fitted(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  let kept = [...text];
  while (kept.length > 1 && pen.measureText(`${kept.join("")}…`).width > room) kept.pop();
  return `${kept.join("")}…`;
}

function axis(pen, text, y) {
  pen.fillStyle = css("--soft");
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.fillText(fitted(pen, String(text), GUTTER - 8), GUTTER - 6, y);
}

function ticks(pen, width, y) {
  const { columns } = view.scores;
  pen.fillStyle = css("--soft");
  pen.textBaseline = "top";
  const many = Math.max(1, Math.min(columns, Math.floor(width / 56)));
  const every = Math.ceil(columns / many);
  const room = (every * width) / columns - 6;
  for (let i = 0; i < columns; i += every) {
    const text = fitted(pen, ends(columnAxis(), i)[0], room);
    const half = pen.measureText(text).width / 2;
    const middle = GUTTER + ((i + 0.5) * width) / columns;
    pen.textAlign = "center";
    pen.fillText(text, Math.min(middle, GUTTER + width - half), y);
  }
}

function cursor(pen, width, height) {
  if (state.column < 0) return;
  const each = width / view.scores.columns;
  pen.strokeStyle = css("--ink");
  pen.lineWidth = 1;
  pen.strokeRect(GUTTER + state.column * each, 0.5, Math.max(each, 1), height - 1);
}

// Each run of columns that pass a test, as the place where it begins and its width
function runs(width, test) {
  const { columns } = view.scores;
  const found = [];
  for (let i = 0; i < columns; i++) {
    if (!test(i)) continue;
    const first = i;
    while (i + 1 < columns && test(i + 1)) i++;
    found.push([GUTTER + (first * width) / columns, ((i + 1 - first) * width) / columns]);
  }
  return found;
}
const isHidden = (i) => view.barsHidden && view.barsHidden[i] > 0.999;
function padding(pen, width, height) {
  pen.fillStyle = css("--padding");
  for (const [x, w] of runs(width, isHidden)) pen.fillRect(x, 0, w, height);
}
function outline(pen, width, height) {
  pen.strokeStyle = css("--truth");
  pen.lineWidth = 2;
  const inside = (i) => view.barsTruth && isTruth(view.barsTruth[i]);
  for (const [x, w] of runs(width, inside)) {
    pen.strokeRect(x + 1, 1, Math.max(w - 2, 1), height - 2);
  }
}
