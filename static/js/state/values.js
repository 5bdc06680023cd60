/* Reads a control's text as a plain value by its field's description, and says in words what does not fit. */
import { figure } from "../format.js";

const MISSING = { isMissing: true };
const NOT_FINITE = /^[+-]?(nan|inf|infinity)$/i;

/** {value} | {isMissing} | {error}. `raw` is text, a boolean for a switch, or a plain value for media. */
export function read(spec, raw) {
  if (spec.kind === "switch") return { value: Boolean(raw) };
  if (spec.kind === "image" || spec.kind === "file") return readMedia(spec, raw);
  const text = raw ?? "";
  if (spec.kind === "text") return readText(spec, text);
  if (!text.trim()) return spec.required ? { error: "This is needed." } : MISSING;
  if (spec.kind === "choice") return readChoice(spec, text);
  if (spec.kind === "number") return readNumber(spec, text.trim());
  return readJson(spec, text);
}

function readMedia(spec, raw) {
  if (raw) return { value: raw };
  if (!spec.required) return MISSING;
  return { error: spec.kind === "image" ? "A picture is needed." : "A file is needed." };
}

function readText(spec, text) {
  if (!text) {
    if (spec.required) return { error: "This is needed." };
    if (spec.nullable || !("default" in spec)) return MISSING;
  }
  return { value: spec.type === "text" ? { text } : text };
}

function readChoice(spec, text) {
  if (spec.type === "int" || spec.type === "float") return readNumber(spec, text);
  if (spec.type === "bool") return { value: text.toLowerCase() === "true" };
  return { value: spec.type === "text" ? { text } : text };
}

function readNumber(spec, text) {
  const plain = text.replace("−", "-").replaceAll("_", "");
  if (spec.type === "int") {
    if (!/^[+-]?\d+$/.test(plain)) return { error: "A whole number is needed." };
    if (!Number.isSafeInteger(Number(plain))) return { error: "This number is too large for the form." };
  } else if (NOT_FINITE.test(plain)) {
    return { value: { number: plain.toLowerCase().replace("infinity", "inf").replace("+", "") } };
  } else if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) {
    return { error: "A number is needed, like 0.5." };
  }
  const number = Number(plain);
  if (text !== spec.defaultText && isOutside(spec, number)) return { error: rangeWords(spec) };
  return { value: number };
}

function isOutside({ low, high }, number) {
  return (low !== null && number < low) || (high !== null && number > high);
}

function rangeWords({ low, high }) {
  if (low !== null && high !== null) return `This goes from ${figure(low)} to ${figure(high)}.`;
  return high === null ? `This must be at least ${figure(low)}.` : `This must be at most ${figure(high)}.`;
}

function readJson(spec, text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { error: `This is no JSON yet: ${jsonWords(error, text)}` };
  }
  const isObject = value !== null && typeof value === "object";
  if (spec.type === "json_data" && !isObject && value !== null) return { error: "An object {…} or a list […] is needed." };
  if (spec.type === "list" && !Array.isArray(value)) return { error: "A list […] is needed." };
  return { value };
}

/** Where the text stops being JSON. */
function jsonWords(error, text) {
  const at = /position (\d+)/.exec(error.message);
  if (!at) return "it ends too early.";
  const before = text.slice(0, Number(at[1])).split("\n");
  return `look at line ${before.length}, character ${before.at(-1).length + 1}.`;
}

/** A plain value as the text of its control. */
export function toText(spec, value) {
  if (value === null || value === undefined) return "";
  if (spec.kind === "text" || spec.type === "text" || spec.type === "str") {
    return typeof value === "object" ? (value.text ?? value.url ?? "") : String(value);
  }
  if (spec.kind === "number" || spec.kind === "choice") return typeof value === "object" ? value.number : String(value);
  return JSON.stringify(value, null, 2);
}
