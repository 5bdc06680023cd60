/* The way to the tab API: takes along what the form holds, and where it would go. */
import { saveAsked } from "../state/asked.js";

const PLACE = ["deployment", "owner", "cluster", "nodepool"];

class ApiLink extends HTMLElement {
  connectedCallback() {
    // Before a press is a click: it may open another tab, or a menu that does.
    for (const kind of ["pointerdown", "click"]) this.addEventListener(kind, this.#leave);
    document.addEventListener("visibilitychange", this.#leave);
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#leave);
  }

  #leave = () => {
    const page = document.querySelector("play-page");
    if (!page?.asked) return;
    const { user, model, version } = page.dataset;
    const { method, ...asked } = page.asked;
    saveAsked([user, model, method].join(":"), asked);
    const link = this.querySelector("a");
    const address = new URL(link.href);
    for (const name of PLACE) address.searchParams.delete(name);
    // Shared is said too: the run may have gone elsewhere.
    const place = document.querySelector("deployment-picker")?.dataset.query || "deployment=";
    for (const [name, value] of new URLSearchParams(place)) address.searchParams.set(name, value);
    if (method) address.searchParams.set("method", method);
    if (version) address.searchParams.set("version", version);
    if (asked.run) address.searchParams.set("run", asked.run);
    else address.searchParams.delete("run");
    link.href = address.href;
  };
}

customElements.define("api-link", ApiLink);
