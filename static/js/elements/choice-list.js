/* A list whose items are chosen from a few. */
import { readChosen } from "../state/values.js";

class ChoiceList extends HTMLElement {
  get #boxes() {
    return [...this.querySelectorAll("input")];
  }

  get raw() {
    return this.#boxes.filter((box) => box.checked).map((box) => box.value);
  }

  set raw(chosen) {
    for (const box of this.#boxes) box.checked = (chosen ?? []).includes(box.value);
  }

  set plain(values) {
    this.raw = (values ?? []).map((value) => String(value?.text ?? value?.number ?? value));
  }

  get isEmpty() {
    return !this.raw.length;
  }

  check(spec) {
    if (this.isEmpty && !spec.required && !Array.isArray(spec.default)) return { isMissing: true };
    return { value: this.raw.map((text) => readChosen(spec.of, text).value) };
  }

  reveal() {
    this.#boxes[0]?.focus();
  }
}

customElements.define("choice-list", ChoiceList);
