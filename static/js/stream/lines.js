/* Files as a source: each line of a text, or each file as it is, one after another. */
import { read } from "../state/values.js";
import { upload } from "../transport/upload.js";

const TEXT_LIMIT = 20_000_000;
const MEDIA = new Set(["image", "audio", "video", "file"]);

/** How many inputs some files are, and each in turn as {value} | {error}. Throws an Error in words. */
export async function readFiles(files, spec, options) {
  if (MEDIA.has(spec.kind)) return { count: files.length, items: uploaded(files, spec, options) };
  const lines = [];
  for (const file of files) lines.push(...(await linesOf(file)));
  return { count: lines.length, items: readLines(lines, spec) };
}

async function* uploaded(files, spec, { url, signal }) {
  for (const file of files) {
    try {
      const stored = await upload(file, { url, expect: spec.kind === "file" ? "" : spec.kind, signal });
      yield { value: { media: stored.id, content_type: stored.content_type, name: stored.name } };
    } catch (error) {
      yield { error: `${file.name}: ${error.message}` };
    }
  }
}

async function* readLines(lines, spec) {
  for (const [at, line] of lines.entries()) {
    const result = read({ ...spec, required: true }, line);
    yield "value" in result ? result : { error: `Line ${at + 1}: ${result.error ?? "This is needed."}` };
  }
}

async function linesOf(file) {
  if (file.size > TEXT_LIMIT) throw new Error(`${file.name} is too large for lines of text: 20 MB at most.`);
  const text = await file.text();
  if (text.includes("\0")) throw new Error(`${file.name} is no text.`);
  return text.split(/\r\n|\n|\r/).filter((line) => line.trim());
}
