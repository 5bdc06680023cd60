/* The button that shows which deployment is called, and the list to choose another from, fetched when it opens. */
const htmx = window.htmx;

class DeploymentPicker extends HTMLElement {
  connectedCallback() {
    this.#menu.addEventListener("toggle", this.#toggled);
    this.addEventListener("click", this.#clicked);
    this.addEventListener("submit", this.#submitted);
    // A list to choose from has arrows and letters of its own.
    this.#list.addEventListener("keydown", (event) => event.target.matches("select") && event.stopPropagation());
    this.addEventListener("deployment-made", (event) => this.choose(event.detail.query));
  }

  get #menu() {
    return this.querySelector("menu-popover");
  }

  get #list() {
    return this.querySelector("[data-places-list]");
  }

  open() {
    this.#menu.showPopover();
  }

  /** Choose what a query string names ("" is Shared): the button and the panel of its state are drawn anew. */
  async choose(query) {
    if (this.#menu.matches(":popover-open")) this.#menu.hidePopover();
    if (this.dataset.refusal) return location.assign(`${location.pathname}?${query}`); // the whole page tells of it
    const page = this.parentElement;
    this.querySelector("#places-button").focus();
    await htmx.ajax("GET", `${this.dataset.placeUrl}?${query}`, { source: this, target: this, swap: "outerHTML" });
    const fresh = page.querySelector("deployment-picker");
    fresh.dispatchEvent(new CustomEvent("place-chosen", { bubbles: true }));
  }

  #toggled = (event) => {
    if (event.newState === "open") this.#fill("");
  };

  async #fill(more) {
    const address = `${this.dataset.placesUrl}?${this.dataset.query}${more}`;
    await htmx.ajax("GET", address, { source: this.#list, target: this.#list, swap: "innerHTML" });
    if (!this.#menu.matches(":popover-open")) return;
    dispatchEvent(new Event("resize")); // it has another size by now: placed anew
    const first = ["select", "input", "[aria-current]", "a"].map((kind) => this.#list.querySelector(kind)).find(Boolean);
    first?.focus();
  }

  #clicked = (event) => {
    if (event.target.closest("[data-pair]")) this.#fill("&by=pair");
    else if (event.target.closest("[data-back]")) this.#fill("");
  };

  #submitted = (event) => {
    event.preventDefault();
    this.choose(new URLSearchParams(new FormData(event.target)).toString());
  };
}

customElements.define("deployment-picker", DeploymentPicker);

/** Links that name a place choose it where there is a picker of that model; elsewhere they lead to its page. */
document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("[data-open-places]")) document.querySelector("deployment-picker").open();
  const link = event.target.closest("[data-place]");
  const picker = link && (link.closest("deployment-picker") ?? document.querySelector("deployment-picker"));
  if (!picker || (link.dataset.model && link.dataset.model !== picker.dataset.model)) return;
  event.preventDefault();
  link.closest("dialog")?.close();
  picker.choose(link.dataset.place);
});

// The one that is chosen was deleted: what the server says of that takes the panel's place.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (target?.id === "deployment" && xhr.status === 404) event.detail.shouldSwap = true;
});
