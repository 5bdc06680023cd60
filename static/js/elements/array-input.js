/* An array of numbers: written out as nested lists, or a .npy file. */
import { shapeOf, sizeWords } from "../state/arrays.js";
import { parseJson } from "../state/json.js";
import "../state/json-values.js";
import { read, toText } from "../state/values.js";
import "./media-input.js";

class ArrayInput extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", () => this.#show());
    this.addEventListener("change", () => this.#show());
    this.#show();
  }

  get #media() {
    return this.querySelector("media-input");
  }

  get #input() {
    return this.querySelector("textarea");
  }

  get raw() {
    return this.#media.raw ?? this.#input.value;
  }

  set raw(value) {
    const isFile = value !== null && typeof value === "object";
    this.#media.raw = isFile ? value : null;
    this.#input.value = isFile ? "" : (value ?? "");
    this.#show();
  }

  set plain(value) {
    const stored = value?.ndarray?.media ? { media: value.ndarray.media, name: "array.npy" } : value?.media && value;
    this.raw = stored || toText({ kind: "array" }, value);
  }

  get isEmpty() {
    return this.#media.isEmpty && !this.#input.value.trim();
  }

  check(spec) {
    if (!this.#media.isEmpty) return this.#media.check({ kind: "file" });
    return read(spec, this.#input.value);
  }

  reveal() {
    if (this.#media.isEmpty) this.#input.focus();
    else this.#media.reveal();
  }

  take(file) {
    this.#media.take(file);
  }

  #show() {
    this.querySelector("[data-written]").hidden = !this.#media.isEmpty;
    this.#media.hidden = Boolean(this.#input.value.trim());
    this.querySelector("[data-status]").textContent = this.#words();
  }

  #words() {
    const text = this.#input.value;
    if (!text.trim() || text.length > 1_000_000) return "";
    const { value, mistake } = parseJson(text);
    if (mistake) return `Line ${mistake.line}, column ${mistake.column}: ${mistake.words}`;
    const { shape, error } = shapeOf(value);
    return error ?? `Shape: ${sizeWords(shape)}`;
  }
}

customElements.define("array-input", ArrayInput);
