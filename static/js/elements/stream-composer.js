/* The inputs of a stream, sent one at a time while answers come. */
import { make } from "../dom.js";

class StreamComposer extends HTMLElement {
  #run = null;
  #socket = null;

  connectedCallback() {
    this.#part("send").addEventListener("click", this.#send);
    this.#part("end").addEventListener("click", this.#end);
    this.addEventListener("keydown", this.#keys);
  }

  get field() {
    return this.querySelector("play-field");
  }

  /** What stands in the control as the first input: [value], [] when it is empty, or null when it does not fit. */
  takeFirst() {
    if (!this.#isFilled) return [];
    const result = this.field.check();
    if (result.error) return null;
    this.#clear();
    return "value" in result ? [result.value] : [];
  }

  /** Send to this run from now on. */
  follow(run, socket) {
    this.#run?.removeEventListener("change", this.#changed);
    this.#run = run;
    this.#socket = socket;
    this.#list.replaceChildren();
    for (const value of run.sent) this.#note(value);
    run.addEventListener("change", this.#changed);
    run.addEventListener("refused-input", (event) => this.field.showError(event.detail.message));
    run.addEventListener("notice", (event) => this.field.showError(event.detail.message));
    this.#changed();
    if (this.#isOpen && this.offsetParent) this.field.reveal();
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  get #list() {
    return this.#part("sent");
  }

  get #isOpen() {
    return Boolean(this.#run && !this.#run.isOver && this.#run.isOpen);
  }

  get #isFilled() {
    return !this.field.isEmpty;
  }

  /** A text makes room for the next; what was chosen or filled in stays, to be sent again with changes. */
  #clear() {
    if (typeof this.field.raw === "string") this.field.raw = "";
  }

  #changed = () => {
    for (const name of ["send", "end"]) this.#part(name).disabled = !this.#isOpen;
  };

  #keys = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (!event.target.matches("[data-input]") || event.target.closest("play-field").isPart) return;
    if (["json", "array"].includes(this.field.spec.kind)) return; // there Enter begins a line
    event.preventDefault();
    if (this.#isOpen) this.#send();
    else this.dispatchEvent(new CustomEvent("run-asked", { bubbles: true }));
  };

  #send = () => {
    if (!this.#isOpen || !this.#isFilled) return;
    const result = this.field.check();
    if (!("value" in result)) return;
    this.#socket.input(this.#run, result.value);
    this.#run.sent.push(result.value);
    this.#note(result.value);
    this.#clear();
    this.field.reveal();
  };

  #end = () => {
    if (!this.#isOpen) return;
    this.#run.isOpen = false;
    this.#socket.closeInput(this.#run);
    this.#changed();
  };

  #note(value) {
    const words = typeof value === "string" ? value : (value?.text ?? value?.name ?? JSON.stringify(value));
    this.#list.append(make("li", "", words));
    while (this.#list.childElementCount > 200) this.#list.firstChild.remove();
    this.#list.hidden = false;
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}

customElements.define("stream-composer", StreamComposer);
