/* Usage side by side, kept right in place while somebody looks at it. */
import { morph } from "../table/morph.js";

const POLL_MS = 3000;

class CompareLive extends HTMLElement {
  #timer = 0;
  #isAsking = false;

  connectedCallback() {
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  async #poll() {
    if (document.visibilityState !== "visible" || this.#isAsking) return;
    this.#isAsking = true;
    const query = new URLSearchParams(location.search);
    query.set("part", "1");
    const answer = await fetch(`${location.pathname}?${query}`).catch(() => null);
    this.#isAsking = false;
    if (!answer?.ok || answer.redirected) return;
    const fresh = this.cloneNode(false);
    fresh.innerHTML = await answer.text();
    for (const open of this.querySelectorAll("details[open]")) fresh.querySelector(`#${open.id}`)?.setAttribute("open", "");
    morph(this, fresh);
  }
}

customElements.define("compare-live", CompareLive);
