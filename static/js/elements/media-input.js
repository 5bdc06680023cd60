/* A picture, sound, film or file: chosen, dropped, pasted, recorded, by URL or from the samples; uploaded in parts. */
import { icon, make } from "../dom.js";
import { bytes } from "../format.js";
import { readNpyHead, sizeWords } from "../state/arrays.js";
import { mediaUrl } from "../state/media.js";
import { read } from "../state/values.js";
import { upload } from "../transport/upload.js";

const WORDS = { image: "picture", audio: "sound", video: "film" };

class MediaInput extends HTMLElement {
  #value = null;
  #upload = null;
  #preview = "";
  #recording = null;

  connectedCallback() {
    this.#part("file").addEventListener("change", this.#chosen);
    this.#part("choose").addEventListener("click", () => this.#part("file").click());
    this.#part("clear").addEventListener("click", this.#cleared);
    this.#part("capture")?.addEventListener("click", this.#capture);
    this.#part("by-url")?.addEventListener("click", this.#toggleUrl);
    this.#part("use-url")?.addEventListener("click", this.#useUrl);
    this.#part("url")?.addEventListener("keydown", (event) => event.key === "Enter" && this.#useUrl(event));
    for (const kind of ["dragenter", "dragover"]) this.addEventListener(kind, this.#over);
    for (const kind of ["dragleave", "drop"]) this.addEventListener(kind, this.#out);
    this.addEventListener("drop", this.#dropped);
    document.addEventListener("paste", this.#pasted);
    if (this.dataset.value) this.raw = JSON.parse(this.dataset.value);
    this.#part("file").multiple = this.#isOneOfMany;
  }

  disconnectedCallback() {
    document.removeEventListener("paste", this.#pasted);
    this.#recording?.close();
    this.#upload?.abort();
    this.#forgetPreview();
  }

  get raw() {
    return this.#value;
  }

  set raw(plain) {
    this.#upload?.abort();
    this.#upload = null;
    this.#value = plain;
    this.#forgetPreview();
    this.#draw();
  }

  set plain(value) {
    this.raw = value;
  }

  get isEmpty() {
    return this.#value === null && !this.isBusy;
  }

  get isBusy() {
    return this.#upload !== null;
  }

  check(spec) {
    if (this.#recording) return { error: "The recording is not finished yet." };
    return this.isBusy ? { error: "The upload is not finished yet." } : read(spec, this.#value);
  }

  reveal() {
    this.#part(this.isEmpty ? "choose" : "clear").focus();
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  get #page() {
    return this.closest("[data-uploads-url]");
  }

  get #isOneOfMany() {
    return this.#field?.parentElement.matches(".group__item") ?? false;
  }

  #chosen = (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    event.stopPropagation();
    this.#takeAll(files);
  };

  /** The first is ours; in a list, the others become items of their own. */
  #takeAll([file, ...others]) {
    if (!file) return;
    this.take(file);
    if (others.length && this.#isOneOfMany) this.dispatchEvent(new CustomEvent("more-files", { detail: others, bubbles: true }));
  }

  #over = (event) => {
    event.preventDefault();
    this.classList.add("drop--over");
  };

  #out = (event) => {
    event.preventDefault();
    this.classList.remove("drop--over");
  };

  #dropped = (event) => {
    this.#takeAll([...event.dataTransfer.files]);
  };

  /** A file pasted anywhere on the page, not into another field, goes to the first one in view. */
  #pasted = (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (!file || !this.offsetParent || event.defaultPrevented) return;
    const all = [...document.querySelectorAll("media-input")].filter((entry) => entry.offsetParent);
    const wanted = document.activeElement?.closest("play-field")?.querySelector("media-input");
    if ((wanted ?? all.find((entry) => entry.mayTake(file)) ?? all[0]) !== this) return;
    event.preventDefault();
    this.take(file);
  };

  /** Whether the file looks like what is wanted here. */
  mayTake(file) {
    const { kind } = this.dataset;
    if (kind === "array") return file.name.endsWith(".npy");
    return kind === "file" || !file.type || file.type.startsWith(`${kind}/`);
  }

  #capture = async () => {
    const { Recording } = await import("../recording.js");
    const panel = this.#part("capturing");
    this.#field.showError("");
    const recording = new Recording(this.dataset.kind, panel);
    this.#recording = recording;
    this.#draw();
    try {
      const file = await recording.file;
      if (file) this.take(file);
    } catch (error) {
      this.#field.showError(error.message);
    } finally {
      if (this.#recording === recording) this.#recording = null;
      this.#draw();
    }
    if (this.isConnected) this.#part(this.isEmpty ? "capture" : "clear").focus();
  };

  #cleared = () => {
    this.raw = null;
    this.#tell();
    this.#part("choose").focus();
  };

