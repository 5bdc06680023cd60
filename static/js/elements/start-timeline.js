/* The timeline of a start: its seconds go on between the server's words, and each stage is said once. */
import { announce } from "../announce.js";
import { duration } from "../format.js";

const said = new Map();

class StartTimeline extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    const { key, stage } = this.dataset;
    if (said.has(key) && said.get(key) !== stage) announce(stage || this.querySelector("h2").textContent.trim());
    said.set(key, stage);
    const began = performance.now();
    const ticking = [...this.querySelectorAll("[data-ticks]")];
    if (!ticking.length) return;
    this.#timer = setInterval(() => {
      for (const node of ticking) node.textContent = duration(Number(node.dataset.ticks) * 1000 + performance.now() - began);
    }, 100);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }
}

customElements.define("start-timeline", StartTimeline);
