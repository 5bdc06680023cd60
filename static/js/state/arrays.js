/* Arrays of numbers: written as nested lists, or in a .npy file, whose head says what is in it. */
const MAGIC = "\x93NUMPY";

/** {shape} of nested lists of numbers, or {error} that says where they do not fit together. */
export function shapeOf(value, path = "") {
  if (!Array.isArray(value)) {
    const isNumber = typeof value === "number" || (typeof value?.number === "string" && Object.keys(value).length === 1);
    return isNumber ? { shape: [] } : { error: `${path || "This"} is no number.` };
  }
  let first = null;
  for (const [position, item] of value.entries()) {
    const inner = shapeOf(item, `${path}[${position}]`);
    if (inner.error) return inner;
    first ??= inner.shape;
    if (String(first) !== String(inner.shape)) {
      return { error: `All rows need one size: ${path}[${position}] is ${sizeWords(inner.shape)}, ${path}[0] is ${sizeWords(first)}.` };
    }
  }
  return { shape: [value.length, ...(first ?? [])] };
}

export function sizeWords(shape) {
  return shape.length ? shape.join(" × ") : "one number";
}

/** {dtype, shape} of a .npy file, or {error}. */
export async function readNpyHead(file) {
  const head = await file.slice(0, 4096).arrayBuffer();
  const text = Array.from(new Uint8Array(head), (byte) => String.fromCharCode(byte)).join("");
  if (!text.startsWith(MAGIC)) return { error: `${file.name} is no .npy file.` };
  const dtype = /'descr':\s*'([^']+)'/.exec(text)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1];
  if (!dtype || shape === undefined) return { error: `${file.name} holds no plain array of numbers.` };
  if (!/^[<>|=]?[biufc]\d+$/.test(dtype)) return { error: `${file.name} holds ${dtype === "|O" ? "Python objects" : dtype}, not numbers.` };
  return { dtype: nameOf(dtype), shape: shape.split(",").map((size) => size.trim()).filter(Boolean) };
}

function nameOf(dtype) {
  const [, kind, size] = /([biufc])(\d+)$/.exec(dtype);
  if (kind === "b") return "bool";
  return { i: "int", u: "uint", f: "float", c: "complex" }[kind] + Number(size) * 8;
}
