/* A button that asks before it acts: opens its dialog; where a name must be typed, the act waits for that name. */
class AskDialog extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.#click);
    this.addEventListener("input", this.#check);
  }

  get #dialog() {
    return this.querySelector("dialog");
  }

  #click = (event) => {
    if (event.target.closest("[data-ask]")) this.#open();
    else if (event.target.closest("[data-close]")) this.#dialog.close();
  };

  #open() {
    this.querySelector("form").reset();
    this.#check();
    this.#dialog.showModal();
  }

  #check = () => {
    const field = this.querySelector("[data-typed]");
    if (!field) return;
    this.querySelector("[data-act]").disabled = field.value.trim() !== field.dataset.typed;
  };
}

// Buttons that follow what changes elsewhere are left alone while someone answers their question.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.detail.target.querySelector("dialog[open]")) event.detail.shouldSwap = false;
});

customElements.define("ask-dialog", AskDialog);
