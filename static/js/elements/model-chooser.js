/* Choose a model or workflow: a list with search, and at its side the chosen one with method, deployment, parameters. */
import { alarm, announce } from "../announce.js";
import { make } from "../dom.js";
import { bring } from "../parts.js";
import { linkSheet } from "../sheets.js";

const TYPED = 140;

class ModelChooser extends HTMLElement {
  #shown = ""; // the address of what stands at the side
  #given = {};
  #timer = 0;
  #turns = 0;

  connectedCallback() {
    this.addEventListener("click", this.#clicked);
    this.addEventListener("keydown", this.#moved);
    this.addEventListener("change", this.#changed);
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#fill(), TYPED);
    });
  }

  get #search() {
    return this.querySelector("[data-chooser-search]");
  }

  get #list() {
    return this.querySelector("[data-chooser-list]");
  }

  get #side() {
    return this.querySelector("[data-chooser-target]");
  }

  get #use() {
    return this.querySelector("[data-use]");
  }

  get #tab() {
    return this.querySelector('[data-tab][aria-pressed="true"]').dataset.tab;
  }

  get #items() {
    return [...this.#list.querySelectorAll("[data-entry]")];
  }

  /** Begin with what is chosen now: {address of its side, query of its deployment, arguments}; else the first. */
  begin(now) {
    this.#given = now?.arguments ?? {};
    const current = this.#list.querySelector('[aria-current="true"]:not([aria-disabled])');
    if (current && now) this.#show(current, new URLSearchParams({ method: now.method, ...Object.fromEntries(new URLSearchParams(now.query)) }));
    else this.#showFirst();
  }

  #clicked = (event) => {
    const item = event.target.closest("[data-entry]");
    const elsewhere = event.target.closest("[data-turn]")?.dataset.turn;
    const tab = elsewhere ? this.querySelector(`[data-tab=${elsewhere}]`) : event.target.closest("[data-tab]");
    if (item) this.#choose(item);
    else if (tab) this.#turn(tab);
    else if (event.target.closest("[data-chooser-back]")) this.#back();
    else if (event.target.closest("[data-use]")) this.#take();
    if (elsewhere) this.#search.focus(); // the button goes with its list
  };

  #choose(item) {
    if (item.ariaDisabled) return announce(`${item.dataset.name} cannot be used: ${item.querySelector(".chooser__words").textContent.trim()}.`);
    this.#given = {};
    this.#show(item);
  }

  async #show(item, query = new URLSearchParams()) {
    for (const other of this.#items) other.removeAttribute("aria-current");
    item.setAttribute("aria-current", "true");
    this.#reach(item);
    this.classList.add("chooser--chosen");
    const back = this.querySelector("[data-chooser-back]");
    back.hidden = false;
    if (!item.checkVisibility()) back.focus(); // on a phone the one chosen takes the list's place
    await this.#load(item.dataset.entry, query, item.dataset.name);
  }

  async #load(address, query, name) {
    const turn = (this.#turns += 1);
    this.#shown = address;
    this.#use.disabled = true;
    query.set("kind", this.dataset.kind);
    const answer = await fetch(`${address}?${query}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    const text = await answer?.text();
    if (turn !== this.#turns) return; // another one by now
    if (!answer?.ok) {
      this.#side.replaceChildren(make("p", "notice notice--bad", `${name} cannot be shown now: it is gone, or the server cannot be reached.`));
      return alarm(`${name} cannot be shown now.`);
    }
    this.#side.innerHTML = text;
    await bring(this.#side);
    if (turn !== this.#turns) return;
    globalThis.htmx?.process(this.#side);
    this.#restore();
    const chosen = this.#side.querySelector("[data-facts]");
    this.#use.disabled = JSON.parse(chosen.dataset.facts) === null;
    this.#use.textContent = `Use ${chosen.dataset.name}`;
  }

  #changed = (event) => {
    if (!event.target.matches("[data-chooser-method]")) return;
    this.#given = {};
    const query = new URLSearchParams(this.#side.querySelector("deployment-picker")?.dataset.query ?? "");
    query.set("method", event.target.value);
    this.#load(this.#shown, query, event.target.value).then(() => this.#side.querySelector("[data-chooser-method]")?.focus());
  };

  #turn(tab) {
    for (const other of this.querySelectorAll("[data-tab]")) other.ariaPressed = String(other === tab);
    this.#back();
    this.#side.replaceChildren();
    this.#turns += 1;
    this.#shown = "";
    this.#use.disabled = true;
    this.#use.textContent = "Use";
    this.#fill().then(() => this.#showFirst());
  }

  /** Where there is room for both, the first that takes the input stands at the side. */
  #showFirst() {
    const first = this.#items.find((item) => !item.ariaDisabled);
    if (first && !this.#shown && matchMedia("(width >= 720px)").matches) this.#show(first);
  }

  async #fill() {
    const query = new URLSearchParams({ q: this.#search.value, tab: this.#tab, kind: this.dataset.kind });
    const answer = await fetch(`${this.dataset.listUrl}?${query}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok || query.get("q") !== this.#search.value || query.get("tab") !== this.#tab) return;
    this.#list.innerHTML = await answer.text();
    const shown = this.#items.find((item) => item.dataset.entry === this.#shown);
    shown?.setAttribute("aria-current", "true");
  }

  #back() {
    this.classList.remove("chooser--chosen");
    this.querySelector("[data-chooser-back]").hidden = true;
    this.#list.querySelector('[aria-current="true"]')?.focus();
  }

  // One tab stop in the list; arrows move in it, from the search too.

  #moved = (event) => {
    const isSearch = event.target === this.#search;
    if (isSearch && event.key === "Enter") {
      event.preventDefault();
      const first = this.#items.find((item) => !item.ariaDisabled);
      if (first) this.#choose(first);
      else this.#list.querySelector("[data-turn]")?.click();
      return;
    }
    if (!isSearch && !event.target.closest("[data-entry]")) return;
    const items = this.#items;
    const at = items.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, ...(isSearch ? {} : { Home: 0, End: items.length - 1 }) }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0) return this.#search.focus();
    const item = items[Math.min(to, items.length - 1)];
    if (!item) return;
    this.#reach(item);
    item.focus();
  };

  #reach(item) {
    for (const other of this.#items) other.tabIndex = other === item ? 0 : -1;
  }

  #restore() {
    for (const field of this.#fields) {
      if (field.name in this.#given && !field.isSecret) field.plain = this.#given[field.name];
    }
  }

  get #fields() {
    return [...this.#side.querySelectorAll("play-field")].filter((field) => !field.isPart);
  }

  /** Tells the window's opener what is to be used, once all of it fits. */
  #take() {
    const given = {};
    let wrong = null;
    let changed = 0;
    for (const field of this.#fields) {
      const result = field.check();
      if (result.error) wrong ??= field;
      else if ("value" in result) given[field.name] = result.value;
      if (field.isSetting && field.isChanged) changed += 1;
    }
    if (wrong) return wrong.reveal();
    const picker = this.#side.querySelector("deployment-picker");
    if (picker?.dataset.refusal) return announce(picker.dataset.refusal);
    const facts = JSON.parse(this.#side.querySelector("[data-facts]").dataset.facts);
    const place = { selector: JSON.parse(picker?.dataset.selector ?? "{}"), asked: picker?.dataset.asked ?? "", query: picker?.dataset.query ?? "" };
    const secrets = this.#fields.filter((field) => field.isSecret).map((field) => field.name);
    const chosen = { ...facts, ...place, url: this.#shown, arguments: given, secrets, changed };
    this.dispatchEvent(new CustomEvent("target-chosen", { bubbles: true, detail: chosen }));
  }
}

