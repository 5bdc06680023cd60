/* A value of several parts: a record, a tuple, a concept, region or frame; it may be left out where null is a value. */
import { unwrap, wrap } from "../state/values.js";

export class FieldBox extends HTMLElement {
  #isGiven = null;

  connectedCallback() {
    this.addEventListener("click", this.#clicked);
  }

  get field() {
    return this.closest("play-field");
  }

  /** The fields right inside, not those inside of them. */
  get parts() {
    return [...this.querySelectorAll("play-field")].filter((part) => part.parentElement.closest("field-group, field-list") === this);
  }

  get isGiven() {
    return this.#isGiven ?? !("optional" in this.dataset);
  }

  set isGiven(wanted) {
    if (!("optional" in this.dataset)) return;
    this.#isGiven = wanted;
    this.own("present").hidden = !wanted;
    this.own("absent").hidden = wanted;
    this.own("leave-out").hidden = !wanted;
  }

  own(name) {
    return [...this.querySelectorAll(`[data-${name}]`)].find((part) => this.owns(part));
  }

  owns(part) {
    return part.closest("field-group, field-list") === this;
  }

  tell() {
    this.dispatchEvent(new CustomEvent("field-change", { bubbles: true }));
  }

  /** Where the keyboard goes: the first part that is wrong, or the first of all. */
  reveal() {
    const parts = this.isGiven ? this.parts : [];
    const wrong = parts.find((part) => part.isWrong) ?? parts[0];
    if (wrong) wrong.reveal();
    else this.own(this.isGiven ? "add" : "give")?.focus();
  }

  #clicked = (event) => {
    const give = event.target.closest("[data-give], [data-leave-out]");
    if (!give || !this.owns(give)) return;
    this.isGiven = "give" in give.dataset;
    this.field.showError("");
    this.reveal();
    this.tell();
  };
}

class FieldGroup extends FieldBox {
  get raw() {
    return this.isGiven ? this.#collect((part) => part.raw) : null;
  }

  set raw(value) {
    this.isGiven = value !== null && value !== undefined;
    for (const part of this.parts) if (value && part.name in value) part.raw = value[part.name];
  }

  get draft() {
    return this.isGiven ? this.#collect((part) => part.draft) : null;
  }

  set plain(value) {
    this.isGiven = value !== null && value !== undefined;
    const given = unwrap(this.field.spec.type, value);
    for (const part of this.parts) {
      if (given[part.name] !== undefined && given[part.name] !== null) part.plain = given[part.name];
      else part.reset();
    }
  }

  check(spec) {
    return this.#read(spec, (part) => part.check());
  }

  peek() {
    return this.#read(this.field.spec, (part) => (part.isSecret ? { value: "" } : part.peek()));
  }

  #read(spec, readPart) {
    if (!this.isGiven) return { isMissing: true };
    const results = this.parts.map((part) => [part.name, readPart(part)]);
    if (results.some(([, result]) => result.error)) return { error: "Some parts do not fit.", isInside: true };
    const given = results.filter(([, result]) => "value" in result).map(([name, result]) => [name, result.value]);
    return { value: wrap(spec.type, Object.fromEntries(given)) };
  }

  get isEmpty() {
    return this.parts.every((part) => part.isEmpty);
  }

  #collect(what) {
    return Object.fromEntries(this.parts.map((part) => [part.name, what(part)]).filter(([, value]) => value !== undefined));
  }
}

customElements.define("field-group", FieldGroup);
