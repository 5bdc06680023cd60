/* Acts on many inputs: sent a thousand at a time, with how far they are, a stop, and a way back. */
import { csrfToken } from "../dom.js";

/**
 * Does one thing to what is chosen. `chosen` is {ids} or {query, except}; `edit` what to change, or {delete: true}.
 * `onProgress(done)` hears of each batch and stops it by giving false. Gives {done, undo, problem}.
 */
export async function actOn(address, chosen, edit, onProgress = () => {}) {
  const undo = [];
  let done = 0;
  let after = "";
  let token = "";
  try {
    do {
      const answer = await post(address, { ...chosen, ...edit, after, token });
      done += answer.done;
      if (answer.undo && !token) undo.push(answer.undo);
      token = answer.undo?.token ?? "";
      after = answer.next;
    } while (after && onProgress(done) !== false);
  } catch (error) {
    return { done, undo, problem: error.message };
  }
  return { done, undo, problem: "" };
}

/** Takes back what the server said how to take back, the last first. Gives the words of what went wrong, or nothing. */
export async function takeBack(address, undo) {
  try {
    for (const token of [...undo].reverse()) await post(address, { undo: token });
  } catch (error) {
    return error.message;
  }
  return "";
}

async function post(address, body) {
  let answer;
  try {
    answer = await fetch(address, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
    });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  const request = said.error?.request_id ? ` Request ${said.error.request_id}.` : "";
  throw new Error((said.error?.message ?? `The server answered ${answer.status}.`) + request);
}
