/* A list of any type: items are added, removed and read in their order; many files at once become many items. */
import { plural } from "../format.js";
import { FieldBox } from "./field-group.js";

const MOST = 500;
const NAMES = ["id", "for", "aria-labelledby", "aria-describedby"];

class FieldList extends FieldBox {
  #made = 0;

  connectedCallback() {
    super.connectedCallback();
    this.addEventListener("click", this.#acted);
    this.addEventListener("more-files", this.#taken);
    this.#count();
  }

  get #items() {
    return [...this.own("items").children];
  }

  get raw() {
    return this.isGiven ? this.parts.map((part) => part.raw) : null;
  }

  set raw(values) {
    this.#fill(values, (part, value) => (part.raw = value));
  }

  get draft() {
    return this.isGiven ? this.parts.map((part) => part.draft) : null;
  }

  set plain(values) {
    this.#fill(values, (part, value) => (part.plain = value));
  }

  get isEmpty() {
    return !this.#items.length;
  }

  check() {
    return this.#read((part) => part.check());
  }

  peek() {
    return this.#read((part) => part.peek());
  }

  #read(readPart) {
    if (!this.isGiven) return { isMissing: true };
    const results = this.parts.map(readPart);
    if (results.some((result) => result.error)) return { error: "Some items do not fit.", isInside: true };
    return { value: results.map((result) => result.value ?? null) };
  }

  #fill(values, put) {
    this.isGiven = Array.isArray(values);
    this.own("items").replaceChildren();
    for (const value of (values ?? []).slice(0, MOST)) put(this.#add(), value);
    this.#count();
  }

  /** A new item at the end; its ids are its own. */
  #add() {
    const blank = [...this.children].find((part) => part.matches("template[data-blank]"));
    const item = document.importNode(blank.content, true);
    rename(item, `${this.field.id}--0`, `${this.field.id}--${this.#made}`);
    this.#made += 1;
    this.own("items").append(item);
    this.#count();
    return this.parts.at(-1);
  }

  #acted = (event) => {
    const act = event.target.closest("[data-add], [data-remove]");
    if (!act || !this.owns(act)) return;
    if ("add" in act.dataset) this.#add().reveal();
    else this.#remove(act.closest("li"));
    this.field.showError("");
    this.tell();
  };

  #remove(item) {
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    this.#count();
    (next?.querySelector("[data-remove]") ?? this.own("add")).focus();
  }

  #taken = (event) => {
    if (event.target.closest("field-list") !== this) return;
    for (const file of event.detail) {
      if (this.#items.length < MOST) this.#add().take(file);
    }
    this.tell();
  };

  #count() {
    const items = this.#items;
    items.forEach((item, position) => {
      item.querySelector("[data-label]").textContent = `[${position}]`;
      item.querySelector(":scope > [data-remove]").setAttribute("aria-label", `Remove [${position}]`);
    });
    this.own("count").textContent = items.length ? plural(items.length, "item") : "An empty list";
    this.own("add").disabled = items.length >= MOST;
  }
}

/** Puts one id's beginning in place of another's, in templates inside too. */
function rename(root, from, to) {
  for (const element of root.querySelectorAll("*")) {
    for (const name of NAMES) {
      const value = element.getAttribute(name);
      if (value?.includes(from)) element.setAttribute(name, value.split(" ").map((id) => renamed(id, from, to)).join(" "));
    }
    if (element.content) rename(element.content, from, to);
  }
}

function renamed(id, from, to) {
  return id === from || id.startsWith(`${from}-`) ? to + id.slice(from.length) : id;
}

customElements.define("field-list", FieldList);
