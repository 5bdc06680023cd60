/* Acts on a deployment from anywhere: its dialogs, fetched when they are opened, and what needs no question. */
import { alarm } from "../announce.js";
import { csrfToken, make } from "../dom.js";

/** Posts as the page's own forms do; gives null when it is done, else what went wrong in words. */
export async function act(address, values = {}) {
  const body = values instanceof FormData ? values : new URLSearchParams(values);
  try {
    const answer = await fetch(address, {
      method: "POST",
      body,
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
    });
    if (answer.ok) return null;
    return await wordsOf(answer);
  } catch {
    return "The server cannot be reached. Nothing was changed.";
  }
}

async function wordsOf(answer) {
  try {
    const { error } = await answer.json();
    return `${error.message} Request ${error.request_id}.`;
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

/** Opens the dialog at an address; `done` is called once its form has been taken. */
export async function openDialog(address, done) {
  const holder = document.createElement("template");
  try {
    const answer = await fetch(address, { headers: { "X-Part": "dialog" } });
    holder.innerHTML = answer.ok ? await answer.text() : "";
  } catch {
    holder.innerHTML = "";
  }
  const drawn = holder.content.querySelector("dialog");
  if (!drawn) {
    alarm("This cannot be opened now: the deployment is gone, or the server cannot be reached.");
    return;
  }
  const dialog = document.importNode(drawn, true);
  document.body.append(dialog);
  globalThis.htmx?.process(dialog);
  dialog.dispatchEvent(new Event("parts-added", { bubbles: true }));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target.closest("[data-close]") && dialog.close());
  dialog.addEventListener("input", () => checkTyped(dialog));
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    send(dialog, event.target, done);
  });
  checkTyped(dialog);
  dialog.showModal();
  for (const log of dialog.querySelectorAll("[data-scroll-end]")) log.scrollTop = log.scrollHeight;
}

/** Where a name must be typed, the act waits for that name. */
function checkTyped(dialog) {
  const field = dialog.querySelector("[data-typed]");
  if (field) dialog.querySelector("[type=submit]").disabled = field.value.trim() !== field.dataset.typed;
}

async function send(dialog, form, done) {
  const button = form.querySelector("[type=submit]");
  button.setAttribute("aria-busy", "true");
  const problem = await act(form.action, new FormData(form));
  button.removeAttribute("aria-busy");
  if (problem === null) {
    dialog.close();
    done(form.dataset.done ?? "");
    return;
  }
  let place = form.querySelector("[data-problem]");
  if (!place) {
    place = make("p", "field__error");
    place.dataset.problem = "";
    place.setAttribute("role", "alert");
    form.querySelector(".dialog__body").append(place);
  }
  place.textContent = problem;
}

const TOAST_MS = 8000;

/** Says what was done, with a way back, for eight seconds; stops while one is at it. */
export function offerUndo(text, undo) {
  const button = make("button", "button button--small", "Undo");
  button.type = "button";
  const toast = make("div", "toast", make("span", "", text), button);
  let timer = setTimeout(() => toast.remove(), TOAST_MS);
  const stop = () => clearTimeout(timer);
  const go = () => {
    stop();
    timer = setTimeout(() => toast.remove(), TOAST_MS);
  };
  for (const kind of ["pointerenter", "focusin"]) toast.addEventListener(kind, stop);
  for (const kind of ["pointerleave", "focusout"]) toast.addEventListener(kind, go);
  button.addEventListener("click", () => {
    stop();
    toast.remove();
    undo();
  });
  document.querySelector("[data-toasts]").append(toast);
}
