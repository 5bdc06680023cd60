/* The list of runs: searched and kept right in place. New runs wait while somebody is among the rows. */
import { alarm, announce } from "../announce.js";
import { figure, plural } from "../format.js";
import { deleteRuns, runAgain, shareRun } from "../runs/acts.js";
import { Grid } from "../table/grid.js";
import { morph } from "../table/morph.js";

const POLL_MS = 2000;
const TYPING_MS = 250;

class RunsTable extends HTMLElement {
  #grid;
  #timer = 0;
  #typing = 0;
  #turn = 0;
  #asking = 0; // what is under way that somebody has asked for
  #row = null;

  connectedCallback() {
    this.#grid = new Grid(this, {
      chosen: [],
      open: (row) => location.assign(row.dataset.url),
      changed: this.#chosenChanged,
    });
    this.addEventListener("submit", this.#submit);
    this.addEventListener("input", this.#type);
    this.addEventListener("change", this.#change);
    this.addEventListener("click", this.#click);
    addEventListener("popstate", this.#back);
    this.dataset.live = "";
    this.#settle();
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
    return this.querySelector("#runs-filter");
  }

  get #query() {
    return new URLSearchParams(location.search);
  }

  /** Whether somebody is among the rows, has chosen some, or acts on one. */
  get #isBusy() {
    const body = this.querySelector("tbody");
    const isThere = body?.matches(":hover") || body?.contains(document.activeElement);
    return Boolean(isThere || this.#grid.chosen.size || document.querySelector("dialog[open]") || this.querySelector("#run-menu:popover-open"));
  }

  #submit = (event) => {
    event.preventDefault();
    this.#go(new URLSearchParams(new FormData(event.target)));
  };

  #type = (event) => {
    if (event.target !== this.#filter) return;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#filter.form.requestSubmit(), TYPING_MS);
  };

  #change = (event) => {
    if (event.target.matches("select")) event.target.form.requestSubmit();
  };

  #back = () => this.#show(this.#query);

  #click = (event) => {
    const hit = (selector) => event.target.closest(selector);
    const link = hit(".segmented a, .page__pages a, [data-soft]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.#go(new URL(link.href).searchParams);
    } else if (hit("[data-choose-none]")) this.#grid.chooseNone();
    else if (hit("[data-show-newer]")) this.#showNewer();
    else if (hit("[data-menu]")) this.#prepareMenu(hit("[data-menu]"));
    else if (hit("[data-act]")) this.#act(hit("[data-act]").dataset.act);
    else if (hit("[data-to]")) this.querySelector("#run-menu").hidePopover();
  };

  // What is shown stands in the address.

  #go(query) {
    for (const [name, value] of [...query]) if (!value || name === "seen" || name === "keep") query.delete(name);
    const text = query.toString();
    history.pushState(null, "", text ? `?${text}` : location.pathname);
    this.#show(query);
  }

  async #show(query) {
    this.#grid.chooseNone();
    if (!(await this.#fetch(query))) return;
    if (document.activeElement !== this.#filter) this.#filter.value = query.get("q") ?? "";
    announce(this.querySelector(".runs__count").textContent.trim() + " runs");
  }

  #showNewer() {
    this.#grid.chooseNone();
    const query = this.#query;
    query.delete("page");
    this.#fetch(query).then(() => this.querySelector("tbody a")?.focus());
  }

  #poll = () => {
    if (document.visibilityState !== "visible" || this.#asking) return;
    const query = this.#query;
    const newest = this.#part.dataset.newest;
    if (this.#isBusy && newest && !query.has("page")) query.set("keep", newest);
    query.set("seen", this.#part.dataset.seen);
    this.#fetch(query, { isPoll: true });
  };

  /** Draws what the server has to that; false when nothing came, or something newer was asked meanwhile. */
  async #fetch(query, { isPoll = false } = {}) {
    const turn = ++this.#turn;
    const dim = isPoll ? 0 : setTimeout(() => this.toggleAttribute("data-waiting", true), 150);
    this.#asking += !isPoll;
    try {
      const answer = await fetch(`${this.dataset.url}?${query}`, { headers: { Accept: "text/html" } });
      if (turn !== this.#turn || answer.status === 204) return false;
      if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
      this.#draw(await answer.text());
      return true;
    } catch {
      if (!isPoll) alarm("The server cannot be reached. The list is as it was.");
      return false;
    } finally {
      this.#asking -= !isPoll;
      clearTimeout(dim);
      if (turn === this.#turn) this.removeAttribute("data-waiting");
    }
  }

  #draw(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const focused = document.activeElement;
    const row = focused?.closest("tbody tr");
    const at = row ? [...row.parentElement.rows].indexOf(row) : -1;
    morph(this.#part, holder.content.querySelector("[data-part]"));
    this.#settle();
    if (at >= 0 && !row.isConnected) {
      const rows = this.querySelectorAll("tbody tr");
      rows[Math.min(at, rows.length - 1)]?.querySelector("a")?.focus({ preventScroll: true });
    }
  }

  #settle() {
    const there = new Set([...this.querySelectorAll("tbody tr")].map((row) => row.dataset.key));
    for (const key of [...this.#grid.chosen]) if (!there.has(key)) this.#grid.chosen.delete(key);
    if (there.size) this.#grid.settle();
    this.#chosenChanged();
  }

  #chosenChanged = () => {
    const count = this.#grid.chosen.size;
    this.querySelector("[data-chosen]").hidden = count === 0;
    this.querySelector("[data-chosen-count]").textContent = `${figure(count)} selected`;
  };

  // A row's menu, and acts.

  #prepareMenu(button) {
    const row = button.closest("tr").dataset;
    this.#row = row;
    const menu = this.querySelector("#run-menu");
    for (const other of document.querySelectorAll("[popovertarget=run-menu]")) {
      if (other !== button) other.removeAttribute("popovertarget");
    }
    menu.setAttribute("aria-label", `Acts on ${row.label}`);
    for (const item of menu.querySelectorAll("[data-for]")) item.hidden = !(item.dataset.for in row);
    menu.querySelector("[data-to=open]").href = row.url;
    menu.querySelector("[data-to=compare]").search = `run=${row.key}`;
    menu.querySelector("[data-to=zip]").href = `${row.url}/export`;
    menu.querySelector("[data-to=json]").href = `${row.url}/export?format=json`;
    button.setAttribute("popovertarget", menu.id);
  }

  #act(name) {
    if (name === "delete-chosen") {
      this.#delete([...this.#grid.chosen]);
      return;
    }
    this.querySelector("#run-menu").hidePopover();
    const { key, url } = this.#row;
    if (name === "again") runAgain(key, url);
    else if (name === "share") shareRun(url, () => this.#fetch(this.#query));
    else this.#delete([key]);
  }

  #delete(ids) {
    const ended = ids.filter((id) => this.querySelector(`tr[data-key="${CSS.escape(id)}"][data-ended]`));
    if (ended.length < ids.length) alarm(`${plural(ids.length - ended.length, "run")} still going on: stop first, then delete.`);
    this.#grid.chooseNone();
    if (ended.length) deleteRuns(this.dataset.runs, ended, () => this.#fetch(this.#query));
  }
}

customElements.define("runs-table", RunsTable);
