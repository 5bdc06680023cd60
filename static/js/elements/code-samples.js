/* A call as code: for what the form held when its page was left, in the language that was chosen. */
import { onAsked, readAsked } from "../state/asked.js";

class CodeSamples extends HTMLElement {
  #forget = null;

  connectedCallback() {
    this.addEventListener("click", this.#choose);
    this.#forget = onAsked(() => this.#fill());
    this.#fill();
  }

  disconnectedCallback() {
    this.#forget?.();
  }

  /** The arguments of a run that the address names, else of another call, are not those of the form. */
  #fill() {
    const asked = readAsked(this.dataset.for);
    if (!asked || (this.dataset.run && asked.run !== this.dataset.run)) return;
    window.htmx.ajax("POST", this.dataset.codeUrl + location.search, {
      source: this,
      target: this.querySelector("#code"),
      swap: "innerHTML",
      values: { arguments: JSON.stringify(asked.arguments) },
    });
  }

  #choose = (event) => {
    const link = event.target.closest("[data-language]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    for (const other of this.querySelectorAll("[data-language]")) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    for (const part of this.querySelectorAll("[data-snippet]")) part.hidden = part.dataset.snippet !== link.dataset.language;
    history.replaceState(null, "", link.href);
    for (const other of this.querySelectorAll(".menu__item")) {
      const address = new URL(other.href);
      address.searchParams.set("code", link.dataset.language);
      other.href = address.href;
    }
  };
}

customElements.define("code-samples", CodeSamples);
