/* Uploads a file in parts, with progress; a part that is lost is sent again. */
import { csrfToken } from "../dom.js";

const TRIES = 4;

/**
 * {id, url, content_type, name, size, width, height} of the stored file. Throws an Error in words for a person.
 * `ready()` is awaited before each part; `begun` is told the upload's id, and a later try with it goes on where this one ended.
 */
export async function upload(file, { url, expect = "", signal, ...rest }) {
  const id = await sendParts(file, { url, expect, signal, ...rest });
  return ask(`${url}${id}/finish`, { method: "POST", signal, json: { expect } });
}

/** The same, left as it is once all parts have arrived, for who makes something of its own of them: the upload's id. */
export async function sendParts(file, { url, expect = "", signal, onProgress = () => {}, ready = () => {}, begun: known = {} }) {
  const begun = (await goOn(url, known.id, signal)) ?? (await begin(url, file, expect, signal));
  known.id = begun.id;
  let offset = begun.received ?? 0;
  while (offset < file.size) {
    await ready();
    const part = file.slice(offset, offset + begun.part_size);
    const { received } = await sendPart(`${url}${begun.id}/${offset}`, part, signal);
    offset = received ?? offset + part.size;
    onProgress(offset / file.size);
  }
  return begun.id;
}

function begin(url, file, expect, signal) {
  return ask(url, { method: "POST", signal, json: { name: file.name || "pasted", size: file.size, expect } });
}

/** How far an earlier try has got; nothing where the server knows it no more. */
async function goOn(url, id, signal) {
  if (!id) return null;
  try {
    return await ask(`${url}${id}`, { method: "GET", signal });
  } catch (error) {
    if (error.isLost || error.name === "AbortError") throw error;
    return null;
  }
}

async function sendPart(address, part, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(address, { method: "PUT", body: part, signal });
    } catch (error) {
      if (!error.isLost || attempt === TRIES || signal?.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, 400 * 2 ** attempt));
    }
  }
}

async function ask(address, { method, json, body, signal }) {
  const headers = { "X-CSRFToken": csrfToken(), Accept: "application/json" };
  if (json) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(address, { method, headers, signal, body: json ? JSON.stringify(json) : body });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw Object.assign(new Error("The server was not reached. Try again."), { isLost: true });
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok || (response.status === 409 && "received" in answer)) return answer;
  throw new Error(answer.error?.message ?? `The server refused the upload (${response.status}).`);
}