customElements.define("model-chooser", ModelChooser);

/** Opens the window; resolves with what is to be used, or null. `home` holds it, for the addresses it
    needs; `title` says what it is for. */
export async function openChooser(home, { url, sheets, kind, now, title }) {
  const query = new URLSearchParams({ kind, chosen: now?.target ?? "", tab: now?.kind === "workflow" ? "workflows" : "models" });
  const [answer] = await Promise.all([
    fetch(`${url}?${query}`, { headers: { "HX-Request": "true" } }).catch(() => null),
    ...sheets.map(linkSheet),
  ]);
  if (!answer?.ok || answer.redirected) {
    alarm("The list of models cannot be opened now: the server cannot be reached.");
    return null;
  }
  const dialog = make("dialog", "dialog dialog--chooser");
  dialog.setAttribute("aria-labelledby", "chooser-title");
  dialog.innerHTML = await answer.text();
  if (title) dialog.querySelector("#chooser-title").textContent = title;
  home.append(dialog);
  let chosen = null;
  dialog.addEventListener("target-chosen", (event) => {
    chosen = event.detail;
    dialog.close();
  });
  dialog.addEventListener("click", (event) => event.target.closest("[data-close]") && !event.target.closest("dialog[data-new]") && dialog.close());
  dialog.showModal();
  dialog.querySelector("[data-chooser-search]").focus();
  dialog.querySelector("model-chooser").begin(now);
  return new Promise((resolve) => {
    dialog.addEventListener("close", (event) => {
      if (event.target !== dialog) return;
      dialog.remove();
      resolve(chosen);
    });
  });
}
