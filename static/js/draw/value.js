/* Any output drawn by its declared type; what has no drawing of its own is shown as JSON. */
import { make } from "../dom.js";
import { bytes, figure, minus } from "../format.js";
import { drawConcepts } from "./concepts.js";
import { drawJson } from "./json.js";
import { drawRegions } from "./regions.js";
import { TextFlow } from "./text.js";

/** `context`: {mediaUrl(id), picture}. */
export function drawValue(shape, value, context) {
  if (value === null || value === undefined) return make("p", "value value--none", "No value");
  return (DRAWINGS[shape?.type] ?? drawUnknown)(value, shape ?? {}, context);
}

const DRAWINGS = {
  str: (value) => drawText(value),
  text: (value) => (value.url ? drawLink(value.url) : drawText(value.text ?? String(value))),
  int: (value) => make("p", "value", minus(figureOf(value))),
  float: (value) => make("p", "value", minus(figureOf(value))),
  bool: (value) => make("p", "value", value ? "True" : "False"),
  concept: (value) => drawConcepts([value]),
  region: (value, _, context) => drawRegions([value], context.picture),
  image: drawMedia,
  audio: drawMedia,
  video: drawMedia,
  bytes: drawMedia,
  ndarray: drawArray,
  list: drawList,
  tuple: (value, shape, context) => drawNamed((value.tuple ?? value).map((item, i) => [String(i), item, shape.of?.[i]]), context),
  named_fields: drawFields,
};

function drawUnknown(value) {
  return typeof value === "string" ? drawText(value) : drawJson(value);
}

function drawText(value) {
  const flow = new TextFlow();
  flow.append(String(value));
  return flow.element;
}

function figureOf(value) {
  if (typeof value === "object") return value.number === "nan" ? "no value (NaN)" : String(value.number);
  return Number.isInteger(value) ? figure(value) : String(value);
}

function drawLink(url) {
  const isSafe = /^https?:/i.test(url);
  const link = make(isSafe ? "a" : "span", "", url);
  if (isSafe) Object.assign(link, { href: url, rel: "noopener noreferrer", target: "_blank" });
  return make("p", "value", link);
}

function drawMedia(value, shape, context) {
  if (value.url) return drawLink(value.url);
  if (!value.media) return drawJson(value);
  const source = context.mediaUrl(value.media);
  const kind = (value.content_type ?? "").split("/")[0];
  if (kind === "image") {
    const image = make("img", "stage__picture");
    Object.assign(image, { src: source, alt: "The picture that the model made" });
    return make("div", "stage", image);
  }
  if (kind === "audio" || kind === "video") {
    return Object.assign(make(kind, "stage__picture"), { src: source, controls: true, preload: "metadata" });
  }
  const link = Object.assign(make("a", "button", `Download ${value.content_type ?? "file"}`), { href: source, download: "" });
  return make("p", "", link, value.size ? ` ${bytes(value.size)}` : "");
}

function drawArray(value, shape, context) {
  const { shape: sizes = [], dtype, min, max, mean, media } = value.ndarray ?? {};
  const facts = [["shape", sizes.join(" × ") || "0-d"], ["dtype", dtype], ["min", min], ["max", max], ["mean", mean]];
  const list = make("dl", "fields");
  for (const [name, fact] of facts) {
    if (fact === undefined || fact === null) continue;
    list.append(make("dt", "", name), make("dd", "value", typeof fact === "object" ? fact.number : String(fact)));
  }
  if (media) {
    const link = Object.assign(make("a", "", "Download .npy"), { href: context.mediaUrl(media), download: "" });
    list.append(make("dt", "", "data"), make("dd", "value", link));
  }
  return list;
}

function drawList(value, shape, context) {
  const inner = shape.of?.[0];
  if (!Array.isArray(value)) return drawJson(value);
  if (inner?.type === "concept") return drawConcepts(value);
  if (inner?.type === "region") return drawRegions(value, context.picture);
  if (!value.length) return make("p", "value value--none", "An empty list");
  if (["int", "float", "bool", "json_data"].includes(inner?.type)) return drawJson(value);
  const list = make("ol", "outputs");
  for (const item of value.slice(0, 500)) list.append(make("li", "", drawValue(inner, item, context)));
  if (value.length > 500) list.append(make("li", "muted", `${figure(value.length - 500)} more stand in Raw.`));
  return list;
}

function drawFields(value, shape, context) {
  const fields = value.fields ?? value;
  const shapes = Object.fromEntries((shape.of ?? []).map((inner) => [inner.name, inner]));
  return drawNamed(Object.entries(fields).map(([name, item]) => [name, item, shapes[name]]), context);
}

function drawNamed(entries, context) {
  const list = make("dl", "fields");
  for (const [name, item, shape] of entries) {
    list.append(make("dt", "", name), make("dd", "", drawValue(shape, item, context)));
  }
  return list;
}
