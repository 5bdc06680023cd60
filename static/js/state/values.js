/* Reads a control as a plain value by its field's description, and says in words what does not fit. */
import { figure } from "../format.js";

// Of what is written as JSON: filled by json-values.js, where a form has any.
export const writtenAsJson = { readers: {}, write: JSON.stringify };
const MISSING = { isMissing: true };
const NOT_FINITE = /^[+-]?(nan|inf|infinity)$/i;
const INT64 = 2n ** 63n;
const MEDIA_WORDS = { image: "A picture is needed.", audio: "A sound is needed.", video: "A film is needed.", file: "A file is needed." };
const WRAPS = { named_fields: "fields", tuple: "tuple", concept: "concept", region: "region", frame: "frame" };

/** {value} | {isMissing} | {error}. `raw` is text, a boolean for a switch, or a plain value for media. */
export function read(spec, raw) {
  if (spec.kind === "switch") return { value: Boolean(raw) };
  if (spec.kind in MEDIA_WORDS) return readMedia(spec, raw);
  const text = raw ?? "";
  if (spec.kind === "text" || spec.kind === "secret") return readText(spec, text);
  if (!text.trim()) return spec.required ? { error: "This is needed." } : MISSING;
  if (spec.kind === "choice") return readChoice(spec, text);
  if (spec.kind === "number") return readNumber(spec, text.trim());
  return spec.kind === "line" ? { value: text } : writtenAsJson.readers[spec.kind](spec, text);
}

function readMedia(spec, raw) {
  if (raw) return { value: raw };
  return spec.required ? { error: MEDIA_WORDS[spec.kind] } : MISSING;
}

function readText(spec, text) {
  if (text.url !== undefined) {
    const url = text.url.trim();
    return /^https?:\/\/[^\s/]+\S*$/i.test(url) ? { value: { url } } : { error: "A URL that begins with http:// or https:// is needed." };
  }
  if (!text && !spec.inner) {
    if (spec.required) return { error: "This is needed." };
    if (spec.nullable || !("default" in spec)) return MISSING;
  }
  return { value: spec.type === "text" ? { text } : text };
}

function readChoice(spec, text) {
  if (text === spec.defaultText && "default" in spec) return { value: spec.default };
  return readChosen(spec.type, text);
}

/** A choice in the type of its field. */
export function readChosen(type, text) {
  if (type === "int" || type === "float") return readNumber({ type, low: null, high: null }, text);
  if (type === "bool") return { value: text.toLowerCase() === "true" };
  return { value: type === "text" ? { text } : text };
}

export function readNumber(spec, text) {
  const plain = text.replace("−", "-").replaceAll("_", "");
  if (spec.type === "int") {
    if (!/^[+-]?\d+$/.test(plain)) return { error: "A whole number is needed." };
    if (!Number.isSafeInteger(Number(plain))) return readGreat(spec, BigInt(plain.replace("+", "")));
  } else if (NOT_FINITE.test(plain)) {
    const value = { number: plain.toLowerCase().replace("infinity", "inf").replace("+", "") };
    return text !== spec.defaultText && isOutside(spec, Number(value.number.replace("inf", "Infinity"))) ? { error: rangeWords(spec) } : { value };
  } else if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) {
    return { error: "A number is needed, like 0.5." };
  }
  const number = Number(plain);
  if (text !== spec.defaultText && isOutside(spec, number)) return { error: rangeWords(spec) };
  return { value: number };
}

/** A whole number that the browser would round. */
function readGreat(spec, number) {
  if (number < -INT64 || number >= INT64) return { error: "This number has more than 64 bits." };
  if (isOutside(spec, Number(number))) return { error: rangeWords(spec) };
  return { value: { number: String(number) } };
}

function isOutside({ low, high }, number) {
  if (low === null && high === null) return false;
  return Number.isNaN(number) || (low !== null && number < low) || (high !== null && number > high);
}

function rangeWords({ low, high }) {
  if (low !== null && high !== null) return `This goes from ${figure(low)} to ${figure(high)}.`;
  return high === null ? `This must be at least ${figure(low)}.` : `This must be at most ${figure(high)}.`;
}

/** A plain value as the text of its control. */
export function toText(spec, value) {
  if (value === null || value === undefined) return "";
  if (["text", "line", "secret"].includes(spec.kind) || spec.type === "text" || spec.type === "str") {
    return typeof value === "object" ? (value.text ?? value.url ?? "") : String(value);
  }
  if (spec.kind === "number" || spec.kind === "choice") return typeof value === "object" ? value.number : String(value);
  return writtenAsJson.write(value);
}

/** The values of parts, by name, as the plain value of the whole. */
export function wrap(type, given) {
  return { [WRAPS[type]]: type === "tuple" ? Object.values(given) : given };
}

/** The plain values of parts, by name. */
export function unwrap(type, plain) {
  const inside = plain?.[WRAPS[type]] ?? plain ?? {};
  return Array.isArray(inside) ? Object.fromEntries(inside.entries()) : inside;
}
