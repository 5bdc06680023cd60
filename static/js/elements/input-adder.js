/* How inputs come in: files chosen, dropped or pasted anywhere on the page, folders, texts, URLs, and tables of them. */
import { announce } from "../announce.js";
import { bytes, plural } from "../format.js";
import { isUrl, readInputs, readMetadata, words } from "../inputs/csv.js";
import { filesOf } from "../inputs/dropped.js";

const MOST_AT_ONCE = 20_000;
const MOST_CSV = 20_000_000;
const SHOWN_MISTAKES = 5;

class InputAdder extends HTMLElement {
  #depth = 0;
  #csv = null;

  connectedCallback() {
    this.#list.begin({
      addresses: { add: this.dataset.add, uploads: this.dataset.uploads },
      limits: JSON.parse(this.dataset.limits),
      app: this.dataset.app,
      saved: (job) => this.dispatchEvent(new CustomEvent("added", { detail: job, bubbles: true })),
    });
    this.addEventListener("click", this.#click);
    this.addEventListener("change", this.#changed);
    this.#dialog.addEventListener("submit", this.#submit);
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(kind, this.#drag);
    document.addEventListener("paste", this.#pasted);
  }

  disconnectedCallback() {
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) document.removeEventListener(kind, this.#drag);
    document.removeEventListener("paste", this.#pasted);
  }

  get #manager() {
    return this.closest("inputs-manager");
  }

  get #list() {
    return this.#manager.querySelector("upload-list");
  }

  get #dialog() {
    return this.querySelector("dialog");
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  #click = (event) => {
    const { dataset } = event.target.closest("button") ?? {};
    if (!dataset) return;
    if ("chooseFiles" in dataset) this.#part("files").click();
    else if ("chooseFolder" in dataset) this.#part("folder").click();
    else if ("more" in dataset) this.#open();
    else if ("close" in dataset) this.#dialog.close();
    else if ("way" in dataset) this.#show(dataset.way);
  };

  #open() {
    this.#say("");
    this.#show(this.#dialog.dataset.shown ?? "files");
    this.#dialog.showModal();
  }

  #show(way) {
    this.#dialog.dataset.shown = way;
    for (const button of this.querySelectorAll("[data-way]")) button.setAttribute("aria-pressed", String(button.dataset.way === way));
    for (const part of this.querySelectorAll("[data-of-way]")) part.hidden = part.dataset.ofWay !== way;
    this.#part("submit").hidden = way === "files";
    this.#say("");
  }

  #changed = async (event) => {
    const field = event.target;
    if (field === this.#part("csv-file")) {
      await this.#readCsv(field.files[0]);
      return;
    }
    if (!field.matches("[data-files], [data-folder]")) return;
    // Of a folder, what is hidden in it stays where it is; a file chosen by itself is meant.
    const files = [...field.files].filter((file) => !/(^|\/)\./.test(file.webkitRelativePath));
    field.value = "";
    this.#take(files);
  };

  /** Files are uploaded at once, with what the dialog sets where it is open. */
  #take(files) {
    const facts = this.#facts();
    if (!facts) return;
    if (this.#dialog.open) this.#dialog.close();
    this.#add(files.map((file) => ({ file, ...facts })));
  }

  #add(items) {
    if (items.length > MOST_AT_ONCE) announce(`The first ${MOST_AT_ONCE} of them are taken.`);
    this.#list.add(items.slice(0, MOST_AT_ONCE));
  }

  /** {concepts, datasets, metadata} for all that is added from the open dialog; null when they do not fit. */
  #facts() {
    if (!this.#dialog.open) return {};
    try {
      const values = new FormData(this.#dialog.querySelector("form"));
      const metadata = readMetadata(String(values.get("metadata")));
      return { concepts: words(String(values.get("concepts"))), datasets: words(String(values.get("datasets"))), metadata };
    } catch (error) {
      this.#say(error.message);
      return null;
    }
  }

  #submit = (event) => {
    event.preventDefault();
    const facts = this.#facts();
    if (!facts) return;
    const values = new FormData(event.target);
    const way = this.#dialog.dataset.shown;
    try {
      const items = this.#read(way, values).map((item) => merge(item, facts));
      this.#dialog.close();
      event.target.reset();
      this.#csv = null;
      this.#part("csv-said").textContent = "";
      this.#add(items);
    } catch (error) {
      this.#say(error.message);
    }
  };

  #read(way, values) {
    if (way === "text") {
      const text = String(values.get("text"));
      if (!text.trim()) throw new Error("There is no text yet.");
      const lines = values.has("each-line") ? text.split("\n").filter((line) => line.trim()) : [text];
      return lines.map((line) => ({ text: line, name: lines.length === 1 ? String(values.get("name")).trim() : "" }));
    }
    if (way === "urls") {
      const urls = String(values.get("urls")).split("\n").map((line) => line.trim()).filter(Boolean);
      const at = urls.findIndex((url) => !isUrl(url));
      if (at >= 0) throw new Error(`Line ${at + 1}: ${urls[at].slice(0, 80)} does not begin with http:// or https://.`);
      if (!urls.length) throw new Error("There is no URL yet.");
      return urls.map((url) => ({ url, name: nameOf(url) }));
    }
    if (!this.#csv?.items.length) throw new Error("Choose a CSV file with at least one row that can be added.");
    return this.#csv.items;
  }

  async #readCsv(file) {
    this.#csv = null;
    const said = this.#part("csv-said");
    said.textContent = "";
    this.#say("");
    if (!file) return;
    try {
      if (file.size > MOST_CSV) throw new Error(`${file.name} has ${bytes(file.size)}; a table may have ${bytes(MOST_CSV)}.`);
      this.#csv = readInputs(await file.text());
      const { items, mistakes } = this.#csv;
      const urls = items.filter((item) => item.url).length;
      const parts = [urls && plural(urls, "URL"), items.length - urls && plural(items.length - urls, "text")].filter(Boolean);
      said.textContent = `${file.name}: ${parts.join(" and ") || "nothing"} to add.`;
      if (mistakes.length) {
        const more = mistakes.length > SHOWN_MISTAKES ? ` And ${mistakes.length - SHOWN_MISTAKES} more.` : "";
        this.#say(`${plural(mistakes.length, "row")} left out. ${mistakes.slice(0, SHOWN_MISTAKES).join(" ")}${more}`);
      }
    } catch (error) {
      this.#say(error.message);
    }
  }

  #say(text) {
    const place = this.#part("problem");
    place.textContent = text ? text[0].toUpperCase() + text.slice(1) : "";
    place.hidden = !text;
  }

  // Dropped and pasted

  #drag = async (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (event.type === "dragenter") this.#depth += 1;
    else if (event.type === "dragleave") this.#depth -= 1;
    else if (event.type === "drop") this.#depth = 0;
    this.#manager.toggleAttribute("data-dropping", this.#depth > 0);
    if (event.type === "drop") this.#take(await filesOf(event.dataTransfer));
  };

  #pasted = (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const isField = event.target.closest?.("input, textarea, select");
    if (files.length) {
      event.preventDefault();
      this.#take(files.map(named));
      return;
    }
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (isField || !text.trim() || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.#open();
    const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
    const areUrls = lines.every(isUrl);
    this.#show(areUrls ? "urls" : "text");
    const field = this.#dialog.querySelector(`[name=${areUrls ? "urls" : "text"}]`);
    field.value = text;
    field.focus();
  };
}

/** What is pasted as a picture is called image.png by every browser. */
function named(file) {
  if (file.name !== "image.png") return file;
  const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  return new File([file], `pasted ${now.replace("T", " ").replaceAll(":", ".")}.png`, { type: file.type });
}

function nameOf(url) {
  const last = new URL(url).pathname.split("/").findLast(Boolean) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function merge(item, facts) {
  return {
    ...item,
    concepts: [...new Set([...(item.concepts ?? []), ...(facts.concepts ?? [])])],
    datasets: [...new Set([...(item.datasets ?? []), ...(facts.datasets ?? [])])],
    metadata: { ...facts.metadata, ...item.metadata },
  };
}

customElements.define("input-adder", InputAdder);
