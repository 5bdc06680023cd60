/* The menu of the run that is open: again, share, save, delete. What it does is fetched when it is asked for. */
class RunActs extends HTMLElement {
  connectedCallback() {
    this.addEventListener("pointerdown", this.#prepare, true);
    this.addEventListener("click", this.#prepare, true);
    this.addEventListener("click", this.#click);
  }

  get #run() {
    return this.closest("run-view, workflow-view").run;
  }

  get #address() {
    return `${this.dataset.runs}${this.#run.id}`;
  }

  #prepare = (event) => {
    if (!event.target.closest("[popovertarget]")) return;
    const isKept = this.#run.state !== "refused";
    for (const item of this.querySelectorAll(".menu__item")) {
      const isEarly = (item.dataset.for === "ended" && !this.#run.isOver) || (item.dataset.for === "model" && !this.closest("run-view"));
      item.hidden = isEarly || (!isKept && item.dataset.act !== "again");
    }
    const compare = this.querySelector("[data-to=compare]");
    compare.search = `run=${this.#run.id}`;
    this.querySelector("[data-to=zip]").href = `${this.#address}/export`;
    this.querySelector("[data-to=json]").href = `${this.#address}/export?format=json`;
  };

  #click = async (event) => {
    const name = event.target.closest("[data-act]")?.dataset.act;
    if (!name && !event.target.closest("[data-to]")) return;
    this.querySelector("[popover]").hidePopover();
    if (name === "again") this.dispatchEvent(new CustomEvent("run-again", { bubbles: true }));
    if (name !== "share" && name !== "delete") return;
    const { deleteRuns, shareRun } = await import("../runs/acts.js");
    if (name === "share") shareRun(this.#address);
    else deleteRuns(this.dataset.runs, [this.#run.id], () => document.body.dispatchEvent(new CustomEvent("runs-changed")));
  };
}

customElements.define("run-acts", RunActs);
