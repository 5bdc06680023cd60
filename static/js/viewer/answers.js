/* A run's outputs as the viewer shows them: what lies on the input, what is said of the whole, and all the rest. */
import { num, partsOf, readConcept, readRegion, shapeFor } from "../state/plain.js";

const MOST = 20_000;

/** {regions, concepts, frames, text, rest}: `rest` is [{name, value, shape}]. A region or concept has as `number` its
    place among all findings, by which the server knows it. */
export function readAnswer(shape, outputs) {
  const found = { regions: [], concepts: [], frames: [], text: "", rest: [], numbers: new Map() };
  if (shape?.type === "str" && outputs.every((value) => typeof value === "string")) {
    found.text = outputs.join("");
    return found;
  }
  count(outputs, found.numbers);
  for (const value of outputs) collect(shape, value, "", found);
  found.frames.sort((a, b) => a.time - b.time || a.frame - b.frame);
  return found;
}

/** The findings in the order in which the server counts them. */
function count(value, numbers) {
  if (value === null || typeof value !== "object") return;
  for (const [key, part] of Object.entries(value)) {
    const isOne = !Array.isArray(value) && (key === "concept" || key === "region") && typeof part === "object" && part !== null;
    if (isOne) numbers.set(part, numbers.size);
    else if (key !== "json") count(part, numbers);
  }
}

/** The same of a workflow: by its nodes where they are known, else by the looks of what came. */
export function readNodes(nodes, outputs) {
  if (!nodes?.size) return readAnswer(null, joined(outputs));
  const found = { regions: [], concepts: [], frames: [], text: "", rest: [], numbers: new Map() };
  count(outputs, found.numbers);
  for (const { id, shape, pieces } of nodes.values()) {
    const isText = pieces.length && pieces.every((piece) => typeof piece === "string");
    if (isText) found.rest.push({ name: id, value: pieces.join(""), shape: { type: "str" } });
    else for (const piece of pieces) collect(shape, piece, id, found);
  }
  found.frames.sort((a, b) => a.time - b.time || a.frame - b.frame);
  return found;
}

/** Pieces of a text that came one after the other, as one. */
function joined(outputs) {
  const all = [];
  for (const value of outputs) {
    if (typeof value === "string" && typeof all.at(-1) === "string") all.push(all.pop() + value);
    else all.push(value);
  }
  return all;
}

function collect(declared, value, name, found) {
  if (value === null || value === undefined) {
    found.rest.push({ name, value, shape: declared });
    return;
  }
  const shape = shapeFor(declared, value);
  const inner = shape.of?.[0];
  if (shape.type === "region") addRegion(value, found);
  else if (shape.type === "concept") addConcept(value, found);
  else if (shape.type === "frame") addFrame(value, found);
  else if (shape.type === "list" && ["region", "concept", "frame"].includes(inner?.type)) value.forEach((item) => collect(inner, item, name, found));
  else if (shape.type === "list" && ["region", "concept", "frame"].includes(inner?.of?.[0]?.type)) value.forEach((item) => collect(inner, item, name, found));
  else if (shape.type === "tuple" || shape.type === "named_fields") {
    for (const [part, item, partShape] of partsOf(shape, value)) collect(partShape, item, name ? `${name}.${part}` : part, found);
  } else found.rest.push({ name, value, shape });
}

function addRegion(value, found) {
  if (found.regions.length < MOST) found.regions.push(numbered(readRegion(value), value.region, found));
}

function addConcept(value, found) {
  const concept = readConcept(value);
  if (found.concepts.length < MOST) found.concepts.push(numbered({ ...concept, key: concept.id || concept.name }, value.concept, found));
}

function numbered(entry, raw, { numbers }) {
  return Object.assign(entry, { number: numbers.get(raw) });
}

function addFrame({ frame }, found) {
  const entries = Array.isArray(frame?.regions) ? frame.regions : [];
  const regions = entries.map((entry) => numbered(readRegion(entry), entry.region, found));
  if (found.frames.length < MOST) found.frames.push({ frame: num(frame?.index) ?? 0, time: num(frame?.time) ?? 0, regions });
}

const holds = new WeakMap(); // of frames, for how long each is meant

/** The frame of a film at a time, or null where none holds. Frames without times are spread over its `duration`. */
export function frameAt(frames, time, duration) {
  const isTimed = frames.at(-1).time > 0;
  const timeOf = (at) => (isTimed ? frames[at].time : (at / frames.length) * (duration > 0 ? duration : 1));
  let [low, high] = [0, frames.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(middle) <= time + 0.002) low = middle + 1;
    else high = middle;
  }
  if (!low) return null;
  if (!holds.has(frames)) holds.set(frames, holdOf(frames));
  return isTimed && time - timeOf(low - 1) > holds.get(frames) ? null : frames[low - 1];
}

/** Half as long again as from one to the next, in the middle of all. */
function holdOf(frames) {
  const gaps = frames.slice(1, 200).map(({ time }, at) => time - frames[at].time).sort((one, other) => one - other);
  return Math.max((gaps[gaps.length >> 1] ?? 1) * 1.5, 0.05);
}

/** Concepts by name, over regions and the whole: [{name, key, value, count, isWhole}], the surest first. */
export function tally({ regions, concepts, frames }) {
  const known = new Map();
  const add = ({ id, name, value }, isWhole) => {
    const entry = known.get(name) ?? { name, key: id || name, value: null, count: 0, isWhole: false };
    if (value !== null && (entry.value === null || value > entry.value)) entry.value = value;
    entry.count += 1;
    entry.isWhole ||= isWhole;
    known.set(name, entry);
  };
  for (const concept of concepts) add(concept, true);
  for (const region of regions) for (const concept of region.concepts.slice(0, 1)) add(concept, false);
  for (const frame of frames) for (const region of frame.regions) for (const concept of region.concepts.slice(0, 1)) add(concept, false);
  return [...known.values()].sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
}

/** Whether it can be accepted as a box: its own, or the one around its outline or mask. */
export function canBeBox({ box, polygon, mask }) {
  return Boolean(box || polygon || mask);
}

/** Whether a threshold and a choice of concepts let it through; what has no value is not judged by it. */
export function passes({ value, name }, { threshold, chosen }) {
  return (value === null || value === undefined || value >= threshold) && (!chosen.size || chosen.has(name));
}
