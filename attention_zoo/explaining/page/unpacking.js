// The numbers and bits that the page carries. Joined with the others by writing.py.
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
const inputs = page.inputs.map((each) => ({ ...each, ...numbers(each) }));
