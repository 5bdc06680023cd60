/* One argument of a method, or a part of one: its control, its hint, and the message beside it when it does not fit. */
import { read, toText } from "../state/values.js";

const TEXT_LIMIT = 2_000_000;

// A message that appears while a button is pressed would move the button away from under the pointer.
let isPressed = false;
addEventListener("pointerdown", () => (isPressed = true), true);
for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, () => (isPressed = false), true);

class PlayField extends HTMLElement {
  #isTouched = false;
  #spec = null;
  #untouched = null;

  connectedCallback() {
    this.addEventListener("input", this.#changed);
    this.addEventListener("change", this.#changed);
    this.addEventListener("focusout", this.#left);
    this.addEventListener("field-change", this.#partChanged);
    this.addEventListener("click", this.#clicked);
    if (this.#box) this.#fill();
    else this.#listen();
    this.#show();
  }

  #listen() {
    this.querySelector("[data-track]")?.addEventListener("input", this.#slid);
    this.querySelector("[data-text-file]")?.addEventListener("change", this.#readChosen);
    if (this.spec.kind === "number") this.#input.addEventListener("keydown", this.#step);
    if (!["text", "json"].includes(this.spec.kind)) return;
    for (const kind of ["drop", "paste"]) this.#input.addEventListener(kind, this.#readGiven);
  }

  /** A control of several parts begins with its default, by which a change is told; then has the value it was given. */
  #fill() {
    customElements.upgrade(this);
    if (this.isSetting) {
      this.reset();
      this.#untouched = this.#written;
    }
    if (this.dataset.value) this.plain = JSON.parse(this.dataset.value);
    delete this.dataset.value;
  }

  get spec() {
    this.#spec ??= JSON.parse(this.dataset.spec);
    return this.#spec;
  }

  get name() {
    return this.spec.name;
  }

  get method() {
    return this.dataset.method;
  }

  get isSetting() {
    return "setting" in this.dataset;
  }

  get isItem() {
    return "item" in this.dataset;
  }

  /** Whether it stands inside another field. */
  get isPart() {
    return this.parentElement.closest("play-field") !== null;
  }

  get isSecret() {
    return this.spec.kind === "secret";
  }

  get isWrong() {
    return this.querySelector('[aria-invalid="true"]') !== null;
  }

  /** The element that is its control, where that is more than one input. */
  get #box() {
    return this.querySelector(":scope > [data-control]");
  }

  get #input() {
    return this.querySelector("[data-input]");
  }

  /** The box that says that a text is the address of one. */
  get #asUrl() {
    return this.#box ? null : this.querySelector("[data-as-url]");
  }

  /** What stands in the control, in a form that can be put back. */
  get raw() {
    if (this.#box) return this.#box.raw;
    if (this.#asUrl?.checked) return { url: this.#input.value };
    return this.spec.kind === "switch" ? this.#input.checked : this.#input.value;
  }

  set raw(value) {
    if (this.#box) this.#box.raw = value ?? null;
    else if (this.spec.kind === "switch") this.#input.checked = Boolean(value);
    else this.#input.value = value?.url ?? value ?? "";
    if (this.#asUrl) this.#asUrl.checked = typeof value?.url === "string";
    this.querySelector(":scope > json-editor")?.refresh();
    this.#show();
  }

  /** The same for a draft: of a secret, nothing. */
  get draft() {
    if (this.isSecret) return undefined;
    return this.#box && "draft" in this.#box ? this.#box.draft : this.raw;
  }

  /** Put in a plain value, as a run keeps it. */
  set plain(value) {
    if (this.#box) {
      this.#box.plain = value ?? null;
      this.#show();
    } else if (this.#asUrl && value?.url && !value.text) this.raw = { url: value.url };
    else this.raw = this.spec.kind === "switch" ? value : toText(this.spec, value);
  }

  reset() {
    const { default: value = null, defaultText = "", kind } = this.spec;
    if (this.#box) this.plain = value;
    else this.raw = kind === "switch" ? defaultText === "true" : defaultText;
    this.showError("");
  }

  get isChanged() {
    const { defaultText = "", kind } = this.spec;
    if (kind === "switch") return this.raw !== (defaultText === "true");
    return this.#box ? this.#untouched !== null && this.#untouched !== this.#written : this.raw !== defaultText;
  }

  get isEmpty() {
    if (this.#box) return this.#box.isEmpty;
    return this.spec.kind !== "switch" && !this.#input.value.trim();
  }

  get #written() {
    return JSON.stringify(this.raw);
  }

  /** {value} | {isMissing} | {error}; the error is shown beside the field. */
  check() {
    const result = this.#box ? this.#box.check(this.spec) : read(this.spec, this.raw);
    this.#isTouched = true;
    this.showError(result.isInside ? "" : (result.error ?? ""));
    return result;
  }

  /** The same while nobody is told: no error is shown, and of a secret it says no more than that there is one. */
  peek() {
    if (this.isSecret) return this.raw ? { value: "" } : { isMissing: true };
    if (!this.#box) return read(this.spec, this.raw);
    return this.#box.peek ? this.#box.peek() : this.#box.check(this.spec);
  }

  showError(message) {
    const element = this.querySelector(":scope > [data-error]");
    element.querySelector("span").textContent = message;
    element.hidden = !message;
    const control = this.#box ?? this.#input;
    if (message) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }

  reveal() {
    for (let fold = this.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    if (this.#box?.reveal) this.#box.reveal();
    else this.#input.focus();
    this.scrollIntoView({ block: "nearest" });
  }

  /** Take a file: a picture or the like as it is, a text's words. */
  take(file) {
    if (this.#box?.take) this.#box.take(file);
    else this.#readFile(file);
  }

  #isOwn(event) {
    return event.target.closest("play-field") === this;
  }

  #changed = (event) => {
    if (!this.#isOwn(event) || event.target.matches("[data-text-file], [data-track]")) return;
    if (this.#isTouched) this.check();
    this.#show();
    this.#tell();
  };

  /** What was wrong with the whole may be right now; the parts speak for themselves. */
  #partChanged = (event) => {
    if (event.target === this) return;
    this.showError("");
    this.#showChanged();
  };

  #left = (event) => {
    if (!this.#isOwn(event) || this.spec.kind === "switch" || !event.target.matches("[data-input]")) return;
    if (!this.#input.value.trim()) return;
    if (isPressed) addEventListener("pointerup", () => setTimeout(() => this.isConnected && this.check()), { once: true });
    else this.check();
  };

  #slid = (event) => {
    this.#input.value = String(Number(Number(event.target.value).toPrecision(10)));
    this.showError("");
    this.#show();
    this.#tell();
  };

  #step = (event) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const now = Number(this.#input.value);
    if (!direction || Number.isNaN(now)) return;
    event.preventDefault();
    const { low, high, type } = this.spec;
    const step = Number(this.querySelector("[data-track]")?.step) || (type === "int" ? 1 : 0.1);
    const to = Math.min(Math.max(now + direction * step * (event.shiftKey ? 10 : 1), low ?? -Infinity), high ?? Infinity);
    this.raw = String(Number(to.toPrecision(10)));
    this.showError("");
    this.#tell();
  };

  #clicked = (event) => {
    if (!this.#isOwn(event)) return;
    const act = event.target.closest("[data-sample], [data-from-file], [data-paste], [data-reveal]");
    if (!act) return;
    if ("sample" in act.dataset) this.#useSample(act.dataset);
    else if ("fromFile" in act.dataset) this.querySelector("[data-text-file]").click();
    else if ("paste" in act.dataset) this.#paste();
    else this.#reveal(act);
  };

  #readChosen = (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) this.#readFile(file);
  };

  /** A file that is dropped on a text, or pasted into it, is read. */
  #readGiven = (event) => {
    const [file] = (event.dataTransfer ?? event.clipboardData)?.files ?? [];
    if (!file) return;
    event.preventDefault();
    this.#readFile(file);
  };

  async #readFile(file) {
    if (file.size > TEXT_LIMIT) {
      this.showError(`${file.name} is too large for a text: 2 MB at most.`);
      return;
    }
    const text = await file.text();
    if (text.includes("\0")) {
      this.showError(`${file.name} is no text.`);
      return;
    }
    this.raw = text;
    this.check();
    this.#tell();
  }

  async #paste() {
    try {
      const text = await navigator.clipboard.readText();
      this.#input.focus();
      this.#input.setRangeText(text, this.#input.selectionStart, this.#input.selectionEnd, "end");
      this.#input.dispatchEvent(new Event("input", { bubbles: true }));
    } catch {
      this.showError("The browser does not let this page read the clipboard. Paste with the keyboard instead.");
      this.#input.focus();
    }
  }

  #reveal(act) {
    const isShown = this.#input.type === "password";
    this.#input.type = isShown ? "text" : "password";
    act.textContent = isShown ? "Hide" : "Show";
    act.setAttribute("aria-pressed", String(isShown));
  }

  #useSample({ sample, contentType, name }) {
    this.#box.raw = { media: sample, content_type: contentType, name };
    this.showError("");
    this.#show();
    this.#tell();
  }

  /** What follows from the value: slider, switch's word, "changed", the chosen sample. */
  #show() {
    const box = this.#box;
    this.#showChanged();
    if (box) {
      for (const sample of this.querySelectorAll(":scope > .samples > [data-sample]")) {
        sample.setAttribute("aria-pressed", String(sample.dataset.sample === box.raw?.media));
      }
      return;
    }
    const track = this.querySelector("[data-track]");
    if (track) this.#showTrack(track);
    const word = this.querySelector("[data-word]");
    if (word) word.textContent = this.raw ? "On" : "Off";
  }

  #showChanged() {
    const tag = this.querySelector(":scope > .field__head > [data-changed]");
    if (tag) tag.hidden = !this.isChanged;
  }

  #showTrack(track) {
    const number = Number(this.#input.value);
    if (!Number.isNaN(number) && this.#input.value.trim()) track.value = String(number);
    const low = Number(track.min);
    const span = Number(track.max) - low;
    const share = (Number(track.value) - low) / span;
    track.style.setProperty("--fill", `calc(${share} * (100% - 1rem) + 0.5rem)`);
    const tick = this.querySelector("[data-tick]");
    const fallback = Number(this.spec.defaultText);
    tick.hidden = !this.spec.defaultText || Number.isNaN(fallback);
    tick.style.setProperty("--at", Math.min(Math.max((fallback - low) / span, 0), 1));
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("field-change", { bubbles: true }));
  }
}

customElements.define("play-field", PlayField);
