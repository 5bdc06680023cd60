/* The way to Compare from a model's page: takes along the run that is open, else the method and the place chosen. */
class CompareLink extends HTMLElement {
  connectedCallback() {
    for (const kind of ["pointerdown", "click"]) this.addEventListener(kind, this.#leave);
  }

  #leave = () => {
    const page = document.querySelector("play-page");
    if (!page?.asked) return;
    const { method, run } = page.asked;
    const link = this.querySelector("a");
    const address = new URL(link.href);
    const place = document.querySelector("deployment-picker")?.dataset.query ?? "";
    const words = run ? { run } : { model: page.dataset.model, method, ...Object.fromEntries(new URLSearchParams(place)) };
    address.search = new URLSearchParams(words);
    link.href = address.href;
  };
}

customElements.define("compare-link", CompareLink);
