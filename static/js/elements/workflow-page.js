/* A workflow's page: its form, and the run that is open. Of another's run by its link there is no form. */
import { announce } from "../announce.js";
import { duration, plural } from "../format.js";
import { bring } from "../parts.js";
import { takeAgain } from "../state/again.js";
import { readDraft, saveDraft } from "../state/drafts.js";
import { newRunId } from "../state/run.js";
import { WorkflowRun } from "../state/workflow-run.js";
import { RunSocket } from "../transport/socket.js";
import "./workflow-view.js";

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

class WorkflowPage extends HTMLElement {
  #socket = null;
  #run = null;
  #timer = 0;

  async connectedCallback() {
    this.#socket = new RunSocket(this.dataset.socket);
    this.#socket.addEventListener("connection", (event) => (this.#view.isOnline = event.detail.isOnline));
    this.addEventListener("field-change", () => this.#saveDraft());
    this.addEventListener("run-again", () => this.#again());
    this.addEventListener("htmx:afterSettle", this.#markRun);
    await bring(this); // its fields are asked for their values
    if (this.isConnected) this.#begin();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#keys);
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #begin() {
    const facts = this.dataset.run && JSON.parse(this.dataset.run);
    if (this.#press) {
      if (isApple) this.querySelector("[data-run-keys]").textContent = "⌘ ⏎";
      this.#restoreDraft(facts);
      this.#press.addEventListener("click", () => (this.#isRunning ? this.#stop() : this.#start()));
      document.addEventListener("keydown", this.#keys);
    }
    if (facts && this.#press && takeAgain(facts.id)) this.#start();
    else if (facts) this.#attach(facts);
    this.setAttribute("data-begun", "");
  }

  get #view() {
    return this.querySelector("workflow-view");
  }

  get #press() {
    return this.querySelector("[data-run-press]");
  }

  get #isRunning() {
    return Boolean(this.#run) && !this.#run.isOver;
  }

  get #fields() {
    return [...this.querySelectorAll("[data-form] play-field")].filter((field) => !field.isPart);
  }

  // Drafts.

  get #draftKey() {
    return `${this.dataset.user}:${this.dataset.workflow}`;
  }

  #saveDraft() {
    const values = Object.fromEntries(this.#fields.map((field) => [field.name, field.draft]));
    saveDraft(this.#draftKey, { run: this.#run?.id ?? null, values });
  }

  /** What was typed before; the arguments of an opened run win over the draft of another. */
  #restoreDraft(facts) {
    const draft = readDraft(this.#draftKey);
    if (!draft || (facts && draft.run !== facts.id)) return;
    for (const field of this.#fields) if (field.name in draft.values && !("typed" in field.dataset)) field.raw = draft.values[field.name];
  }

  // Running.

  #keys = (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    if (event.key === "Enter") {
      event.preventDefault();
      if (!this.#isRunning) this.#start();
    } else if (event.key === "." && this.#isRunning) {
      event.preventDefault();
      this.#stop();
    }
  };

  #start() {
    if (this.#isRunning || this.#press.disabled) return;
    const given = this.#readArguments();
    if (!given) return;
    const run = new WorkflowRun({ id: newRunId(), method: "predict", arguments: given, selector: {}, asked: { label: this.dataset.name, selector: {} }, isFollowed: true });
    this.#follow(run);
    const { workflow, version } = this.dataset;
    this.#socket.start(run, { type: "start", run: run.id, workflow, version, arguments: given });
    const address = new URL(this.dataset.page, location.href);
    address.search = location.pathname === address.pathname ? location.search : "";
    address.searchParams.set("run", run.id);
    history.replaceState(null, "", address);
    this.#saveDraft();
    if (matchMedia("(width < 720px)").matches) this.querySelector(".workflow__result").scrollIntoView();
  }

  /** The arguments by name; null, with the messages beside the fields, when some do not fit. */
  #readArguments() {
    const given = {};
    const wrong = [];
    for (const field of this.#fields) {
      const result = field.check();
      if (result.error) wrong.push(field);
      else if ("value" in result) given[field.name] = result.value;
    }
    if (!wrong.length) return given;
    wrong[0].reveal();
    announce(`Nothing was run: ${plural(wrong.length, "field")} to mend.`);
    return null;
  }

  #attach(facts) {
    const run = new WorkflowRun({
      ...facts,
      key: this.dataset.key,
      asked: { label: this.dataset.name, selector: {} },
      state: "starting",
      isFollowed: facts.state === "running",
    });
    this.#follow(run);
    this.#socket.attach(run);
  }

  #follow(run) {
    if (this.#run) this.#socket.leave(this.#run);
    this.#run = run;
    run.addEventListener("change", (event) => {
      if (run !== this.#run) return;
      this.#drawButton();
      const isNews = ["started", "refused"].some((kind) => event.detail.has(kind)) || run.isOver;
      if (isNews && run.isFollowed) document.body.dispatchEvent(new CustomEvent("runs-changed"));
      if (run.state === "refused") this.#showRefusal(run.error);
    });
    this.#view.run = run;
    this.#drawButton();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#drawSeconds(), 100);
    this.#markRun();
  }

  /** The open run in the strip of recent ones, which is drawn anew when there is a new one. */
  #markRun = () => {
    for (const link of this.querySelectorAll("[data-run-link]")) {
      if (link.dataset.runLink === this.#run?.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };

  /** What the server refused stands beside its field too. */
  #showRefusal(error) {
    const field = this.#fields.find((entry) => entry.name === error?.field);
    field?.showError(error.message);
    field?.reveal();
  }

  #stop() {
    if (this.#run.isStopping) return;
    this.#run.stopping();
    this.#socket.stop(this.#run);
    announce("Stopping…");
  }

  #again() {
    if (!this.#run?.isOver || !this.#press) return;
    for (const field of this.#fields) {
      if (field.name in this.#run.arguments) field.plain = this.#run.arguments[field.name];
    }
    this.#start();
  }

  // The button that is Run, then Stop, in the same place.

  #drawButton() {
    const press = this.#press;
    if (!press) return;
    const isRunning = this.#isRunning;
    press.classList.toggle("button--primary", !isRunning);
    press.classList.toggle("button--stop", isRunning);
    press.querySelector("use").setAttribute("href", `${document.body.dataset.icons}#${isRunning ? "stop" : "play"}`);
    this.querySelector("[data-run-keys]").hidden = isRunning;
    this.#drawSeconds();
    if (!isRunning) clearInterval(this.#timer);
  }

  #drawSeconds() {
    const label = this.querySelector("[data-run-label]");
    if (!label) return;
    const run = this.#run;
    if (!this.#isRunning) label.textContent = "Run";
    else label.textContent = run.isStopping ? "Stopping…" : `Stop ${duration(run.elapsedMs)}`;
  }
}

customElements.define("workflow-page", WorkflowPage);
