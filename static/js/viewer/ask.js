/* The server's side of the viewer: facts of inputs, and acts on them, as JSON. */
import { csrfToken } from "../dom.js";

/** The answer's JSON. Throws an Error in words for a person; `status` says of what kind. */
export async function ask(address, { method = "GET", json, keepalive = false } = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  if (json) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address, { method, headers, body: json ? JSON.stringify(json) : undefined, redirect: "error", keepalive });
  } catch {
    throw new Error("The server was not reached. Nothing was changed.");
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  throw Object.assign(new Error(body.error?.message ?? `The server answered ${answer.status}.`), { status: answer.status, body });
}

const TRIES = 6;

/** Keep a run's outputs beside its input: the run is stored a moment after its end, so this waits for it. What is not
    there is waited for no longer than until `isLost()` says that it will never be; the error then says so. */
export async function keepPrediction(address, run, isLost) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(address, { method: "POST", json: { run }, keepalive: true });
    } catch (error) {
      error.isLost = error.status === 404 && (await isLost());
      if (error.isLost || attempt === TRIES || ![404, 409].includes(error.status)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 150 * attempt));
    }
  }
}
