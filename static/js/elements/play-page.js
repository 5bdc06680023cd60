/* The model page: which method, what is asked, and the run that is open. */
import { alarm, announce } from "../announce.js";
import { duration, plural } from "../format.js";
import { bring } from "../parts.js";
import { takeAgain } from "../state/again.js";
import { readDraft, saveDraft } from "../state/drafts.js";
import { Run, newRunId } from "../state/run.js";
import { RunSocket } from "../transport/socket.js";

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
const UPLOAD_GAP = 50;

class PlayPage extends HTMLElement {
  #socket = null;
  #run = null;
  #chosen = "";
  #timer = 0;
  #isWaiting = false; // for an upload, to run then

  connectedCallback() {
    this.#socket = new RunSocket(this.dataset.socket);
    this.#socket.addEventListener("connection", (event) => (this.#view.isOnline = event.detail.isOnline));
    this.addEventListener("click", this.#clicked);
    this.addEventListener("field-change", this.#changed);
    this.addEventListener("run-again", () => this.#again());
    this.addEventListener("run-asked", () => this.#start());
    this.addEventListener("htmx:afterSettle", this.#markRun);
    this.addEventListener("place-chosen", this.#placed);
    if (isApple) this.#part("run-keys").textContent = "⌘ ⏎";
    customElements.whenDefined("run-view").then(() => this.#begin());
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#keys);
    clearInterval(this.#timer);
    this.#socket.close();
  }

  get method() {
    return this.dataset.method;
  }

  /** What the form holds as far as it fits, for the tab API: nothing is said, and no secret is in it. */
  get asked() {
    const given = {};
    for (const field of this.#fields) {
      const result = field.peek();
      if ("value" in result) given[field.name] = result.value;
    }
    const item = this.#composer?.field;
    if (item) {
      const result = item.peek();
      const sent = this.#run?.method === this.method ? this.#run.arguments?.[item.name] : null;
      given[item.name] = "value" in result && !item.isEmpty ? [result.value] : (sent ?? []);
    }
    return { method: this.method, run: this.#run?.id ?? null, arguments: given };
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  get #view() {
    return this.querySelector("run-view");
  }

  get #form() {
    return this.querySelector(`[data-form][data-for-method="${CSS.escape(this.method)}"]`);
  }

  /** What the deployment picker has chosen. */
  get #place() {
    return this.querySelector("deployment-picker").dataset;
  }

  get #composer() {
    return this.#form?.querySelector("stream-composer");
  }

  get #allFields() {
    return [...this.querySelectorAll("play-field")].filter((field) => !field.isPart);
  }

  get #fields() {
    return this.#allFields.filter((field) => !field.isItem);
  }

  #begin() {
    if (this.dataset.like) this.#fillLike(JSON.parse(this.dataset.like));
    else this.#restoreDraft();
    this.#countChanged();
    const facts = this.dataset.run && JSON.parse(this.dataset.run);
    if (facts && takeAgain(facts.id)) this.#start();
    else if (facts) this.#attach(facts);
    this.#part("run-press").addEventListener("click", this.#press);
    document.addEventListener("keydown", this.#keys);
    this.setAttribute("data-begun", "");
  }

  // Methods and fields.

  #clicked = (event) => {
    const choice = event.target.closest("[data-method-choice]");
    if (choice && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.#chooseMethod(choice);
      choice.closest("[popover]").hidePopover();
    }
    if (event.target.closest("[data-reset]")) this.#reset();
    if (event.target.closest("[data-unfold]")) this.#unfold();
  };

  async #chooseMethod(choice) {
    const method = (this.#chosen = choice.dataset.methodChoice);
    await Promise.all(this.#sources(method).map((source) => bring(source.content)));
    if (this.#chosen !== method) return; // another one by now
    this.dataset.method = method;
    this.#showForms();
    for (const other of this.querySelectorAll("[data-method-choice]")) other.removeAttribute("aria-current");
    choice.setAttribute("aria-current", "true");
    this.#part("method-name").textContent = this.method;
    this.#part("method-words").textContent = choice.dataset.words;
    const hasSettings = Boolean(this.#form.dataset.hasSettings);
    this.classList.toggle("play--plain", !hasSettings);
    this.querySelector(".play__settings-button").hidden = !hasSettings;
    this.#countChanged();
    this.#setQuery({ method: this.method });
  }

  /** The templates of a method's form and of its parameters. */
  #sources(method) {
    return [...this.querySelectorAll(`template[data-form-of="${CSS.escape(method)}"]`)];
  }

  /** A fresh copy of the method's form and parameters takes the place of those that stand; drafts fill it. */
  #showForms() {
    for (const source of this.#sources(this.method)) {
      const part = source.parentElement.querySelector(":scope > [data-for-method]");
      part.replaceWith(document.importNode(source.content, true));
    }
    this.#restoreDraft();
    const isOurs = this.#run?.method === this.method && !this.#run.isOver;
    if (isOurs) this.#composer?.follow(this.#run, this.#socket);
  }

  /** The address and the result say where the next call goes. */
  #placed = () => {
    const { asked, query, refusal } = this.#place;
    const chosen = Object.fromEntries(new URLSearchParams(query));
    this.#setQuery({ deployment: "", owner: "", cluster: "", nodepool: "", ...chosen });
    announce(refusal || `Calls go to ${asked} from now on.`);
  };

  #setQuery(changes) {
    const address = new URL(this.dataset.page, location.href);
    address.search = location.pathname === address.pathname ? location.search : "";
    for (const [name, value] of Object.entries(changes)) {
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    history.replaceState(null, "", address);
  }

  #changed = (event) => {
    this.#countChanged();
    if (event.target.method) this.#saveDraft(event.target.method);
  };

  #countChanged() {
    const tag = this.#part("changed-count");
    const count = this.#fields.filter((field) => field.isSetting && field.isChanged).length;
    tag.hidden = count === 0;
    tag.textContent = String(count);
  }

  #reset() {
    for (const field of this.#fields) if (field.isSetting) field.reset();
    this.#countChanged();
    this.#saveDraft(this.method);
    announce("Settings are back at their defaults.");
  }

  #saveDraft(method) {
    const values = Object.fromEntries(this.#allFields.map((field) => [field.name, field.draft]));
    saveDraft(this.#draftKey(method), { run: this.#run?.id ?? null, values });
  }

  #draftKey(method) {
    return [this.dataset.user, this.dataset.model, method].join(":");
  }

  /** What was typed before; the arguments of an opened run win over the draft of another. */
  #restoreDraft() {
    const opened = this.dataset.run ? JSON.parse(this.dataset.run) : null;
    const draft = readDraft(this.#draftKey(this.method));
    const isStale = opened?.method === this.method && draft?.run !== opened.id && draft?.run !== this.#run?.id;
    if (!draft || isStale) return;
    for (const field of this.#allFields) {
      if (field.name in draft.values && !field.isSecret && !("typed" in field.dataset)) field.raw = draft.values[field.name];
    }
  }

  /** The files of another's run, fetched by its link; the rest stands in the form already. */
  #fillLike({ method, files }) {
    if (method !== this.method) return;
    for (const field of this.#fields.filter(({ name }) => name in files)) {
      const { url, name } = files[field.name];
      fetch(url)
        .then(async (answer) => answer.ok && field.take(new File([await answer.blob()], name, { type: answer.headers.get("content-type") })))
        .catch(() => alarm(`${name} cannot be fetched from the run.`));
    }
  }

