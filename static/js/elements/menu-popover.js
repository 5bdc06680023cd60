/* A popover beside the button that opens it: arrows, Home, End and typing move, or search where there is a field for it; focus
   goes back to the button. */
const GAP = 4;
const EDGE = 8;

class MenuPopover extends HTMLElement {
  #typed = "";
  #typedAt = 0;
  #isUsed = false; // by keys, since it began to open

  connectedCallback() {
    this.addEventListener("beforetoggle", this.#placeBefore);
    this.addEventListener("toggle", this.#toggled);
    this.addEventListener("keydown", this.#move);
    this.addEventListener("click", (event) => event.target.closest("a[download]") && this.hidePopover());
    addEventListener("resize", this.#place);
  }

  disconnectedCallback() {
    removeEventListener("resize", this.#place);
  }

  get #opener() {
    return document.querySelector(`[popovertarget="${this.id}"]`);
  }

  get #items() {
    return [...this.querySelectorAll("a, button, input:is([type=search], [type=checkbox])")].filter((item) => item.tabIndex >= 0 && !item.disabled);
  }

  get #first() {
    return this.querySelector("input[type=search], [aria-current]") ?? this.#items[0];
  }

  #placeBefore = (event) => {
    if (event.newState !== "open") return;
    // The browser focuses it as it opens: told of only later, a quick second Enter would close what the first opened.
    if (this.#first) this.#first.autofocus = true;
    this.#isUsed = false;
    requestAnimationFrame(this.#place);
  };

  #toggled = (event) => {
    const isOpen = event.newState === "open";
    this.#opener?.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return;
    this.#place();
    if (this.#isUsed) return;
    const first = this.#first;
    first?.focus();
    first?.select?.();
  };

  #place = () => {
    if (!this.matches(":popover-open")) return;
    const opener = this.#opener.getBoundingClientRect();
    this.style.setProperty("min-inline-size", `${Math.max(opener.width, 208)}px`);
    const { width, height } = this.getBoundingClientRect();
    const below = opener.bottom + GAP;
    const isAbove = below + height > innerHeight - EDGE && opener.top - GAP - height > EDGE;
    const left = opener.left + width > innerWidth - EDGE ? opener.right - width : opener.left;
    this.style.setProperty("top", `${isAbove ? opener.top - GAP - height : below}px`);
    this.style.setProperty("left", `${Math.max(EDGE, left)}px`);
  };

  #move = (event) => {
    this.#isUsed = true;
    const items = this.#items;
    if (event.target.matches("input") && !/^Arrow(Up|Down)$/.test(event.key)) return this.#choose(event);
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items[(to + items.length) % items.length]?.focus();
    } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) {
      this.#find(event.key, items, at);
    }
  };

  /** Enter in the search takes the first one found, once it has been found; Escape closes, whatever was typed. */
  #choose(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      this.hidePopover();
    } else if (event.key === "Enter") {
      const list = this.querySelector("[data-found-for]");
      if (list?.dataset.foundFor === event.target.value.trim()) list.querySelector("a, button")?.click();
    }
  }

  #find(key, items, at) {
    const now = performance.now();
    this.#typed = now - this.#typedAt < 600 ? this.#typed + key.toLowerCase() : key.toLowerCase();
    this.#typedAt = now;
    const from = this.#typed.length > 1 ? at : at + 1;
    const ordered = [...items.slice(from), ...items.slice(0, from)];
    ordered.find((item) => item.textContent.trim().toLowerCase().startsWith(this.#typed))?.focus();
  }
}

customElements.define("menu-popover", MenuPopover);
