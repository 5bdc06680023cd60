/* A fixed row of numbers that belong together, like the edges of a box: all of them, or none. */
import { readNumber } from "../state/values.js";

class NumberRow extends HTMLElement {
  get #inputs() {
    return [...this.querySelectorAll("input")];
  }

  get raw() {
    return this.#inputs.map((input) => input.value);
  }

  set raw(texts) {
    this.#inputs.forEach((input, position) => (input.value = texts?.[position] ?? ""));
  }

  set plain(values) {
    this.raw = (values?.tuple ?? values ?? []).map((value) => String(value?.number ?? value));
  }

  get isEmpty() {
    return this.raw.every((text) => !text.trim());
  }

  check(spec) {
    if (this.isEmpty) return { isMissing: true };
    const results = this.raw.map((text) => readNumber({ type: "float", low: null, high: null }, text.trim()));
    const wrong = results.findIndex((result) => result.error);
    if (wrong < 0) return { value: results.map((result) => result.value) };
    return { error: `${spec.labels[wrong]}: ${this.raw[wrong].trim() ? results[wrong].error : "a number is needed here too."}` };
  }

  reveal() {
    this.#inputs[0].focus();
  }
}

customElements.define("number-row", NumberRow);
