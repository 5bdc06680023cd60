/* The form of a new deployment, in a page or in a dialog that any link with data-new-deployment opens. */
import { announce } from "../announce.js";
import { make } from "../dom.js";
import "./variable-rows.js";

class NewDeployment extends HTMLElement {
  connectedCallback() {
    // A forecast that was asked for before Deploy, and comes after it, does not take the timeline's place.
    this.addEventListener("htmx:beforeSwap", (event) => (event.detail.shouldSwap &&= this.isConnected));
    queueMicrotask(() => this.#focus());
  }

  /** What was refused, or how the start goes: where the reader is wanted after a press of Deploy. */
  #focus() {
    const wrong = this.querySelector('[aria-invalid="true"], .field__error');
    if (wrong) {
      (wrong.matches("input") ? wrong : wrong.closest(".field, .fold")?.querySelector("input, select"))?.focus();
      announce("Nothing was deployed: see the fields.");
    } else this.querySelector("#new-start, [data-news]")?.focus({ preventScroll: true });
  }
}

customElements.define("new-deployment", NewDeployment);

// Another one took it away: what the server says of that takes the timeline's place.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (target?.id === "new-start" && xhr.status === 404) event.detail.shouldSwap = true;
});

/** Open the dialog that a link leads to; on its close the link hears "deployment-made" if something was deployed. */
export async function openDialog(link) {
  if (document.querySelector("dialog[data-new]")) return;
  const home = link.closest("deployment-picker") ?? link; // the picker chooses what was made
  const dialog = make("dialog", "dialog dialog--wide");
  dialog.dataset.new = "";
  const address = new URL(link.href);
  address.searchParams.set("dialog", "1");
  const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.status !== 200 || answer.redirected) {
    location.assign(link.href); // the page says what is wrong, or asks to sign in
    return;
  }
  dialog.innerHTML = await answer.text();
  dialog.setAttribute("aria-labelledby", "new-title");
  document.body.append(dialog);
  await styled(dialog);
  let made = null;
  dialog.addEventListener("deployment-created", (event) => (made = event.detail));
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    (home === link ? link : home.querySelector("button")).focus();
    if (made) home.dispatchEvent(new CustomEvent("deployment-made", { bubbles: true, detail: made }));
  });
  dialog.showModal();
  window.htmx.process(dialog);
  (dialog.querySelector("#new-model") ?? dialog.querySelector("[data-close]"))?.focus();
}

/** Its style sheets are there; or it has been long enough. */
function styled(dialog) {
  const sheets = [...dialog.querySelectorAll("link")].filter((sheet) => !sheet.sheet);
  const loads = sheets.map((sheet) => new Promise((done) => (sheet.onload = sheet.onerror = done)));
  return Promise.race([Promise.all(loads), new Promise((done) => setTimeout(done, 1000))]);
}
