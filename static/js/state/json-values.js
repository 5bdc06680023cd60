/* Reads and writes the controls whose values are written as JSON. */
import { shapeOf } from "./arrays.js";
import { parseJson, writeJson } from "./json.js";
import { writtenAsJson } from "./values.js";

writtenAsJson.readers = { json: readJson, array: readArray };
writtenAsJson.write = writeJson;

function readJson(spec, text) {
  const { value, mistake } = parseJson(text);
  if (mistake) return { error: mistakeWords(mistake) };
  const isObject = value !== null && typeof value === "object" && !("number" in value && Object.keys(value).length === 1 && typeof value.number === "string");
  if (!isObject && !(value === null && spec.nullable)) return { error: "An object {…} or a list […] is needed." };
  return { value };
}

function mistakeWords({ line, column, words }) {
  return `No JSON yet: line ${line}, column ${column}: ${words}.`;
}

function readArray(_, text) {
  const { value, mistake } = parseJson(text);
  if (mistake) return { error: mistakeWords(mistake) };
  const { error } = shapeOf(value);
  return error ? { error } : { value };
}
