/* Predict mode's sidebar: the run on the input, and what was found before and by others, as layers over it. */
import { alarm, announce } from "../announce.js";
import { age, duration, plural } from "../format.js";
import { Run, newRunId } from "../state/run.js";
import { WorkflowRun } from "../state/workflow-run.js";
import { RunSocket } from "../transport/socket.js";
import { ask } from "./ask.js";
import { FoundPart } from "./found.js";
import { Keeping } from "./keeping.js";
import { answerOf, factsOf, isBare, layerRow } from "./layers.js";
import { RestPart } from "./rest.js";
import { Sliders } from "./sliders.js";
import { TargetPart } from "./target.js";
import { keyOf } from "./targets.js";
import { ToldPart } from "./told.js";

const AUTO_WAIT = 220;
const TEXT_LIMIT = 2_000_000;
const MOST_LAYERS = 2;

export class PredictPanel {
  layers = new Map(); // by key: {key, facts, answer, hidden}
  #viewer;
  #socket;
  #target;
  #sliders;
  #found;
  #rest;
  #told;
  #keeping;
  #runs = new Map(); // by the input's address: {run, key, target}
  #shown = []; // keys of the layers that are laid over the input, the chosen one first
  #hasOwn = false;
  #timer = 0;
  #tick = 0;
  #drawing = 0;
  #address = ""; // of the input that was on the page last

  constructor(viewer) {
    this.#viewer = viewer;
    this.#target = new TargetPart(viewer, this.#chosen);
    this.#sliders = new Sliders(viewer, this.#drawSoon);
    this.#told = new ToldPart(viewer, { again: () => this.predict(), change: () => this.change() });
    this.#found = new FoundPart(viewer, { changed: this.#drawSoon, refuse: (words) => this.#told.refuse(words) });
    this.#rest = new RestPart(viewer);
    this.#keeping = new Keeping(viewer, { told: this.#told, targets: this.#target });
    this.#socket = new RunSocket(viewer.dataset.socket);
    this.#socket.addEventListener("connection", (event) => (this.#part("offline").hidden = event.detail.isOnline || !this.#run));
    this.#part("predict").addEventListener("click", () => this.press());
    this.#part("layer-list").parentElement.addEventListener("toggle", (event) => event.newState === "closed" && this.#leaveLayers());
    this.#part("layer-list").addEventListener("change", (event) => this.#toggleLayer(event.target));
    this.#part("auto").addEventListener("change", (event) => this.#setAuto(event.target.checked));
    this.#part("auto").checked = this.#view.isAuto;
  }

  close() {
    clearInterval(this.#tick);
    clearTimeout(this.#timer);
    this.#socket.close();
  }

  #part(name) {
    return this.#viewer.querySelector(`[data-${name}]`);
  }

  get #input() {
    return this.#viewer.input;
  }

