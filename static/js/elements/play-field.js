/* One argument of a method: its control, its hint, and the message beside it when the value does not fit. */
import { read, toText } from "../state/values.js";

class PlayField extends HTMLElement {
  #isTouched = false;
  #spec = null;

  connectedCallback() {
    this.addEventListener("input", this.#changed);
    this.addEventListener("change", this.#changed);
    this.addEventListener("focusout", this.#left);
    this.querySelector("[data-track]")?.addEventListener("input", this.#slid);
    this.querySelector("[data-from-file]")?.addEventListener("click", () => this.querySelector("[data-text-file]").click());
    this.querySelector("[data-text-file]")?.addEventListener("change", this.#readFile);
    if (this.spec.kind === "number") this.#input.addEventListener("keydown", this.#step);
    this.addEventListener("click", this.#useSample);
    this.#show();
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

  get #input() {
    return this.querySelector("[data-input]");
  }

  get #media() {
    return this.querySelector("media-input");
  }

  /** What stands in the control, in a form that a draft can keep. */
  get raw() {
    if (this.#media) return this.#media.value;
    return this.spec.kind === "switch" ? this.#input.checked : this.#input.value;
  }

  set raw(value) {
    if (this.#media) this.#media.value = value ?? null;
    else if (this.spec.kind === "switch") this.#input.checked = Boolean(value);
    else this.#input.value = value ?? "";
    this.#show();
  }

  /** Put in a plain value, as a run keeps it. */
  set plain(value) {
    if (this.#media || this.spec.kind === "switch") this.raw = value;
    else this.raw = toText(this.spec, value);
  }

  reset() {
    const { defaultText = "", kind } = this.spec;
    this.raw = kind === "switch" ? defaultText === "true" : this.#media ? null : defaultText;
    this.showError("");
  }

  get isChanged() {
    const { defaultText = "", kind } = this.spec;
    if (kind === "switch") return this.raw !== (defaultText === "true");
    return !this.#media && this.raw !== defaultText;
  }

  /** {value} | {isMissing} | {error}; the error is shown beside the field. */
  check() {
    const result = this.#media?.isBusy ? { error: "The upload is not finished yet." } : read(this.spec, this.raw);
    this.#isTouched = true;
    this.showError(result.error ?? "");
    return result;
  }

  showError(message) {
    const element = this.querySelector("[data-error]");
    element.querySelector("span").textContent = message;
    element.hidden = !message;
    const control = this.#input ?? this.#media;
    if (message) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }

  reveal() {
    const fold = this.closest("details");
    if (fold) fold.open = true;
    const target = this.#input ?? this.querySelector("button");
    target.focus();
    this.scrollIntoView({ block: "nearest" });
  }

  #changed = (event) => {
    if (event.target.matches("[data-text-file], [data-track]")) return;
    if (this.#isTouched) this.check();
    this.#show();
    this.#tell();
  };

  #left = (event) => {
    if (!event.target.matches("[data-input]") || this.spec.kind === "switch") return;
    const hasText = this.#input.value.trim();
    if (hasText) this.check();
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

  #readFile = async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    if (file.size > 2_000_000) {
      this.showError("This file is too large for a text: 2 MB at most.");
      return;
    }
    this.raw = await file.text();
    this.check();
    this.#tell();
  };

  #useSample = (event) => {
    const sample = event.target.closest("[data-sample]");
    if (!sample || !this.#media) return;
    this.#media.value = { media: sample.dataset.sample, content_type: sample.dataset.contentType, name: sample.dataset.name };
    this.showError("");
    this.#show();
    this.#tell();
  };

  /** What follows from the value: slider, switch's word, "changed", the chosen sample. */
  #show() {
    const track = this.querySelector("[data-track]");
    if (track) this.#showTrack(track);
    const word = this.querySelector("[data-word]");
    if (word) word.textContent = this.raw ? "On" : "Off";
    const tag = this.querySelector("[data-changed]");
    if (tag) tag.hidden = !this.isChanged;
    for (const sample of this.querySelectorAll("[data-sample]")) {
      sample.setAttribute("aria-pressed", String(sample.dataset.sample === this.#media?.value?.media));
    }
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
