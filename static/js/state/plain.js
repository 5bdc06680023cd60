/* Plain values as events carry them: what they are by their looks, where their declared type does not fit or is unknown. */
const WRAPPED = ["concept", "region", "frame", "ndarray", "tuple", "fields", "oversize"];
const NAMES = { fields: "named_fields" };
const isObject = (value) => typeof value === "object" && value !== null;

/** A finite number, or null for anything else. */
export function num(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** The shape to draw a value by: the declared one where it fits, else one guessed from the value. */
export function shapeFor(shape, value) {
  if (value?.oversize?.media) return { type: "oversize" };
  if (shape && FITS[shape.type]?.(value)) return shape;
  if (shape?.type === "json_data") return shape;
  const type = kindOf(value);
  return type === "list" && value.length ? { type, of: [shapeFor(null, value[0])] } : { type };
}

function kindOf(value) {
  if (Array.isArray(value)) return "list";
  if (!isObject(value)) return { string: "str", number: "float", boolean: "bool" }[typeof value] ?? "json_data";
  const keys = Object.keys(value);
  if (keys.length === 1 && WRAPPED.includes(keys[0]) && isObject(value[keys[0]])) return NAMES[keys[0]] ?? keys[0];
  if (isMedia(value) && "content_type" in value) return "bytes";
  return "json_data";
}

const isMedia = (value) => isObject(value) && (typeof value.media === "string" || typeof value.url === "string");
const isNumber = (value) => typeof value === "number" || typeof value?.number === "string";
const inside = (key) => (value) => isObject(value?.[key]);
const FITS = {
  str: (value) => typeof value === "string",
  text: (value) => typeof (value?.text ?? value?.url ?? value) === "string",
  int: isNumber,
  float: isNumber,
  bool: (value) => typeof value === "boolean",
  concept: inside("concept"),
  region: inside("region"),
  frame: inside("frame"),
  ndarray: inside("ndarray"),
  image: isMedia,
  audio: isMedia,
  video: isMedia,
  bytes: isMedia,
  list: Array.isArray,
  tuple: (value) => Array.isArray(value?.tuple ?? value),
  named_fields: (value) => isObject(value?.fields ?? value) && !Array.isArray(value),
};

/** The parts of a tuple or record: [name, value, shape] each. */
export function partsOf(shape, value) {
  if (shape.type === "tuple") return (value.tuple ?? value).map((item, i) => [String(i), item, shape.of?.[i]]);
  const shapes = Object.fromEntries((shape.of ?? []).map((inner) => [inner.name, inner]));
  return Object.entries(value.fields ?? value).map(([name, item]) => [name, item, shapes[name]]);
}

/** A concept's {id, name, value}, safe to draw. */
export function readConcept(entry) {
  const { id, name, value } = entry?.concept ?? entry ?? {};
  return { id: String(id ?? ""), name: String(name || id || "concept"), value: num(value) };
}

/** A region with what of it can be drawn; `concepts` the surest first. */
export function readRegion(entry) {
  const region = entry?.region ?? entry ?? {};
  const concepts = asList(region.concepts).slice(0, 1000).map(readConcept).sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
  const [best] = concepts;
  const text = String(region.text ?? "");
  const box = numbers(region.box, 4);
  const corners = asList(region.polygon).slice(0, 5000).map((corner) => numbers(corner, 2)).filter(Boolean);
  return {
    box: box && box[2] > box[0] && box[3] > box[1] ? box : null,
    point: numbers(region.point, 2),
    polygon: corners.length > 2 ? corners : null,
    mask: typeof region.mask?.media === "string" ? region.mask.media : null,
    concepts,
    text,
    track: String(region.track_id ?? ""),
    name: best?.name || text || "region",
    key: best?.id || best?.name || text,
    value: best ? best.value : num(region.value),
  };
}

function asList(value) {
  return Array.isArray(value) ? value : [];
}

function numbers(values, count) {
  const read = asList(values).slice(0, count).map(num);
  return read.length === count && !read.includes(null) ? read : null;
}

/** What pictures and films stand in a run's arguments: {pictures, films}, as addresses. */
export function findGiven(given, mediaUrl) {
  const found = { pictures: [], films: [] };
  const waiting = [given];
  for (let seen = 0; waiting.length && seen < 2000; seen += 1) {
    const value = waiting.shift();
    if (!isObject(value)) continue;
    const kind = (value.content_type ?? "image/").split("/")[0];
    const list = { image: found.pictures, video: found.films }[kind];
    if (typeof value.media === "string") list?.push(mediaUrl(value.media));
    else if (/^https?:/i.test(value.url ?? "")) (/\.(mp4|m4v|mov|webm|ogv)(\?|$)/i.test(value.url) ? found.films : found.pictures).push(value.url);
    else waiting.push(...Object.values(value).slice(0, 500));
  }
  return found;
}