  get #view() {
    return this.#viewer.view;
  }

  get #run() {
    const entry = this.#runs.get(this.#input.url);
    return entry && !entry.run.isOver ? entry.run : null;
  }

  /** Another input is on the page: its kept predictions become layers; with Auto on, it is predicted on. `draw` lists them. */
  follow() {
    const { predictions, url } = this.#input;
    if (url !== this.#address) this.#told.clear();
    this.#address = url;
    const isOther = this.#target.read(this.#input);
    this.layers = new Map();
    for (const facts of [...predictions].reverse()) this.#addLayer(facts); // the newest of a key wins
    const own = this.layers.has(this.#target.key) ? this.#target.key : "";
    const first = own || (this.#target.value ? "" : predictions.length ? keyOf(predictions[0]) : "");
    const others = this.#shown.slice(1).filter((key) => key !== first && this.layers.has(key));
    this.#shown = [first, ...others].filter(Boolean).slice(0, MOST_LAYERS);
    this.#rest.forget();
    this.#found.take(this.#visible);
    if (isOther && this.#view.isOn) this.#target.draw();
    clearTimeout(this.#timer);
    if (this.#view.isOn && this.#view.isAuto && this.#target.value && !own && !this.#run && this.#input.is_ready) {
      this.#timer = setTimeout(() => this.predict(), AUTO_WAIT);
    }
  }

  /** Predict mode was switched on. */
  open() {
    this.#target.draw();
    this.follow();
    this.draw();
  }

  #addLayer(facts) {
    const key = keyOf(facts);
    const hidden = this.layers.get(key)?.hidden ?? new Set();
    const layer = { key, facts, answer: answerOf(facts), hidden };
    this.layers.delete(key);
    this.layers.set(key, layer);
    return layer;
  }

  change() {
    return this.#target.change();
  }

  #chosen = (isFirst) => {
    this.#shown = this.layers.has(this.#target.key) ? [this.#target.key] : [];
    this.#told.clear();
    this.#drawAll();
    if (this.#view.isAuto && !isFirst) this.predict();
  };

  // The run.

  press() {
    if (this.#run) this.stop();
    else this.predict();
  }

  stop() {
    const run = this.#run;
    if (!run || run.isStopping) return;
    run.stopping();
    this.#socket.stop(run);
    announce("Stopping…");
  }

  async predict() {
    const [target, input] = [this.#target.value, this.#input];
    if (!target) return this.change();
    if (this.#run) return;
    if (!input.is_ready) return this.#told.refuse("This input has not come yet. Predict once it is there.");
    if (this.#target.refusal) return this.#told.refuse(this.#target.refusal);
    if (input.isGone && (await this.#keeping.isGone(input))) return this.#keeping.sayGone(input);
    let value;
    try {
      value = await this.#valueOf(input);
    } catch (error) {
      if (await this.#keeping.isGone(input)) return this.#keeping.sayGone(input);
      return this.#told.refuse(error.message);
    }
    if (input !== this.#input || this.#run) return;
    this.#start(target, input, value);
  }

  #start(target, input, value) {
    const isWorkflow = target.kind === "workflow";
    const given = { ...target.arguments, [target.argument]: target.is_list ? [value] : value };
    const kept = Object.fromEntries(Object.entries(given).filter(([name]) => !(target.secrets ?? []).includes(name)));
    const run = new (isWorkflow ? WorkflowRun : Run)({
      id: newRunId(),
      method: target.method,
      arguments: kept,
      selector: target.selector,
      asked: { label: target.asked, selector: target.selector },
      shape: target.shape,
      isStream: false,
      isFollowed: true,
    });
    this.#begin(run, target, input, keyOf(target));
    const message = isWorkflow
      ? { type: "start", run: run.id, workflow: target.target, arguments: given }
      : { type: "start", run: run.id, model: target.target, version: "", method: target.method, arguments: given, selector: target.selector, open_input: false };
    this.#socket.start(run, message);
  }

  async #valueOf(input) {
    if (input.kind !== "text") {
      const media = input.media ?? (await ask(input.borrow_url, { method: "POST" })).media;
      return { media, content_type: input.content_type, name: input.name };
    }
    if (input.size > TEXT_LIMIT) throw new Error("This text is too long to be asked about in one call: 2 MB at most.");
    const answer = await fetch(input.original).catch(() => null);
    if (!answer?.ok) throw new Error("The text cannot be read now. Reload the page, then try again.");
    return answer.text();
  }

  #begin(run, target, input, key) {
    this.#runs.set(input.url, { run, key, target });
    run.addEventListener("change", (event) => {
      if (event.detail.has("deploying")) document.body.dispatchEvent(new CustomEvent("deployment-news"));
      if (run.isOver) this.#end(run, target, input);
      if (input === this.#input) this.#drawSoon();
    });
    this.#shown = [key, ...this.#shown.filter((other) => other !== key)].slice(0, this.#shown.length > 1 ? MOST_LAYERS : 1);
    this.#told.clear();
    this.#rest.forget();
    clearInterval(this.#tick);
    this.#tick = setInterval(() => this.#drawButton(), 100);
    announce(`Predicting with ${target.name} on ${target.asked || "its deployments"}.`);
    this.#drawAll();
  }

  /** What has come is kept beside the input; it is shown before it is kept. */
  async #end(run, target, input) {
    if (run.outputs.length && run.state !== "refused") {
      const facts = { ...factsOf(run, target), created_at: new Date().toISOString() };
      input.predictions = [facts, ...input.predictions.filter((other) => keyOf(other) !== keyOf(facts))];
      if (input === this.#input) this.#addLayer(facts);
      if (run.state === "finished" || run.isMixed) this.#keeping.keep(run, input, facts).then((isKept) => isKept && this.#kept(input, facts));
    }
    if (input !== this.#input) return;
    this.#sayEnd(run);
    if (run.error?.name === "NotFoundError") this.#lookForWhatIsGone(input);
    document.body.dispatchEvent(new CustomEvent("runs-changed"));
  }

  #kept(input, facts) {
    if (input !== this.#input) return;
    this.#addLayer(facts);
    this.#drawSoon();
  }

  /** What a run did not find: the model or workflow, a deployment, or the input's own file. */
  async #lookForWhatIsGone(input) {
    if (await this.#target.isGone()) return;
    if ((await this.#keeping.isGone(input)) && input === this.#input) this.#keeping.sayGone(input);
  }

  /** An input is back that was deleted while it was predicted on. */
  async keepAgain(input) {
    input.isGone = false;
    await this.#keeping.keepAgain(input);
  }

  #sayEnd(run) {
    if (run.state === "failed" || run.state === "refused") return alarm(`Failed: ${run.error?.message ?? ""}`);
    if (run.asAsked === false) alarm("Not served as asked.");
    const answer = answerOf({ shape: run.shape, outputs: run.outputs, nodes: run.nodes, kind: run.nodes ? "workflow" : "model" });
    const { regions, concepts } = answer;
    const [best] = [...concepts].sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
    const found = regions.length ? plural(regions.length, "region") : best ? `${best.name} first of ${plural(concepts.length, "concept")}` : isBare(answer) ? "nothing found" : plural(run.outputs.length, "output");
    announce(`Finished: ${duration(run.elapsedMs)}, ${found}.`);
  }

  // What is looked at.

  #setAuto(isAuto) {
    this.#sliders.set({ isAuto });
    announce(isAuto ? "Predicts as you browse." : "Predicts when you press Predict.");
    if (isAuto && !this.layers.has(this.#target.key) && this.#target.value) this.predict();
  }

  stepThreshold(by) {
    this.#sliders.stepThreshold(by);
  }

  stepOpacity(by) {
    this.#sliders.stepOpacity(by);
  }

  showAllConcepts() {
    this.#found.showAllConcepts();
  }

  #toggleLayer(box) {
    const key = box.value;
    if (key === "") this.#hasOwn = box.checked;
    else if (box.checked) this.#shown = [...this.#shown.slice(-(MOST_LAYERS - 1)), key];
    else this.#shown = this.#shown.filter((other) => other !== key);
    this.#rest.forget();
    this.#drawSoon();
  }

  /** What had the focus before may have been drawn anew meanwhile. */
  #leaveLayers() {
    const { activeElement: focused } = document;
    if (focused === document.body || this.#part("layer-list").contains(focused)) this.#part("layers").focus({ preventScroll: true });
  }

  acceptAll() {
    this.#found.acceptAll();
  }

  /** The region on which the picture's keys act: hide it. */
  toggle(region) {
    this.#found.toggle(region);
  }

  set hot(region) {
    this.#found.hot = region;
  }

  reveal(region) {
    this.#found.reveal(region);
  }

  // Drawing.

  #drawSoon = () => {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#drawAll();
    });
  };

  /** The layers as they stand, the running one with what has come so far. */
  get #visible() {
    const entry = this.#runs.get(this.#input.url);
    const count = entry && !entry.run.isOver ? entry.run.outputs.length : 0;
    const known = count ? this.layers.get(entry.key) : null;
    if (count && (known?.run !== entry.run || known.count !== count)) {
      const { run, key } = entry;
      const facts = factsOf(run, entry.target);
      this.layers.set(key, { key, facts, answer: answerOf(facts), hidden: known?.hidden ?? new Set(), run, count });
    }
    return this.#shown.map((key) => this.layers.get(key)).filter(Boolean);
  }

  #drawAll() {
    this.draw();
    if (this.#view.isOn) this.#viewer.redraw();
  }

  /** The sidebar; the viewer draws what lies over the input. */
  draw() {
    this.#drawButton();
    if (!this.#view.isOn) return;
    const layers = this.#visible;
    const [first] = layers;
    this.#told.drawRoute(first, this.#run, this.#target.value, { isOther: first?.key !== this.#target.key, isAny: this.layers.size > 0 });
    this.#drawLayers();
    this.#found.draw(layers);
    this.#rest.draw(layers, this.#run);
    this.#told.drawOutcome(this.#runs.get(this.#input.url), first);
  }

  /** What lies over the input now. */
  get overlays() {
    return this.#view.isOn ? this.#found.overlays(this.#visible) : [];
  }

  get showsOwn() {
    return this.#hasOwn;
  }

  /** A film shows another picture. */
  moved() {
    if (this.#view.isOn && this.#found.moved(this.#visible)) this.#viewer.redraw();
  }

  #drawLayers() {
    const count = this.layers.size + (this.#input.annotations.some((entry) => entry.box) ? 1 : 0);
    const opener = this.#part("layers");
    opener.hidden = count < (this.#shown.length ? 2 : 1);
    this.#part("layers-words").textContent = plural(count, "layer");
    const list = this.#part("layer-list");
    const rows = [...this.layers.values()].reverse().map(({ key, facts }) => layerRow(key, facts.name, `${facts.kind === "workflow" ? "Workflow" : `${facts.method} · ${facts.asked || "Shared"}`} · ${age(new Date(facts.created_at), this.#viewer.now)}`, this.#shown));
    if (this.#input.annotations.length) rows.push(layerRow("", "Annotations", "What people said of it", this.#hasOwn ? [""] : []));
    const was = document.activeElement?.closest("[data-layer-list]") && document.activeElement.value;
    list.replaceChildren(...rows);
    if (was !== null && was !== undefined && was !== false) list.querySelector(`input[value="${CSS.escape(was)}"]`)?.focus();
  }

  #drawButton() {
    const run = this.#run;
    const press = this.#part("predict");
    press.classList.toggle("button--primary", !run);
    press.classList.toggle("button--stop", Boolean(run));
    this.#part("predict-keys").hidden = Boolean(run);
    const words = run ? (run.isStopping ? "Stopping…" : `Stop ${duration(run.elapsedMs)}`) : "Predict";
    if (this.#part("predict-words").textContent !== words) this.#part("predict-words").textContent = words;
    press.disabled = !this.#target.value && !run;
    this.#viewer.toggleAttribute("data-predicting", Boolean(run));
    if (!run && ![...this.#runs.values()].some((entry) => !entry.run.isOver)) clearInterval(this.#tick);
  }
}