  #toggleUrl = (event) => {
    const row = this.#part("url-row");
    row.hidden = !row.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!row.hidden));
    if (!row.hidden) this.#part("url").focus();
  };

  #useUrl = (event) => {
    event.preventDefault();
    const url = this.#part("url").value.trim();
    if (!/^https?:\/\/[^\s/]+/i.test(url)) {
      this.#field.showError("A URL that begins with http:// or https:// is needed.");
      return;
    }
    this.#field.showError("");
    this.raw = { url };
    this.#tell();
  };

  get #field() {
    return this.closest("play-field");
  }

  async take(file) {
    const { kind } = this.dataset;
    if (kind in WORDS && !this.mayTake(file)) {
      this.#field.showError(`${file.name} is no ${WORDS[kind]}.`);
      return;
    }
    const facts = kind === "array" ? await readNpyHead(file) : {};
    this.#field.showError(facts.error ?? "");
    if (facts.error) return;
    this.raw = null;
    const controller = new AbortController();
    this.#upload = controller;
    this.#preview = /^(image|audio|video)\//.test(file.type) ? URL.createObjectURL(file) : "";
    this.#draw(file);
    try {
      const stored = await upload(file, {
        url: this.#page.dataset.uploadsUrl,
        expect: kind in WORDS ? kind : "",
        signal: controller.signal,
        onProgress: (share) => (this.#part("progress").value = share),
      });
      if (this.#upload !== controller) return;
      this.#upload = null;
      this.#value = { media: stored.id, content_type: stored.content_type, name: stored.name };
      if (facts.dtype) this.#value.about = `${facts.dtype}, ${sizeWords(facts.shape)}`;
      this.#draw(stored);
      this.#tell();
    } catch (error) {
      if (this.#upload !== controller) return;
      this.raw = null;
      this.#tell();
      this.#field.showError(error.message);
    }
  }

  #draw(facts = {}) {
    const value = this.#value;
    const isFilled = value !== null || this.isBusy;
    this.#part("empty").hidden = isFilled || this.#recording !== null;
    this.#part("capturing").hidden = isFilled || this.#recording === null;
    this.#part("filled").hidden = !isFilled;
    this.classList.toggle("drop--filled", isFilled);
    this.#part("progress").hidden = !this.isBusy;
    if (!isFilled) return;
    this.#part("name").textContent = facts.name || value?.name || value?.url || "File";
    this.#part("meta").textContent = metaWords(facts, this.isBusy, value?.about);
    this.#part("stage").replaceChildren(this.#picture());
  }

  #picture() {
    const value = this.#value;
    const stored = value?.media ? mediaUrl(value.media) : "";
    const type = value?.content_type ?? "";
    const kind = type.split("/")[0] || this.dataset.kind;
    if (this.#preview || stored) {
      if (kind === "audio" || kind === "video") return player(this.dataset.kind in WORDS ? this.dataset.kind : kind, this.#preview || stored);
    }
    const source = this.#preview || stored || value?.url;
    if (!source || (kind !== "image" && this.dataset.kind !== "image")) return icon(value?.url ? "link" : "file");
    const image = Object.assign(make("img"), { referrerPolicy: "no-referrer", src: source, alt: "" });
    image.addEventListener("error", () => image.replaceWith(icon(value?.url ? "link" : "image")));
    return image;
  }

  #forgetPreview() {
    if (this.#preview) URL.revokeObjectURL(this.#preview);
    this.#preview = "";
  }

  #tell() {
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function player(kind, source) {
  return Object.assign(make(kind), { src: source, controls: true, preload: "metadata", ariaLabel: "What was given" });
}

function metaWords({ width, height, size }, isBusy, about) {
  const parts = about ? [about] : [];
  if (isBusy) parts.push("Uploading");
  if (width && height) parts.push(`${width} × ${height}`);
  if (size) parts.push(bytes(size));
  return parts.join(" · ");
}

customElements.define("media-input", MediaInput);
