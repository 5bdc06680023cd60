/* How predictions are looked at: the threshold, how opaque they are, in which order concepts stand. */
import { announce } from "../announce.js";
import { saveView } from "./targets.js";

const DEFAULT_THRESHOLD = 0.2;

export class Sliders {
  #viewer;
  #changed;
  #said = 0;

  /** `changed()` hears of each change. */
  constructor(viewer, changed) {
    this.#viewer = viewer;
    this.#changed = changed;
    const [range, number] = [this.#part("threshold"), this.#part("threshold-number")];
    range.addEventListener("input", () => this.setThreshold(Number(range.value)));
    number.addEventListener("change", () => this.setThreshold(Number(number.value)));
    this.#part("opacity").addEventListener("input", (event) => this.#setOpacity(Number(event.target.value)));
    this.#part("order").addEventListener("change", (event) => this.set({ order: event.target.value }));
    this.#write();
  }

  #part(name) {
    return this.#viewer.querySelector(`[data-${name}]`);
  }

  get #view() {
    return this.#viewer.view;
  }

  set(changes) {
    Object.assign(this.#view, changes);
    saveView(this.#viewer.input.user, this.#view);
    this.#write();
    this.#changed();
  }

  setThreshold(value) {
    const threshold = Math.round(Math.min(Math.max(value || 0, 0), 1) * 100) / 100;
    this.set({ threshold });
    clearTimeout(this.#said);
    this.#said = setTimeout(() => announce(`Threshold ${threshold.toFixed(2)}. ${this.#part("count").textContent}`), 600);
  }

  stepThreshold(by) {
    this.setThreshold(this.#view.threshold + by);
  }

  #setOpacity(value) {
    this.set({ opacity: Math.round(Math.min(Math.max(value, 0.1), 1) * 100) / 100 });
  }

  stepOpacity(by) {
    this.#setOpacity(this.#view.opacity + by);
    announce(`Opacity ${Math.round(this.#view.opacity * 100)} %`);
  }

  #write() {
    const { threshold, opacity, order } = this.#view;
    const range = this.#part("threshold");
    range.value = threshold;
    range.style.setProperty("--fill", `calc(${threshold} * (100% - 1rem) + 0.5rem)`);
    this.#part("threshold-number").value = threshold.toFixed(2);
    this.#part("threshold-tick").style.setProperty("--at", DEFAULT_THRESHOLD);
    const opaque = this.#part("opacity");
    opaque.value = opacity;
    opaque.style.setProperty("--fill", `calc(${(opacity - 0.1) / 0.9} * (100% - 1rem) + 0.5rem)`);
    this.#part("opacity-words").textContent = `${Math.round(opacity * 100)}\u00a0%`;
    this.#part("order").value = order;
  }
}
