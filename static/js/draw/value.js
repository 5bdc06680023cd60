/* Any output drawn by its declared type; where that does not fit, by its looks; what has no drawing stands as JSON.

   A drawing that has `redraw(value)` takes another value of the same kind in place. */
import { make } from "../dom.js";
import { figure, minus } from "../format.js";
import { partsOf, shapeFor } from "../state/plain.js";
import { drawArray } from "./array.js";
import { drawConcepts } from "./concepts.js";
import { drawFrames } from "./frames.js";
import { drawJson } from "./json.js";
import { drawFile, drawLink, drawMedia } from "./media.js";
import { drawRegions } from "./regions.js";
import { drawSounds } from "./sounds.js";
import { takeButtons } from "./take.js";
import { drawText } from "./text.js";

const ITEMS = 200;
const IN_LINE = new Set(["int", "float", "bool", "str", "text"]);
// Outputs of these, coming piece by piece, make one drawing together.
const GATHERED = new Set(["region", "concept", "frame", "audio"]);

/** `context`: {mediaUrl(id), pictures, films, name}: addresses of what was asked about, and how files are named. */
export function drawValue(declared, value, context) {
  if (value === null || value === undefined) return make("p", "value value--none", "No value");
  const shape = shapeFor(declared, value);
  try {
    return (DRAWINGS[shape.type] ?? drawAsJson)(value, shape, withGiven(context));
  } catch (error) {
    console.warn("drawn as JSON:", error);
    return drawAsJson(value);
  }
}

/** Whether the outputs of a method are drawn as one. */
export function isGathered(shape) {
  return GATHERED.has(shape?.type);
}

export function drawGathered(shape, values, context) {
  return drawValue({ type: "list", of: [shape] }, values, context);
}

function withGiven(context) {
  return { ...context, picture: context.pictures?.[0], film: context.films?.[0] };
}

const drawAsJson = (value) => {
  const drawing = drawJson(value);
  drawing.redraw = (next) => drawing.replaceChildren(drawJson(next));
  return drawing;
};

const DRAWINGS = {
  str: (value) => drawText(value),
  text: (value) => (value.url ? drawLink(value.url) : drawText(String(value.text ?? value))),
  int: (value) => make("p", "value", minus(figureOf(value))),
  float: (value) => make("p", "value", minus(figureOf(value))),
  bool: (value) => make("p", "value", value ? "True" : "False"),
  concept: (value) => drawConcepts([value]),
  region: (value, _, context) => again(drawRegions([value], context), (next) => [next]),
  frame: (value, _, context) => again(drawFrames([value], context), (next) => [next]),
  image: drawMedia,
  audio: drawMedia,
  video: drawMedia,
  bytes: drawMedia,
  oversize: (value, _, context) => drawFile(value, context, "This value is too large to be shown; it is kept whole."),
  ndarray: drawArray,
  list: drawList,
  tuple: (value, shape, context) => drawParts(partsOf(shape, value), context),
  named_fields: (value, shape, context) => drawParts(partsOf(shape, value), context),
};

function again(drawing, wrap) {
  const { redraw } = drawing;
  drawing.redraw = (next) => redraw(next ? wrap(next) : []);
  return drawing;
}

function figureOf(value) {
  if (typeof value === "object") return value.number === "nan" ? "no value (NaN)" : String(value.number);
  return Number.isInteger(value) ? figure(value) : String(value);
}

const LISTS = {
  concept: (value) => drawConcepts(value),
  region: (value, _, context) => drawRegions(value, context),
  frame: (value, _, context) => drawFrames(value, context),
  audio: (value, shape, context) => drawSounds(value, shape, context),
};

function drawList(value, shape, context) {
  const inner = shape.of?.[0];
  if (!value.length && !(inner?.type in LISTS)) return make("p", "value value--none", "An empty list");
  if (inner?.type in LISTS) return LISTS[inner.type](value, inner, context);
  if (isPlain(inner)) return drawAsJson(value);
  if (inner.type === "image") return drawTiles(value, inner, context);
  // A list for each picture asked about: each over its own.
  const isPaired = context.pictures?.length === value.length;
  const entries = value.slice(0, ITEMS).map((item, i) => [`[${i}]`, item, inner, isPaired ? [context.pictures[i]] : context.pictures]);
  const drawing = drawParts(entries, context);
  if (value.length <= ITEMS) return drawing;
  return make("div", "stack", drawing, make("p", "muted", `${figure(value.length - ITEMS)} more stand in Raw.`));
}

/** Numbers and the like, also in lists of lists: one tree says it best. */
function isPlain(shape) {
  if (shape?.type === "list") return isPlain(shape.of?.[0]);
  return ["int", "float", "bool", "json_data", undefined].includes(shape?.type);
}

function drawTiles(values, shape, context) {
  const tiles = make("ol", "tiles");
  values.slice(0, ITEMS).forEach((value, i) => {
    const head = make("div", "part__head", make("span", "part__name", `[${i}]`), takeButtons(value, context, String(i)));
    tiles.append(make("li", "", head, drawValue(shape, value, context)));
  });
  if (values.length > ITEMS) tiles.append(make("li", "muted", `${figure(values.length - ITEMS)} more stand in Raw.`));
  return tiles;
}

/** Labelled parts; each can be copied and downloaded. A film among them is what frames beside it are drawn over. */
function drawParts(entries, context) {
  const films = entries.map(([, item]) => item).filter((item) => /^video\//.test(item?.content_type ?? "") && item.media);
  const inner = { ...context, films: [...(context.films ?? []), ...films.map(({ media }) => context.mediaUrl(media))] };
  const list = make("dl", "parts");
  if (!entries.length) return make("p", "value value--none", "No parts");
  for (const [name, item, shape, pictures] of entries) {
    const isInLine = item === null || (IN_LINE.has(shapeFor(shape, item).type) && String(item?.text ?? item).length < 80);
    const drawing = drawValue(shape, item, { ...inner, pictures: pictures ?? inner.pictures });
    const head = make("dt", "part__head", make("span", "part__name", name), takeButtons(item, context, name));
    list.append(make("div", isInLine ? "part part--line" : "part", head, make("dd", "", drawing)));
  }
  return list;
}
