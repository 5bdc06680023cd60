/* The way to the tab API: takes along what the form holds, and what the address says by then. */
import { saveAsked } from "../state/asked.js";

const KEPT = ["method", "deployment", "owner", "cluster", "nodepool", "run"];

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
    const now = new URLSearchParams(location.search);
    for (const name of KEPT) {
      if (now.has(name)) address.searchParams.set(name, now.get(name));
      else address.searchParams.delete(name);
    }
    if (method) address.searchParams.set("method", method);
    if (version) address.searchParams.set("version", version);
    if (asked.run) address.searchParams.set("run", asked.run);
    link.href = address.href;
  };
}

customElements.define("api-link", ApiLink);
