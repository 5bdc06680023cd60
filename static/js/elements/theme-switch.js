/* System, light or dark: kept for this browser. */
class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.#choose);
    this.addEventListener("keydown", this.#move);
    this.#show(read());
  }

  get #choices() {
    return [...this.querySelectorAll("[data-theme-choice]")];
  }

  #choose = (event) => {
    const choice = event.target.closest("[data-theme-choice]");
    if (choice) this.#set(choice.dataset.themeChoice);
  };

  #move = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const choices = this.#choices;
    const at = choices.findIndex((choice) => choice.getAttribute("aria-checked") === "true");
    const next = choices[(at + step + choices.length) % choices.length];
    this.#set(next.dataset.themeChoice);
    next.focus();
  };

  #set(theme) {
    try {
      if (theme) localStorage.setItem("theme", theme);
      else localStorage.removeItem("theme");
    } catch {
      // Storage is refused: it holds for this page.
    }
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    this.#show(theme);
  }

  #show(theme) {
    for (const choice of this.#choices) {
      const isChosen = choice.dataset.themeChoice === theme;
      choice.setAttribute("aria-checked", String(isChosen));
      choice.tabIndex = isChosen ? 0 : -1;
    }
  }
}

function read() {
  return document.documentElement.dataset.theme ?? "";
}

customElements.define("theme-switch", ThemeSwitch);