  // Running.

  #press = () => {
    if (this.#run && !this.#run.isOver) this.#stop();
    else this.#start();
  };

  #keys = (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    const isRunning = this.#run && !this.#run.isOver;
    if (event.key === "Enter") {
      event.preventDefault();
      if (!isRunning) this.#start();
    } else if (event.key === "." && isRunning) {
      event.preventDefault();
      this.#stop();
    }
  };

  get #isUploading() {
    return [...this.querySelectorAll("media-input")].some((input) => input.isBusy);
  }

  async #start() {
    if (!this.#form || this.#isWaiting || (this.#run && !this.#run.isOver)) return;
    if (this.#isUploading) {
      announce("It runs once the upload is finished.");
      this.#isWaiting = true;
      const { method } = this;
      while (this.isConnected && this.#isUploading) await new Promise((resolve) => setTimeout(resolve, UPLOAD_GAP));
      this.#isWaiting = false;
      if (!this.isConnected || this.method !== method) return;
    }
    const given = this.#readArguments();
    if (!given) return;
    const composer = this.#composer;
    const facts = {
      id: newRunId(),
      method: this.method,
      arguments: this.#withoutSecrets(given),
      ...this.#askedFacts,
      shape: JSON.parse(this.#form.dataset.output),
      isStream: Boolean(composer),
      isOpen: Boolean(composer),
      sent: [...((composer && given[composer.field.name]) ?? [])],
      isFollowed: true,
    };
    const run = new Run(facts);
    this.#follow(run);
    this.#socket.start(run, {
      type: "start",
      run: run.id,
      model: this.dataset.model,
      version: this.dataset.version,
      method: run.method,
      arguments: given,
      selector: run.selector,
      open_input: Boolean(composer),
    });
    composer?.follow(run, this.#socket);
    this.#setQuery({ method: run.method, run: run.id });
    this.#saveDraft(run.method);
    this.#fold();
  }

  get #askedFacts() {
    const { selector: text, asked: label } = this.#place;
    const selector = JSON.parse(text);
    return { selector, asked: { label, selector } };
  }

  #withoutSecrets(given) {
    const secret = new Set(this.#fields.filter((field) => field.isSecret).map((field) => field.name));
    return Object.fromEntries(Object.entries(given).filter(([name]) => !secret.has(name)));
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
    const first = this.#composer?.takeFirst();
    if (first === null) wrong.push(this.#composer.field);
    else if (first) given[this.#composer.field.name] = first;
    if (!wrong.length) return given;
    this.#unfold();
    this.#showField(wrong[0]);
    announce(`Nothing was run: ${plural(wrong.length, "field")} to mend.`);
    return null;
  }

  #showField(field) {
    const pane = field.closest("[popover]");
    if (pane && getComputedStyle(pane).display === "none") pane.showPopover();
    field.reveal();
  }

  #attach(facts) {
    const form = this.querySelector(`[data-form][data-for-method="${CSS.escape(facts.method)}"]`);
    const isStream = Boolean(form?.dataset.stream);
    const composer = form?.querySelector("stream-composer");
    const run = new Run({
      ...facts,
      sent: [...((composer && facts.arguments[composer.field.name]) ?? [])],
      asked: { label: this.#place.asked, selector: facts.selector },
      shape: form ? JSON.parse(form.dataset.output) : null,
      state: "starting",
      isStream,
      isOpen: isStream && facts.state === "running",
      isFollowed: facts.state === "running",
    });
    this.#follow(run);
    this.#socket.attach(run);
    composer?.follow(run, this.#socket);
    if (run.isFollowed) this.#fold();
  }

  #follow(run) {
    if (this.#run) this.#socket.leave(this.#run);
    this.#run = run;
    run.addEventListener("change", (event) => {
      if (run !== this.#run) return;
      this.#drawButton();
      if (event.detail.has("deploying")) document.body.dispatchEvent(new CustomEvent("deployment-news"));
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
    if (!field) return;
    this.#unfold();
    field.showError(error.message);
    this.#showField(field);
  }

  #stop() {
    if (this.#run.isStopping) return;
    this.#run.stopping();
    this.#socket.stop(this.#run);
    announce("Stopping…");
  }

  async #again() {
    const run = this.#run;
    if (!run?.isOver) return;
    const choice = this.querySelector(`[data-method-choice="${CSS.escape(run.method)}"]`);
    if (!choice) return;
    if (run.method !== this.method) await this.#chooseMethod(choice);
    for (const field of this.#fields) {
      if (field.isSecret) continue; // a run does not keep it: what stands there is what was meant
      if (field.name in run.arguments) field.plain = run.arguments[field.name];
      else field.reset();
    }
    const item = this.#composer?.field;
    const first = ((item && run.arguments[item.name]) ?? [])[0];
    if (first !== undefined) item.plain = first;
    this.#start();
  }

  // The button that is Run, then Stop, in the same place.

  #drawButton() {
    const run = this.#run;
    const isRunning = Boolean(run) && !run.isOver;
    const press = this.#part("run-press");
    press.classList.toggle("button--primary", !isRunning);
    press.classList.toggle("button--stop", isRunning);
    press.querySelector("use").setAttribute("href", `${document.body.dataset.icons}#${isRunning ? "stop" : "play"}`);
    this.#part("run-keys").hidden = isRunning;
    this.#drawSeconds();
    if (!isRunning) clearInterval(this.#timer);
  }

  #drawSeconds() {
    const run = this.#run;
    const label = this.#part("run-label");
    if (!run || run.isOver) label.textContent = "Run";
    else label.textContent = run.isStopping ? "Stopping…" : `Stop ${duration(run.elapsedMs)}`;
  }

  // On a phone, what is asked folds into one line once it runs.

  #fold() {
    if (this.#composer) return; // its inputs go on being given
    this.dataset.folded = "";
    const words = this.#fields.map((field) => toWords(field)).find(Boolean) ?? "No arguments";
    this.#part("fold-words").textContent = words;
    this.#part("fold-method").textContent = this.method;
    this.#part("fold-names").textContent = this.#fields.filter((f) => !f.isSetting).map((f) => `· ${f.name}`).join(" ");
  }

  #unfold() {
    delete this.dataset.folded;
  }
}

function toWords(field) {
  const raw = field.draft;
  if (typeof raw === "string") return raw.trim().slice(0, 200);
  return [raw?.name, raw?.url].find((words) => typeof words === "string") ?? "";
}

customElements.define("play-page", PlayPage);
