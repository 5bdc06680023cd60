/* What of an answer is shown: by threshold, by rank, by concept. It acts on the answer at hand, and lives in the URL. */
import { partsOf, readConcept, readRegion, shapeFor } from "./plain.js";

export function readFilter() {
  const query = new URLSearchParams(location.search);
  const threshold = Number.parseFloat(query.get("threshold"));
  const top = Number.parseInt(query.get("top"), 10);
  return {
    threshold: threshold > 0 ? Math.min(threshold, 1) : 0,
    top: top > 0 ? top : 0,
    concepts: new Set(query.getAll("concept")),
  };
}

export function writeFilter({ threshold, top, concepts }) {
  const address = new URL(location.href);
  for (const name of ["threshold", "top", "concept"]) address.searchParams.delete(name);
  if (threshold) address.searchParams.set("threshold", threshold);
  if (top) address.searchParams.set("top", top);
  for (const name of concepts) address.searchParams.append("concept", name);
  history.replaceState(history.state, "", address);
}

export function isOn({ threshold, top, concepts }) {
  return threshold > 0 || top > 0 || concepts.size > 0;
}

/** Counts what passes through `sift`: how many are shown, of how many, and which concepts there are. */
export class Tally {
  shown = 0;
  all = 0;
  word = "";
  concepts = new Map();

  add({ id, name, value }) {
    const known = this.concepts.get(name) ?? { count: 0, best: -1, key: id || name };
    this.concepts.set(name, { ...known, count: known.count + 1, best: Math.max(known.best, value ?? -1) });
  }
}

const READERS = { region: readRegion, concept: (entry) => ({ concepts: [readConcept(entry)], value: readConcept(entry).value }) };

/** The value with what the filter lets through. `declared` is its shape. */
export function sift(declared, value, filter, tally) {
  const shape = shapeFor(declared, value);
  const inner = shape.of?.[0]?.type;
  if (shape.type === "region" || shape.type === "concept") return choose([value], shape.type, filter, tally)[0] ?? null;
  if (shape.type === "list" && inner in READERS) return choose(value, inner, filter, tally);
  if (shape.type === "list" && ["list", "frame", "tuple", "named_fields"].includes(inner)) {
    return value.map((item) => sift(shape.of[0], item, filter, tally));
  }
  if (shape.type === "frame") {
    const regions = Array.isArray(value.frame.regions) ? value.frame.regions : [];
    return { frame: { ...value.frame, regions: choose(regions, "region", filter, tally) } };
  }
  if (shape.type !== "tuple" && shape.type !== "named_fields") return value;
  const parts = partsOf(shape, value).map(([name, item, part]) => [name, sift(part, item, filter, tally)]);
  return shape.type === "tuple" ? { tuple: parts.map(([, item]) => item) } : { fields: Object.fromEntries(parts) };
}

function choose(entries, kind, filter, tally) {
  const read = entries.map((entry) => ({ entry, ...READERS[kind](entry) }));
  for (const { concepts } of read) for (const concept of concepts) tally.add(concept);
  tally.word ||= kind;
  tally.all += read.length;
  let kept = read.filter((item) => passes(item, filter));
  if (filter.top && kept.length > filter.top) {
    const strongest = new Set([...kept].sort((a, b) => (b.value ?? -1) - (a.value ?? -1)).slice(0, filter.top));
    kept = kept.filter((item) => strongest.has(item));
  }
  tally.shown += kept.length;
  return kept.map(({ entry }) => entry);
}

/** Strong enough, by one of the chosen concepts where some are, and named like `words`; no value is not judged. */
function passes({ concepts, value, name }, { threshold, concepts: chosen, words = "" }) {
  if (words && !String(name ?? concepts[0]?.name ?? "").toLowerCase().includes(words)) return false;
  if (!chosen.size) return value === null || value >= threshold;
  return concepts.some((concept) => chosen.has(concept.name) && (concept.value === null || concept.value >= threshold));
}
