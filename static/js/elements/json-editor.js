/* JSON while it is written: what it is so far, where it stops being JSON, and put in order on demand. */
import { plural } from "../format.js";
import { parseJson, writeJson } from "../state/json.js";
import "../state/json-values.js";

const LARGE = 200_000;

class JsonEditor extends HTMLElement {
  #timer = 0;
  #mistake = null;

  connectedCallback() {
    this.addEventListener("input", this.#soon);
    this.addEventListener("keydown", this.#keys);
    this.#part("tidy").addEventListener("click", this.#tidy);
    this.#part("status").addEventListener("mousedown", this.#goThere);
    this.refresh();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  get #input() {
    return this.querySelector("textarea");
  }

  #soon = () => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh(), this.#input.value.length > LARGE ? 600 : 120);
  };

  /** Says again what stands there. */
  refresh() {
    const text = this.#input.value;
    const status = this.#part("status");
    const { value, mistake = null } = text.trim() ? parseJson(text) : {};
    this.#mistake = mistake;
    this.#part("tidy").hidden = !text.trim() || Boolean(mistake);
    status.classList.toggle("editor__mistake", Boolean(mistake));
    if (mistake) status.textContent = `Line ${mistake.line}, column ${mistake.column}: ${mistake.words}`;
    else status.textContent = text.trim() ? kindWords(value) : "";
  }

  /** The caret goes to the mistake, the focus stays. */
  #goThere = (event) => {
    if (!this.#mistake) return;
    event.preventDefault();
    this.#input.focus();
    this.#input.setSelectionRange(this.#mistake.at, Math.min(this.#mistake.at + 1, this.#input.value.length));
  };

  #tidy = () => {
    const { value, mistake } = parseJson(this.#input.value);
    if (mistake) return;
    this.#input.value = writeJson(value);
    this.#input.dispatchEvent(new Event("input", { bubbles: true }));
  };

  /** A new line begins where the last one did, one step deeper after an opening bracket. */
  #keys = (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    const { value, selectionStart, selectionEnd } = this.#input;
    const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
    const indent = /^\s*/.exec(line)[0] + (/[[{]\s*$/.test(line) ? "  " : "");
    if (!indent || selectionStart !== selectionEnd) return;
    event.preventDefault();
    this.#input.setRangeText(`\n${indent}`, selectionStart, selectionEnd, "end");
    this.#input.dispatchEvent(new Event("input", { bubbles: true }));
  };
}

function kindWords(value) {
  if (Array.isArray(value)) return `A list of ${plural(value.length, "item")}`;
  if (value !== null && typeof value === "object") return `An object of ${plural(Object.keys(value).length, "entry").replace("entrys", "entries")}`;
  return value === null ? "null" : `A ${typeof value}`;
}

customElements.define("json-editor", JsonEditor);
