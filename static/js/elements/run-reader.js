/* Another's run, by its link: read as it is stored, and while it goes on. */
import { Run } from "../state/run.js";
import { RunSocket } from "../transport/socket.js";

class RunReader extends HTMLElement {
  #socket = null;

  connectedCallback() {
    customElements.whenDefined("run-view").then(() => this.#begin());
  }

  disconnectedCallback() {
    this.#socket?.close();
  }

  #begin() {
    const facts = JSON.parse(this.dataset.run);
    const run = new Run({
      ...facts,
      key: this.dataset.key,
      sent: [],
      asked: { label: this.dataset.asked, selector: facts.selector },
      shape: JSON.parse(this.dataset.shape),
      state: "starting",
      isFollowed: false,
    });
    this.#socket = new RunSocket(this.dataset.socket);
    const view = this.querySelector("run-view");
    this.#socket.addEventListener("connection", (event) => (view.isOnline = event.detail.isOnline));
    view.run = run;
    this.#socket.attach(run);
    this.setAttribute("data-begun", "");
  }
}

customElements.define("run-reader", RunReader);
