/* A picture or file: chosen, dropped, pasted, by URL or from the samples; uploaded in parts. Its value is plain. */
import { icon, make } from "../dom.js";
import { bytes } from "../format.js";
import { mediaUrl } from "../state/media.js";
import { upload } from "../transport/upload.js";

class MediaInput extends HTMLElement {
  #value = null;
  #upload = null;
  #preview = "";

  connectedCallback() {
    this.#part("file").addEventListener("change", this.#chosen);
    this.#part("choose").addEventListener("click", () => this.#part("file").click());
    this.#part("clear").addEventListener("click", this.#cleared);
    this.#part("by-url")?.addEventListener("click", this.#toggleUrl);
    this.#part("use-url")?.addEventListener("click", this.#useUrl);
    this.#part("url")?.addEventListener("keydown", (event) => event.key === "Enter" && this.#useUrl(event));
    for (const kind of ["dragenter", "dragover"]) this.addEventListener(kind, this.#over);
    for (const kind of ["dragleave", "drop"]) this.addEventListener(kind, this.#out);
    this.addEventListener("drop", this.#dropped);
    document.addEventListener("paste", this.#pasted);
    if (this.dataset.value) this.value = JSON.parse(this.dataset.value);
  }

  disconnectedCallback() {
    document.removeEventListener("paste", this.#pasted);
    this.#upload?.abort();
    this.#forgetPreview();
  }

  get value() {
    return this.#value;
  }

  set value(plain) {
    this.#upload?.abort();
    this.#upload = null;
    this.#value = plain;
    this.#forgetPreview();
    this.#draw();
  }

  get isBusy() {
    return this.#upload !== null;
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  get #page() {
    return this.closest("play-page");
  }

  #chosen = (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    event.stopPropagation();
    if (file) this.#take(file);
  };

  #over = (event) => {
    event.preventDefault();
    this.classList.add("drop--over");
  };

  #out = (event) => {
    event.preventDefault();
    this.classList.remove("drop--over");
  };

  #dropped = (event) => {
    const [file] = event.dataTransfer.files;
    if (file) this.#take(file);
  };

  /** A file pasted anywhere on the page, not into another field, goes to the first one in view. */
  #pasted = (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (!file || !this.offsetParent) return;
    const first = [...document.querySelectorAll("media-input")].find((entry) => entry.offsetParent);
    const wanted = document.activeElement?.closest("play-field")?.querySelector("media-input") ?? first;
    if (wanted !== this) return;
    event.preventDefault();
    this.#take(file);
  };

  #cleared = () => {
    this.value = null;
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
    this.value = { url };
    this.#tell();
  };

  get #field() {
    return this.closest("play-field");
  }

  async #take(file) {
    if (this.dataset.kind === "image" && file.type && !file.type.startsWith("image/")) {
      this.#field.showError(`${file.name} is no picture.`);
      return;
    }
    this.#field.showError("");
    this.value = null;
    const controller = new AbortController();
    this.#upload = controller;
    this.#preview = file.type.startsWith("image/") ? URL.createObjectURL(file) : "";
    this.#draw(file);
    try {
      const stored = await upload(file, {
        url: this.#page.dataset.uploadsUrl,
        expect: (this.dataset.accept || "").split("/")[0],
        signal: controller.signal,
        onProgress: (share) => (this.#part("progress").value = share),
      });
      if (this.#upload !== controller) return;
      this.#upload = null;
      this.#value = { media: stored.id, content_type: stored.content_type, name: stored.name };
      this.#draw(stored);
      this.#tell();
    } catch (error) {
      if (this.#upload !== controller) return;
      this.value = null;
      this.#field.showError(error.message);
    }
  }

  #draw(facts = {}) {
    const value = this.#value;
    const isFilled = value !== null || this.isBusy;
    this.#part("empty").hidden = isFilled;
    this.#part("filled").hidden = !isFilled;
    this.classList.toggle("drop--filled", isFilled);
    this.#part("progress").hidden = !this.isBusy;
    if (!isFilled) return;
    this.#part("name").textContent = facts.name || value?.name || value?.url || "File";
    this.#part("meta").textContent = metaWords(facts, this.isBusy);
    this.#part("stage").replaceChildren(this.#picture());
  }

  #picture() {
    const source = this.#preview || (this.#value?.media ? mediaUrl(this.#value.media) : this.#value?.url);
    const isPicture = this.#preview || this.#value?.content_type?.startsWith("image/") || this.dataset.kind === "image";
    if (!source || !isPicture) return icon(this.#value?.url ? "link" : "file");
    const image = Object.assign(make("img"), { referrerPolicy: "no-referrer", src: source, alt: "" });
    image.addEventListener("error", () => image.replaceWith(icon(this.#value?.url ? "link" : "image")));
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

function metaWords({ width, height, size }, isBusy) {
  const parts = [];
  if (isBusy) parts.push("Uploading");
  if (width && height) parts.push(`${width} × ${height}`);
  if (size) parts.push(bytes(size));
  return parts.join(" · ");
}

customElements.define("media-input", MediaInput);
