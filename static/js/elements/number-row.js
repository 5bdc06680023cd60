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
    this.#mark(-1);
    if (this.isEmpty) return { isMissing: true };
    const results = this.raw.map((text) => readNumber({ type: "float", low: null, high: null }, text.trim()));
    const wrong = results.findIndex((result) => result.error);
    if (wrong < 0) return { value: results.map((result) => result.value) };
    this.#mark(wrong);
    return { error: `${spec.labels[wrong]}: ${this.raw[wrong].trim() ? results[wrong].error : "a number is needed here too."}` };
  }

  #mark(wrong) {
    this.#inputs.forEach((input, position) => {
      if (position === wrong) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    });
  }

  reveal() {
    const wrong = this.#inputs.find((input) => input.hasAttribute("aria-invalid"));
    (wrong ?? this.#inputs[0]).focus();
  }
}

customElements.define("number-row", NumberRow);
