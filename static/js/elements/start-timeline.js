/* The timeline of a start: its seconds and its bar go on between the server's words, and each stage is said once. */
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
    const bar = this.querySelector("[data-usual]");
    const taken = Number(bar?.closest("li").querySelector("[data-ticks]").dataset.ticks);
    this.#timer = setInterval(() => {
      const passed = performance.now() - began;
      for (const node of ticking) node.textContent = duration(Number(node.dataset.ticks) * 1000 + passed);
      if (bar) bar.value = percent((taken + passed / 1000) / Number(bar.dataset.usual));
    }, 100);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }
}

/** Slows towards 95 and never says 100, as on the server. */
function percent(share) {
  return 100 * (share < 0.7 ? share : 0.95 - 0.25 * Math.exp(-4 * (share - 0.7)));
}

customElements.define("start-timeline", StartTimeline);
