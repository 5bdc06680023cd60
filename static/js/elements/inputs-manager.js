/* The page of all inputs: its filter in the address, its tiles in a window, what is chosen, and what one does with that. */
import { alarm, announce } from "../announce.js";
import { figure, plural } from "../format.js";
import { Chunks } from "../inputs/chunks.js";
import { Reach } from "../inputs/reach.js";
import { Selection } from "../inputs/selection.js";
import { Window } from "../inputs/window.js";
import { morph } from "../table/morph.js";
import "./upload-list.js";
import "./input-acts.js";
import "./input-adder.js";

const TYPING_MS = 250;
const POLL_MS = 4000;
const WAITING_MS = 1500;
const ADDED_MS = 300;
const CATCH_UP_MS = 1000;
const PHONE_COLUMNS = 3;

class InputsManager extends HTMLElement {
  #window;
  #chunks;
  #selection;
  #reach;
  #total = null;
  #typing = 0;
  #turn = 0;
  #asking = 0;
  #renewing = 0;
  #isBehind = false;
  #timers = [];

  connectedCallback() {
    this.#chunks = new Chunks(this.dataset.rows, { arrived: this.#arrived, failed: this.#failed });
    this.#selection = new Selection(this.#chosenChanged);
    const list = this.part("tiles");
    this.#chunks.begin(this.#query, list);
    list.replaceChildren();
    list.dataset.live = "";
    this.#window = new Window(this.part("scroller"), list, {
      tileAt: (position) => this.#chunks.tileAt(position),
      drawn: this.#drawn,
    });
    this.#reach = new Reach(list, { window: this.#window, chunks: this.#chunks, selection: this.#selection });
    this.#readCount();
    this.#recall();
    this.#arrived();
    this.dataset.live = "";
    this.#listen();
    if (this.#total === null) this.#summarise();
    this.#timers = [setInterval(this.#poll, POLL_MS), setInterval(this.#pollWaiting, WAITING_MS)];
  }

  disconnectedCallback() {
    this.#window.close();
    for (const timer of this.#timers) clearInterval(timer);
    document.removeEventListener("keydown", this.#key);
    removeEventListener("popstate", this.#back);
    removeEventListener("resize", this.#resized);
  }

  #listen() {
    this.addEventListener("submit", this.#submit);
    this.addEventListener("input", this.#typed);
    this.addEventListener("change", this.#changed);
    this.addEventListener("click", this.#click);
    document.addEventListener("keydown", this.#key);
    this.addEventListener("inputs-changed", (event) => this.#renew(event.detail));
    this.addEventListener("added", this.#added);
    this.addEventListener("choose-added", (event) => this.#choose(event.detail));
    addEventListener("popstate", this.#back);
    addEventListener("resize", this.#resized);
  }

  part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  get selection() {
    return this.#selection;
  }

  /** How many match; null while nobody knows. */
  get total() {
    return this.#total;
  }

  get #form() {
    return this.querySelector("#filter");
  }

  get #query() {
    return new URLSearchParams(location.search);
  }

  /** What is chosen, as the server wants to hear it. */
  get chosen() {
    const { keys, isAll } = this.#selection;
    return isAll ? { query: String(this.#query), except: keys } : { ids: keys };
  }

  /** The address of the first that is chosen, as far as their order is known here. */
  get firstChosen() {
    const { keys, isAll } = this.#selection;
    const tiles = this.#chunks.tiles.filter((tile) => this.#selection.has(tile.dataset.key));
    const first = tiles[0]?.querySelector("a").href;
    return first ?? `${location.pathname}${isAll ? "" : `${keys[0]}/`}${location.search}`;
  }

  // Tiles

  #arrived = () => {
    const { isEmpty } = this.#chunks;
    const isFirst = this.part("tiles").hidden && !isEmpty;
    this.part("failed").hidden = true;
    this.part("none").hidden = !isEmpty;
    this.part("tiles").hidden = isEmpty;
    // What was hidden had no width to be laid out in.
    if (isFirst) this.#arrange();
    this.#window.count = this.#chunks.length;
    this.#window.redraw();
  };

  #failed = () => {
    if (!this.part("failed").hidden) return;
    this.part("failed").hidden = false;
    alarm("The server cannot be reached. What is here is as it was.");
  };

  #drawn = (first, last, isJump) => {
    this.#chunks.want(first, last, isJump);
    this.#reach.settle();
  };

  /** The size and the form of the tiles, as they were left. */
  #recall() {
    const kept = read("inputs-view");
    if (kept.isList) this.#press("list");
    if (kept.size) this.part("size").value = kept.size;
    this.#fillSize();
    this.#arrange();
  }

  #arrange() {
    const isList = this.part("view-list").getAttribute("aria-pressed") === "true";
    this.part("tiles").classList.toggle("thumbs--list", isList);
    this.part("size").disabled = isList;
    const width = this.part("tiles").clientWidth || this.clientWidth;
    const size = Math.min(Number(this.part("size").value), Math.floor(width / PHONE_COLUMNS) - 10);
    this.#window.arrange({ size, isList });
  }

  #resized = () => this.#arrange();

  #press(view) {
    for (const name of ["grid", "list"]) this.part(`view-${name}`).setAttribute("aria-pressed", String(name === view));
  }

  #fillSize() {
    const slider = this.part("size");
    slider.style.setProperty("--fill", `${((slider.value - slider.min) / (slider.max - slider.min)) * 100}%`);
  }

  #keep() {
    const isList = this.part("view-list").getAttribute("aria-pressed") === "true";
    keep("inputs-view", { isList, size: this.part("size").value });
  }

  // Filter

  #submit = (event) => {
    if (event.target !== this.#form) return;
    event.preventDefault();
    this.#ask();
  };

  #typed = (event) => {
    if (event.target === this.part("size")) {
      this.#fillSize();
      this.#arrange();
      this.#keep();
    } else if (event.target.matches("[data-find]")) {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#summarise(), TYPING_MS);
    } else if (event.target.id === "inputs-search") {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#ask(), TYPING_MS);
    }
  };

  #changed = (event) => {
    if (event.target.matches("[data-app-choice]")) location.search = event.target.value ? `?app=${event.target.value}` : "";
    else if (event.target.form === this.#form && event.target.matches(":not(#inputs-search, [data-find])")) this.#ask();
  };

  #ask() {
    clearTimeout(this.#typing);
    const pair = this.querySelector("[data-pair]");
    pair.setCustomValidity(pair.value.trim() && !/^[^=]+=/.test(pair.value) ? "A pair like key = value is needed." : "");
    if (!this.#form.reportValidity()) return;
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(this.#form)) if (value.trim()) query.append(name, value.trim());
    const text = String(query);
    if (text === String(this.#query)) return;
    history.pushState(null, "", text ? `?${text}` : location.pathname);
    this.#open();
  }

  #back = () => this.#open();

  /** Shows what the address asks for; what was chosen before is chosen no more. */
  async #open() {
    this.#selection.none();
    this.#setTotal(null);
    const dim = setTimeout(() => this.toggleAttribute("data-waiting", true), 150);
    this.part("failed").hidden = true;
    const summary = this.#summarise({ isTold: true });
    const isThere = await this.#chunks.open(this.#query);
    clearTimeout(dim);
    if (!isThere) return;
    this.removeAttribute("data-waiting");
    this.part("failed").hidden = true;
    this.#reach.reset();
    this.part("scroller").scrollTop = 0;
    await summary;
  }

  /** The counts, the choices and the tags of the filter. */
  async #summarise({ isTold = false, seen = "" } = {}) {
    // A look at whether something has changed never stands in the way of what was asked for.
    if (seen && this.#asking) return false;
    const turn = ++this.#turn;
    const query = this.#query;
    for (const field of this.querySelectorAll("[data-find]")) if (field.value.trim()) query.set(field.dataset.find, field.value.trim());
    if (seen) query.set("seen", seen);
    this.#asking += 1;
    let html = "";
    try {
      const answer = await fetch(`${this.dataset.summary}?${query}`, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.status === 204 || answer.redirected) return false;
      html = await answer.text();
    } catch {
      return false;
    } finally {
      this.#asking -= 1;
    }
    if (turn !== this.#turn) return false;
    const holder = document.createElement("template");
    holder.innerHTML = html;
    for (const part of holder.content.querySelectorAll("[data-part]")) this.#morph(part);
    this.#readCount();
    if (isTold) announce(`${this.part("count").textContent.trim()} inputs.`);
    return true;
  }

  #morph(part) {
    const mine = this.querySelector(`[data-part="${part.dataset.part}"]`);
    const typed = document.activeElement;
    const text = mine.contains(typed) && /^(search|text)$/.test(typed.type) ? typed.value : null;
    morph(mine, part);
    for (const box of mine.querySelectorAll("input[type=checkbox], input[type=radio]")) box.checked = box.hasAttribute("checked");
    for (const field of mine.querySelectorAll("input[type=text], input[type=search], input[type=date]")) {
      field.value = field === typed && text !== null ? text : (field.getAttribute("value") ?? "");
    }
  }

  #readCount() {
    const { count } = this.part("count").dataset;
    this.#setTotal(count === "" ? null : Number(count));
    const search = this.querySelector("#inputs-search");
    if (document.activeElement !== search) search.value = this.#query.get("q") ?? "";
    this.querySelector("#inputs-order").value = this.#query.get("order") ?? "";
  }

  #setTotal(total) {
    this.#total = total;
    this.#chunks.count = total;
    if (this.#window) this.#arrived();
    this.part("tiles").setAttribute("aria-label", total === null ? "Inputs" : plural(total, "input"));
    this.#chosenChanged();
  }

  // Selection

  #chosenChanged = () => {
    if (!this.#reach) return;
    const count = this.#selection.count(this.#total);
    const isAny = !this.#selection.isEmpty;
    this.toggleAttribute("data-choosing", isAny);
    this.part("bar").hidden = !isAny;
    this.part("chosen").textContent = count === null ? "All that match" : `${figure(count)} selected`;
    const all = this.part("choose-all");
    all.hidden = this.#selection.isAll || (this.#total !== null && count >= this.#total);
    all.textContent = this.#total === null ? "Select all that match" : `Select all ${figure(this.#total)}`;
    this.#reach.showChosen();
  };

  #choose(keys) {
    this.#selection.none();
    this.#selection.set(keys, true);
    this.#reach.focus();
  }

  #key = (event) => {
    if (event.key === "Escape" && this.hasAttribute("data-filtering")) this.#toggleFilters(false);
    else if (event.key === "Escape" && !this.#selection.isEmpty && !event.target.closest("dialog, :popover-open, input:not([data-choose])")) this.#chooseNone();
    else if (event.key === "Delete" && event.target.closest(".thumb")) {
      if (this.#selection.isEmpty) this.#selection.set([event.target.closest(".thumb").dataset.key], true);
      this.part("bar").act("delete");
    }
  };

  #chooseNone() {
    const isInside = this.part("bar").contains(document.activeElement);
    this.#selection.none();
    if (isInside) this.#reach.focus();
  }

  #click = (event) => {
    const file = event.target.closest("a[data-export]");
    if (file) this.#export(file);
    const link = event.target.closest("a[data-soft]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      history.pushState(null, "", link.href);
      this.#open();
      return;
    }
    const button = event.target.closest("button");
    if (!button) return;
    const { dataset } = button;
    if ("chooseAll" in dataset) this.#selection.all();
    else if ("chooseView" in dataset) this.#reach.chooseInView();
    else if ("chooseNone" in dataset) this.#chooseNone();
    else if ("newer" in dataset) this.#showNewer();
    else if ("retry" in dataset && button.closest("[data-failed]")) this.#open();
    else if ("match" in dataset) this.#match(dataset.match);
    else if ("chooseFiles" in dataset && !button.closest("input-adder")) this.querySelector("[data-files]").click();
    else if ("viewGrid" in dataset || "viewList" in dataset) {
      this.#press("viewList" in dataset ? "list" : "grid");
      this.#arrange();
      this.#keep();
    } else if ("filters" in dataset) this.#toggleFilters(true);
    else if ("filtersClose" in dataset) this.#toggleFilters(false);
  };

  /** A file of what the page shows now. */
  #export(link) {
    const query = this.#query;
    query.set("format", link.dataset.export);
    link.search = query;
    link.closest("menu-popover").hidePopover();
  }

  /** Whether inputs must have all of the chosen concepts, or any. */
  #match(name) {
    for (const button of this.querySelectorAll("[data-match]")) button.setAttribute("aria-pressed", String(button.dataset.match === name));
    const boxes = [...this.querySelectorAll("[data-concept]")];
    for (const box of boxes) box.name = name;
    if (boxes.some((box) => box.checked)) this.#ask();
  }

  /** The filter as a sheet, where there is no room for it beside. */
  #toggleFilters(isOpen) {
    this.toggleAttribute("data-filtering", isOpen);
    this.part("filters").setAttribute("aria-expanded", String(isOpen));
    this.part("main").inert = isOpen;
    const opener = isOpen ? this.part("filters-close") : this.part("filters");
    opener.focus();
  }

  // What changes meanwhile

  /** Draws again what may have changed; with `gone` true, what was chosen is there no more. */
  async #renew({ isGone = false } = {}) {
    if (isGone) this.#selection.none();
    await this.#summarise();
    await this.#chunks.renew(this.#total);
    if (document.activeElement === document.body) this.#reach.focus();
  }

  #added = () => {
    this.part("newer").hidden = true;
    this.#isBehind = true;
    this.#renewing ||= setTimeout(this.#catchUp, ADDED_MS);
  };

  /** However fast they come, one look has ended before the next begins. */
  #catchUp = async () => {
    this.#isBehind = false;
    await this.#renew();
    this.#renewing = this.#isBehind ? setTimeout(this.#catchUp, CATCH_UP_MS) : 0;
  };

  #showNewer() {
    this.part("newer").hidden = true;
    this.part("scroller").scrollTop = 0;
    this.#renew().then(() => this.#reach.focus());
  }

  /** What comes from elsewhere is shown at once at the top, and offered to those who are further down or choose. */
  #poll = async () => {
    if (document.visibilityState !== "visible" || this.#renewing) return;
    const before = this.#total;
    if (!(await this.#summarise({ seen: this.part("count").dataset.mark }))) return;
    const isQuiet = this.part("scroller").scrollTop < 40 && this.#selection.isEmpty && !this.part("tiles").contains(document.activeElement);
    if (isQuiet) {
      await this.#chunks.renew(this.#total);
      return;
    }
    const more = (this.#total ?? 0) - (before ?? 0);
    this.part("newer").hidden = false;
    this.part("newer").textContent = more > 0 ? `${plural(more, "newer input")} · Show` : "Inputs have changed · Show";
  };

  /** Tiles whose bytes or pictures are not there yet, looked at again. */
  #pollWaiting = async () => {
    if (document.visibilityState !== "visible") return;
    const [first, last] = this.#window.inView;
    const keys = [];
    for (let position = first; position < last; position += 1) {
      const tile = this.#chunks.tileAt(position);
      if (tile && "waiting" in tile.dataset) keys.push(tile.dataset.key);
    }
    if (!keys.length) return;
    const query = this.#query;
    for (const key of keys.slice(0, 60)) query.append("id", key);
    try {
      const answer = await fetch(`${this.dataset.rows}?${query}`, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const holder = document.createElement("template");
      holder.innerHTML = await answer.text();
      const tiles = [...document.importNode(holder.content, true).querySelectorAll(".thumb")];
      this.#chunks.replace(tiles.filter((tile) => !("waiting" in tile.dataset)));
      this.#window.redraw();
    } catch {
      // The next look may find the server again.
    }
  };
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Storage is refused: it lasts as long as the page.
  }
}

customElements.define("inputs-manager", InputsManager);
