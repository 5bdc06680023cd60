/* Deployments & Usage: sorted, filtered and kept right in place. The order stays still while somebody is in the table. */
import { alarm, announce } from "../announce.js";
import { figure } from "../format.js";
import { act, offerUndo, openDialog } from "../table/acts.js";
import { Grid } from "../table/grid.js";
import { morph } from "../table/morph.js";
import { copyText } from "./copy-button.js";

const POLL_MS = 2000;
const TYPING_MS = 200;
const COMPARED = 6;
const USUAL = { span: "24h", sort: "-used" };

class UsageTable extends HTMLElement {
  #grid;
  #timer = 0;
  #typing = 0;
  #asked = 0;
  #row = null;

  connectedCallback() {
    this.#grid = new Grid(this, {
      chosen: this.#remembered,
      open: (row) => location.assign(row.dataset.play),
      changed: this.#chosenChanged,
    });
    this.addEventListener("submit", this.#submit);
    this.addEventListener("input", this.#type);
    this.addEventListener("change", this.#change);
    this.addEventListener("click", this.#click);
    for (const kind of ["pointerover", "pointerout", "focusin", "focusout"]) this.addEventListener(kind, this.#hint);
    this.addEventListener("keydown", this.#escape);
    addEventListener("popstate", this.#back);
    this.dataset.live = "";
    this.#grid.settle();
    this.#chosenChanged();
    this.#takeKeptColumns();
    this.#timer = setInterval(this.#poll, POLL_MS);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    removeEventListener("popstate", this.#back);
  }

  get #part() {
    return this.querySelector("[data-part]");
  }

  get #filter() {
    return this.querySelector("#usage-filter");
  }

  get #query() {
    return new URLSearchParams(location.search);
  }

  /** Whether somebody is among the rows, or acts on one. */
  get #isBusy() {
    const region = this.querySelector(".usage__region");
    const body = region?.querySelector("tbody");
    return Boolean(body?.matches(":hover") || body?.contains(document.activeElement) || document.querySelector("dialog[open]") || this.querySelector(":popover-open[role=menu]"));
  }

  #submit = (event) => {
    if (event.target.id !== "usage-form") return;
    event.preventDefault();
    const query = new URLSearchParams();
    // A head's button stands after the select of the same name: the last one counts.
    for (const [name, value] of new FormData(event.target, event.submitter)) query.set(name, value);
    this.#go(query, { isSort: event.submitter?.name === "sort" });
  };

  #type = (event) => {
    if (event.target !== this.#filter) return;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#filter.form.requestSubmit(), TYPING_MS);
  };

  #change = (event) => {
    if (event.target.matches("#usage-state, #usage-sort")) event.target.form.requestSubmit();
  };

  #back = () => this.#show(this.#query);

  #click = (event) => {
    const hit = (selector) => event.target.closest(selector);
    const link = hit(".segmented a, .page__pages a, [data-soft]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.#go(new URL(link.href).searchParams);
    } else if (hit("[data-copy]")) this.#copy(hit("[data-copy]").dataset.copy);
    else if (hit("[data-compare-url]")) this.#compare(hit("[data-compare-url]").dataset.compareUrl);
    else if (hit("[data-choose-none]")) this.#grid.chooseNone();
    else if (hit("[data-sort-again]")) this.#sortAgain();
    else if (hit("[data-column]")) this.#toggleColumn(hit("[data-column]"));
    else if (hit("[data-menu]")) this.#prepareMenu(hit("[data-menu]"));
    else if (hit("[data-act]")) this.#act(hit("[data-act]"));
    else if (hit("[data-words]")) this.#showHint(hit("[data-words]"));
  };

  #go(query, { isSort = false } = {}) {
    for (const [name, value] of [...query]) if (!value || USUAL[name] === value) query.delete(name);
    for (const name of ["seen", "keep"]) query.delete(name);
    const text = query.toString();
    history.pushState(null, "", text ? `?${text.replaceAll("%2C", ",")}` : location.pathname);
    this.#show(query, { isSort });
  }

  async #show(query, { isSort = false } = {}) {
    if (!(await this.#fetch(query))) return;
    if (document.activeElement !== this.#filter) this.#filter.value = query.get("q") ?? "";
    if (isSort) this.querySelector(".usage__region").scrollTop = 0;
    announce(this.#part.dataset.sortWords);
  }

  #sortAgain() {
    const button = this.querySelector("[aria-sort] .table__sort");
    this.#show(this.#query, { isSort: true }).then(() => button?.focus());
  }

  #poll = () => {
    if (document.visibilityState !== "visible" || this.#asked > 0) return;
    const query = this.#query;
    const isMoved = "moved" in this.#part.dataset;
    if (this.#isBusy) {
      const keys = [...this.querySelectorAll("tbody tr")].map((row) => row.dataset.key);
      query.set("keep", keys.join(","));
    }
    if (this.#isBusy || !isMoved) query.set("seen", this.#part.dataset.seen);
    this.#fetch(query, { isPoll: true });
  };

  /** Draws what the server has to that; false when nothing came, or something newer was asked meanwhile. */
  async #fetch(query, { isPoll = false } = {}) {
    const turn = ++this.#turn;
    this.#asked += 1;
    const dim = isPoll ? 0 : setTimeout(() => this.toggleAttribute("data-waiting", true), 150);
    try {
      const answer = await fetch(`${this.dataset.url}?${query}`, { headers: { Accept: "text/html" } });
      if (turn !== this.#turn || answer.status === 204) return false;
      if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
      this.#draw(await answer.text());
      return true;
    } catch {
      if (!isPoll) alarm("The server cannot be reached. The table is as it was.");
      return false;
    } finally {
      this.#asked -= 1;
      clearTimeout(dim);
      if (turn === this.#turn) this.removeAttribute("data-waiting");
    }
  }

  #turn = 0;

  #draw(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const focused = document.activeElement;
    const cell = focused?.closest("td");
    const states = this.#states();
    morph(this.#part, holder.content.querySelector("[data-part]"));
    this.#grid.settle();
    this.#chosenChanged();
    this.#markFresh(states);
    if (focused && focused !== document.body && document.activeElement === document.body) this.#restoreFocus(focused, cell);
  }

  #restoreFocus(focused, cell) {
    const again = focused.isConnected ? focused : document.getElementById(focused.id);
    if (again) again.focus({ preventScroll: true });
    else if (cell) this.querySelector("tbody [tabindex='0'], thead [tabindex='0']")?.focus({ preventScroll: true });
  }

  #states() {
    return new Map([...this.querySelectorAll("tbody tr")].map((row) => [row.id, row.querySelector(".usage__col--state")?.textContent]));
  }

  /** A row whose state is another shows it for a second. */
  #markFresh(before) {
    for (const [id, state] of this.#states()) {
      if (!before.has(id) || before.get(id) === state) continue;
      const row = document.getElementById(id);
      row.dataset.fresh = "";
      setTimeout(() => delete row.dataset.fresh, 1000);
    }
  }

  // --- Choosing rows ---

  get #place() {
    return `chosen:${this.dataset.model}`;
  }

  get #remembered() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#place) ?? "[]");
    } catch {
      return [];
    }
  }

  #chosenChanged = () => {
    const count = this.#grid.chosen.size;
    try {
      sessionStorage.setItem(this.#place, JSON.stringify([...this.#grid.chosen].slice(0, 5000)));
    } catch {
      // Storage is refused or full: they are kept for this page.
    }
    this.querySelector("[data-chosen]").hidden = count === 0;
    this.querySelector("[data-chosen-count]").textContent = `${figure(count)} selected`;
    for (const press of this.querySelectorAll("[data-compare-url]")) {
      press.disabled = count < 2 || count > COMPARED;
      press.title = press.disabled ? `Two to ${COMPARED} are compared` : "";
    }
  };

  #compare(address) {
    const query = new URLSearchParams({ model: this.dataset.model });
    for (const key of this.#grid.chosen) query.append("d", key);
    location.assign(`${address}?${query}`);
  }

  // --- Columns ---

  #toggleColumn(item) {
    const items = [...this.querySelectorAll("[data-column]")];
    const isOn = (one) => (one === item) !== (one.getAttribute("aria-checked") === "true");
    const keys = items.filter(isOn).map((one) => one.dataset.column);
    const isUsual = items.every((one) => isOn(one) === "usual" in one.dataset);
    try {
      if (isUsual) localStorage.removeItem("usage-columns");
      else localStorage.setItem("usage-columns", keys.join(","));
    } catch {
      // Storage is refused: they are in the address.
    }
    const query = this.#query;
    query.set("columns", isUsual ? "" : keys.join(","));
    this.#go(query);
  }

  /** Who has chosen columns before, and opens no address that names some, finds them again. */
  #takeKeptColumns() {
    let kept = null;
    try {
      kept = localStorage.getItem("usage-columns");
    } catch {
      return;
    }
    const query = this.#query;
    if (!kept || query.has("columns")) return;
    query.set("columns", kept);
    history.replaceState(null, "", `?${query.toString().replaceAll("%2C", ",")}`);
    this.#fetch(query);
  }

  // --- A row's menu, and acts ---

  #prepareMenu(button) {
    const row = button.closest("tr");
    this.#row = row.dataset;
    const menu = this.querySelector("#row-menu");
    for (const other of document.querySelectorAll("[popovertarget=row-menu]")) {
      if (other !== button) other.removeAttribute("popovertarget");
    }
    menu.setAttribute("aria-label", `Acts on ${row.dataset.label}`);
    for (const item of menu.querySelectorAll("[data-for]")) {
      const wants = item.dataset.for.split(" ");
      item.hidden = !wants.every((want) => (want.startsWith("!") ? !(want.slice(1) in row.dataset) : want in row.dataset));
    }
    menu.querySelector("[data-to=play]").href = row.dataset.play;
    menu.querySelector("[data-to=details]").href = row.dataset.base;
    menu.querySelector("[data-scale-bounds]").textContent = row.dataset.replicas;
    button.setAttribute("popovertarget", menu.id);
  }

  #act(button) {
    const menu = button.closest("#row-menu");
    const place = menu ? this.#row : (button.closest("[data-base]") ?? this).dataset;
    menu?.hidePopover();
    const { base, slug, label } = place;
    switch (button.dataset.act) {
      case "copy":
        this.#copy(slug);
        break;
      case "enable":
      case "disable":
        this.#setEnabled(base, label, button.dataset.act === "enable");
        break;
      case "retry":
        this.#do(`${base}/retry`, {}, "It begins again.");
        break;
      default:
        openDialog(`${base}/acts/${button.dataset.act}?span=${this.#query.get("span") ?? USUAL.span}`, (said) => this.#done(said));
    }
  }

  async #setEnabled(base, label, isOn) {
    const enabled = isOn ? "yes" : "no";
    const said = isOn ? `${label} is switched on.` : `${label} is switched off. Its replicas stop after the calls that are running.`;
    if (!(await this.#do(`${base}/enable`, { enabled }, said)) || isOn) return;
    offerUndo(said, () => this.#setEnabled(base, label, true));
  }

  async #do(address, values, said) {
    const problem = await act(address, values);
    const place = this.querySelector("[data-problem]");
    place.hidden = problem === null;
    place.querySelector("[data-problem-text]").textContent = problem ?? "";
    if (problem === null) this.#done(said);
    else alarm(problem);
    return problem === null;
  }

  #done(said) {
    if (said) announce(said);
    this.#poll();
  }

  async #copy(slug) {
    await copyText(slug);
    announce(`Copied ${slug}`);
    this.#say(`Copied ${slug}`);
  }

  // --- Hints ---

  #hint = (event) => {
    const near = event.target.closest("[data-words]");
    const tip = this.querySelector("#usage-hint");
    if (event.type === "pointerover" || event.type === "focusin") {
      // Not at once: a menu that closes gives the focus back while it is still closing.
      if (near) requestAnimationFrame(() => near.isConnected && (near.matches(":hover") || near === document.activeElement) && this.#showHint(near));
    } else if (near ? !near.contains(event.relatedTarget) && !tip.contains(event.relatedTarget) && near !== document.activeElement : event.target === tip) {
      if (tip.matches(":popover-open")) tip.hidePopover();
    }
  };

  #escape = (event) => {
    const tip = this.querySelector("#usage-hint");
    if (event.key === "Escape" && tip.matches(":popover-open")) tip.hidePopover();
  };

  #showHint(near) {
    const tip = this.querySelector("#usage-hint");
    tip.textContent = near.dataset.words;
    this.#placeHint(tip, near.getBoundingClientRect());
  }

  #placeHint(tip, box) {
    if (!tip.matches(":popover-open")) tip.showPopover();
    const { width, height } = tip.getBoundingClientRect();
    const below = box.bottom + 6;
    tip.style.setProperty("top", `${below + height > innerHeight - 8 ? box.top - height - 6 : below}px`);
    tip.style.setProperty("left", `${Math.max(8, Math.min(box.right - width, innerWidth - width - 8))}px`);
  }

  #say(text) {
    const tip = this.querySelector("#usage-hint");
    const near = [...this.querySelectorAll("[data-copy]")].find((one) => text.endsWith(` ${one.dataset.copy}`));
    if (!near) return;
    tip.textContent = "Copied";
    this.#placeHint(tip, near.getBoundingClientRect());
    setTimeout(() => tip.textContent === "Copied" && tip.matches(":popover-open") && tip.hidePopover(), 1500);
  }
}

customElements.define("usage-table", UsageTable);
