/* Predict mode's sidebar: what is predicted with, the run, and what it found, as layers over the input. */
import { alarm, announce } from "../announce.js";
import { icon, make } from "../dom.js";
import { drawOutcome } from "../draw/outcome.js";
import { TextFlow } from "../draw/text.js";
import { age, duration, figure, plural } from "../format.js";
import { Run, newRunId } from "../state/run.js";
import { WorkflowRun } from "../state/workflow-run.js";
import { RunSocket } from "../transport/socket.js";
import { canBeBox, frameAt, passes, tally } from "./answers.js";
import { ask, keepPrediction } from "./ask.js";
import { answerOf, drawFailure, factsOf, hasFailed, layerRow, merge, nameOf, within } from "./layers.js";
import { ConceptList, RegionRows } from "./lists.js";
import { keyOf, readTarget, saveTarget, saveView } from "./targets.js";

const AUTO_WAIT = 220;
const TEXT_LIMIT = 2_000_000;
const MOST_LAYERS = 2;
const DEFAULT_THRESHOLD = 0.2;

let kit = null;
/** What draws any output comes when there is one that is no region and no concept. */
async function bringKit() {
  const [value, markdown] = await Promise.all([import("../draw/value.js"), import("../draw/markdown.js")]);
  return { ...value, ...markdown };
}

export class PredictPanel {
  layers = new Map(); // by key: {key, facts, answer, hidden}
  #viewer;
  #socket;
  #target = null;
  #runs = new Map(); // by the input's address: {run, key, target}
  #shown = []; // keys of the layers that are laid over the input, the chosen one first
  #chosen = new Set();
  #hasOwn = false;
  #timer = 0;
  #tick = 0;
  #said = 0;
  #drawing = 0;
  #drawnRest = null;
  #flow = null;
  #framesShown = [];
  #unkept = new Map(); // by the input's address: what could not be kept, as it was deleted
  #concepts = new ConceptList((name) => this.#choose(name));
  #rows = new RegionRows((region) => this.#viewer.setHot(region));

  constructor(viewer) {
    this.#viewer = viewer;
    this.#socket = new RunSocket(viewer.dataset.socket);
    this.#socket.addEventListener("connection", (event) => (this.#part("offline").hidden = event.detail.isOnline || !this.#run));
    this.#part("concepts").append(this.#concepts.element);
    this.#part("region-rows").append(this.#rows.element);
    this.#part("target").addEventListener("click", () => this.change());
    this.#part("first-choice").addEventListener("click", () => this.change());
    this.#part("predict").addEventListener("click", () => this.press());
    this.#part("accept-all").addEventListener("click", () => this.acceptAll());
    this.#part("order").addEventListener("change", (event) => this.#setView({ order: event.target.value }));
    this.#part("layer-list").addEventListener("change", (event) => this.#toggleLayer(event.target));
    viewer.addEventListener("place-chosen", (event) => event.target.closest("[data-place-slot]") && this.#placed());
    const range = this.#part("threshold");
    const number = this.#part("threshold-number");
    range.addEventListener("input", () => this.setThreshold(Number(range.value)));
    number.addEventListener("change", () => this.setThreshold(Number(number.value)));
    this.#part("opacity").addEventListener("input", (event) => this.setOpacity(Number(event.target.value)));
    this.#part("auto").addEventListener("change", (event) => this.#setAuto(event.target.checked));
    this.#part("auto").checked = this.#view.isAuto;
    this.#writeSliders();
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

  get #key() {
    return this.#target ? keyOf(this.#target) : "";
  }

  /** Another input is on the page: its kept predictions become layers; with Auto on, it is predicted on. */
  follow() {
    const { predictions, kind, user } = this.#input;
    const target = readTarget(user, kind);
    const isOther = !this.#target || !target || keyOf(target) !== this.#key || this.#target.url !== target.url;
    this.#target = target;
    this.layers = new Map();
    for (const facts of [...predictions].reverse()) this.#addLayer(facts); // the newest of a key wins
    const own = this.layers.has(this.#key) ? this.#key : "";
    const first = own || (this.#target ? "" : predictions.length ? keyOf(predictions[0]) : "");
    const others = this.#shown.slice(1).filter((key) => key !== first && this.layers.has(key));
    this.#shown = [first, ...others].filter(Boolean).slice(0, MOST_LAYERS);
    this.#drawnRest = null;
    if (isOther && this.#view.isOn) this.#drawTarget();
    this.#drawAll();
    clearTimeout(this.#timer);
    if (this.#view.isOn && this.#view.isAuto && this.#target && !own && !this.#run && this.#input.is_ready) {
      this.#timer = setTimeout(() => this.predict(), AUTO_WAIT);
    }
  }

  /** Predict mode was switched on. */
  open() {
    this.#drawTarget();
    this.follow();
  }

  #addLayer(facts) {
    const key = keyOf(facts);
    const hidden = this.layers.get(key)?.hidden ?? new Set();
    const layer = { key, facts, answer: answerOf(facts), hidden };
    this.layers.delete(key);
    this.layers.set(key, layer);
    return layer;
  }

  // What is predicted with.

  async change() {
    const { openChooser } = await import("../elements/model-chooser.js");
    const { chooserUrl, chooserSheets } = this.#viewer.dataset;
    const restore = this.#setPlaceAside();
    const chosen = await openChooser(this.#viewer, { url: chooserUrl, sheets: chooserSheets.split(" "), kind: this.#input.kind, now: this.#target });
    restore();
    if (chosen) {
      this.#setTarget(chosen);
      announce(`${chosen.name} is chosen: Predict asks it.`);
    }
    this.#part(this.#target ? "predict" : "first-choice").focus();
  }

  #setTarget(target) {
    const isFirst = !this.#target;
    this.#target = target;
    saveTarget(this.#input.user, this.#input.kind, target);
    this.#viewer.setChosen(target);
    this.#drawTarget();
    this.#shown = this.layers.has(this.#key) ? [this.#key] : [];
    this.#part("outcome").replaceChildren();
    this.#drawAll();
    if (this.#view.isAuto && !isFirst) this.predict();
  }

  /** One picker at a time: while the window has its own, the sidebar's is put away and brought back. */
  #setPlaceAside() {
    const slot = this.#part("place-slot");
    const nodes = [...slot.childNodes];
    for (const node of nodes) node.remove();
    return () => slot.childElementCount || slot.append(...nodes);
  }

  #drawTarget() {
    const target = this.#target;
    this.#part("first-choice").hidden = Boolean(target);
    this.#part("target").hidden = !target;
    this.#part("place-slot").hidden = !target || target.kind === "workflow";
    if (!target) return this.#part("place-slot").replaceChildren();
    this.#part("target-name").textContent = target.name;
    const settings = target.changed ? ` · ${plural(target.changed, "setting")} changed` : "";
    this.#part("target-meta").replaceChildren(`${target.kind === "workflow" ? "Workflow" : "Model"} · ${target.io}`, ...(target.kind === "workflow" ? [] : [" · ", make("code", "", target.method)]), settings);
    if (target.kind !== "workflow") this.#bringPlace(target);
  }

  /** The deployment's button, drawn by the server: its state is what it is now. */
  async #bringPlace(target) {
    const slot = this.#part("place-slot");
    const shown = slot.querySelector("deployment-picker")?.dataset;
    if (shown && shown.model === target.target && shown.query === target.query) return;
    const address = `${target.url.replace(/target$/, "place")}?${target.query}`;
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (target !== this.#target) return;
    if (!answer?.ok) {
      slot.replaceChildren(make("p", "field__error", `${target.name} is gone, or not shared with you any more. Choose another.`));
      return;
    }
    const drawn = document.createElement("template");
    drawn.innerHTML = await answer.text();
    const picker = drawn.content.querySelector("deployment-picker");
    const panel = drawn.content.querySelector("#deployment");
    panel?.removeAttribute("hx-swap-oob");
    await import("../elements/deployment-picker.js");
    if (target !== this.#target) return;
    const state = Object.assign(make("span"), { id: "head-state", hidden: true }); // a model's page shows it in its head
    slot.replaceChildren(...[picker, panel].filter(Boolean).map((node) => document.importNode(node, true)), state);
    globalThis.htmx?.process(slot);
    if (picker.dataset.refusal) announce(picker.dataset.refusal);
  }

  #placed() {
    const { selector, asked, query } = this.#part("place-slot").querySelector("deployment-picker").dataset;
    this.#setTarget({ ...this.#target, selector: JSON.parse(selector), asked, query });
    announce(`Predictions go to ${asked} from now on.`);
  }

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
    const [target, input] = [this.#target, this.#input];
    if (!target) return this.change();
    if (this.#run) return;
    if (!input.is_ready) return this.#refuse("This input has not come yet. Predict once it is there.");
    const refusal = this.#part("place-slot").querySelector("deployment-picker")?.dataset.refusal;
    if (refusal) return this.#refuse(refusal);
    let value;
    try {
      value = await this.#valueOf(input);
    } catch (error) {
      return this.#refuse(error.message);
    }
    if (input !== this.#input || this.#run) return;
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

  #refuse(words) {
    this.#part("outcome").replaceChildren(make("div", "notice notice--bad", icon("alert"), make("div", "notice__body", words)));
    alarm(words);
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
    this.#part("outcome").replaceChildren();
    this.#drawnRest = null;
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
      if (run.state === "finished" || run.isMixed) this.#keep(run, input, facts);
    }
    if (input !== this.#input) return;
    this.#sayEnd(run);
    document.body.dispatchEvent(new CustomEvent("runs-changed"));
  }

  async #keep(run, input, facts) {
    try {
      const kept = await keepPrediction(input.predictions_url, run.id);
      const { id, accept_url, created_at, outputs, nodes } = kept; // outputs as they are stored, by which the server counts
      Object.assign(facts, { id, accept_url, created_at, outputs, nodes });
      if (input !== this.#input) return;
      this.#addLayer(facts);
      this.#drawSoon();
    } catch (error) {
      if (error.status === 404) this.#unkept.set(input.url, { run, facts });
      if (input === this.#input) this.#refuse(`What was found is shown, but could not be kept: ${error.message}`);
    }
  }

  /** An input is back that was deleted while it was predicted on: what came meanwhile is kept after all. */
  async keepAgain(input) {
    const found = this.#unkept.get(input.url);
    this.#unkept.delete(input.url);
    if (found) await this.#keep(found.run, input, found.facts);
  }

  #sayEnd(run) {
    if (run.state === "failed" || run.state === "refused") return alarm(`Failed: ${run.error?.message ?? ""}`);
    if (run.asAsked === false) alarm("Not served as asked.");
    const { regions, concepts } = answerOf({ shape: run.shape, outputs: run.outputs, nodes: run.nodes, kind: run.nodes ? "workflow" : "model" });
    const [best] = [...concepts].sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
    const found = regions.length ? plural(regions.length, "region") : best ? `${best.name} first of ${plural(concepts.length, "concept")}` : plural(run.outputs.length, "output");
    announce(`Finished: ${duration(run.elapsedMs)}, ${found}.`);
  }

  // What is looked at.

  #setView(changes) {
    Object.assign(this.#view, changes);
    saveView(this.#input.user, this.#view);
    this.#writeSliders();
    this.#drawSoon();
  }

  setThreshold(value) {
    const threshold = Math.round(Math.min(Math.max(value || 0, 0), 1) * 100) / 100;
    this.#setView({ threshold });
    clearTimeout(this.#said);
    this.#said = setTimeout(() => announce(`Threshold ${threshold.toFixed(2)}. ${this.#part("count").textContent}`), 600);
  }

  stepThreshold(by) {
    this.setThreshold(this.#view.threshold + by);
  }

  setOpacity(value) {
    this.#setView({ opacity: Math.round(Math.min(Math.max(value, 0.1), 1) * 100) / 100 });
  }

  stepOpacity(by) {
    this.setOpacity(this.#view.opacity + by);
    announce(`Opacity ${Math.round(this.#view.opacity * 100)} %`);
  }

  #setAuto(isAuto) {
    this.#setView({ isAuto });
    announce(isAuto ? "Predicts as you browse." : "Predicts when you press Predict.");
    if (isAuto && !this.layers.has(this.#key) && this.#target) this.predict();
  }

  #writeSliders() {
    const { threshold, opacity, order } = this.#view;
    const range = this.#part("threshold");
    range.value = threshold;
    range.style.setProperty("--fill", `calc(${threshold} * (100% - 1rem) + 0.5rem)`);
    this.#part("threshold-number").value = threshold.toFixed(2);
    this.#part("threshold-tick").style.setProperty("--at", DEFAULT_THRESHOLD);
    const opaque = this.#part("opacity");
    opaque.value = opacity;
    opaque.style.setProperty("--fill", `calc(${(opacity - 0.1) / 0.9} * (100% - 1rem) + 0.5rem)`);
    this.#part("opacity-words").textContent = `${Math.round(opacity * 100)}\u00a0%`;
    this.#part("order").value = order;
  }

  #choose(name) {
    if (!this.#chosen.delete(name)) this.#chosen.add(name);
    this.#drawSoon();
  }

  showAllConcepts() {
    this.#chosen.clear();
    this.#drawSoon();
  }

  #toggleLayer(box) {
    const key = box.value;
    if (key === "") this.#hasOwn = box.checked;
    else if (box.checked) this.#shown = [...this.#shown.slice(-(MOST_LAYERS - 1)), key];
    else this.#shown = this.#shown.filter((other) => other !== key);
    this.#drawnRest = null;
    this.#drawSoon();
  }

  #toggleRegion = (region) => {
    const layer = this.layers.get(region.layer);
    if (!layer?.hidden.delete(markOf(region))) layer?.hidden.add(markOf(region));
    this.#drawSoon();
  };

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
    this.#drawButton();
    if (!this.#view.isOn) return;
    const layers = this.#visible;
    this.#drawRoute(layers[0]);
    this.#drawLayers();
    const all = merge(layers);
    const concepts = this.#sorted(tally(all));
    for (const name of this.#chosen) if (!concepts.some((concept) => concept.name === name)) this.#chosen.delete(name);
    const filter = { threshold: this.#view.threshold, chosen: this.#chosen };
    this.#part("found").hidden = !concepts.length && !all.regions.length && !all.frames.length;
    this.#part("concept-part").hidden = !concepts.length;
    this.#part("all-concepts").hidden = !this.#chosen.size;
    this.#concepts.show(concepts, filter);
    this.#drawRegions(layers, all, filter);
    this.#drawRest(layers);
    this.#drawOutcome(layers[0]);
    this.#framesShown = this.#framesAt(layers);
    this.#viewer.redraw();
  }

  #framesAt(layers) {
    return layers.map(({ answer }) => (answer.frames.length ? frameAt(answer.frames, this.#viewer.time, this.#viewer.duration) : null));
  }

  #sorted(concepts) {
    return this.#view.order === "name" ? [...concepts].sort((a, b) => a.name.localeCompare(b.name)) : concepts;
  }

  #drawRegions(layers, all, filter) {
    const { size } = this.#viewer.canvas;
    const regions = this.#regionsNow(layers);
    const shown = regions.filter((region) => passes(region, filter));
    const listed = [...shown].sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
    const acceptable = this.#acceptable(layers[0], filter);
    const hint = this.#part("accept-hint");
    hint.textContent = this.#input.may_edit ? hintOf(shown) : "";
    hint.hidden = !hint.textContent;
    this.#part("region-part").hidden = !regions.length;
    const word = regions.length || !all.concepts.length ? "region" : "concept";
    const counted = word === "region" ? [shown, regions] : [all.concepts.filter((concept) => passes(concept, filter)), all.concepts];
    this.#part("count").textContent = `${figure(counted[0].length)} of ${plural(counted[1].length, word)}`;
    const accept = this.#part("accept-all");
    accept.hidden = !this.#input.may_edit || !acceptable.length || !layers[0]?.facts.id;
    this.#part("accept-words").textContent = `Accept ${figure(acceptable.length)}`;
    this.#rows.show(listed, {
      size,
      isHidden: (region) => this.layers.get(region.layer)?.hidden.has(markOf(region)),
      press: { label: "Show it on the picture", act: (region) => this.#viewer.showRegion(region) },
      acts: (region) => this.#actsOf(region),
    });
  }

  #actsOf(region) {
    const layer = this.layers.get(region.layer);
    const isHidden = layer.hidden.has(markOf(region));
    const acts = [[isHidden ? "eye-off" : "eye", isHidden ? "Show" : "Hide", this.#toggleRegion]];
    if (this.#input.may_edit && layer.facts.id && canBeBox(region) && !region.isFramed) acts.unshift(["check", "Accept", () => this.#accept(layer, [region])]);
    return acts;
  }

  /** Regions of the layers; of a film, those of the frame on screen. */
  #regionsNow(layers) {
    return layers.flatMap(({ key, answer }) => {
      const frame = answer.frames.length ? frameAt(answer.frames, this.#viewer.time, this.#viewer.duration) : null;
      return [...answer.regions.map((region) => within(region, key)), ...(frame?.regions ?? []).map((region) => Object.assign(within(region, key), { isFramed: true }))];
    });
  }

  /** What lies over the input now: [{key, lines, opacity, mark, regions}]. */
  get overlays() {
    if (!this.#view.isOn) return [];
    const layers = this.#visible;
    const filter = { threshold: this.#view.threshold, chosen: this.#chosen };
    return layers.map((layer, place) => ({
      key: layer.key,
      lines: place ? "other" : "model",
      opacity: this.#view.opacity,
      mark: layers.length > 1 ? "AB"[place] : "",
      regions: this.#regionsNow([layer]).filter((region) => passes(region, filter) && !layer.hidden.has(markOf(region))),
    }));
  }

  get showsOwn() {
    return this.#hasOwn;
  }

  set hot(region) {
    this.#rows.hot = region;
  }

  reveal(region) {
    this.#rows.reveal(region, true);
  }

  get #frames() {
    return this.#visible.some(({ answer }) => answer.frames.length);
  }

  /** A film shows another picture: where another frame's regions belong to it, these are drawn. */
  moved() {
    if (!this.#view.isOn || !this.#frames) return;
    const layers = this.#visible;
    const frames = this.#framesAt(layers);
    if (frames.every((frame, place) => frame === this.#framesShown[place])) return;
    this.#framesShown = frames;
    this.#drawRegions(layers, merge(layers), { threshold: this.#view.threshold, chosen: this.#chosen });
    this.#viewer.redraw();
  }

  #drawRest(layers) {
    const rest = layers.flatMap(({ key, answer, facts }) => (answer.text || answer.rest.length ? [{ key, answer, facts }] : []));
    const run = this.#run;
    const part = this.#part("rest");
    part.classList.toggle("viewer__rest--first", rest.some(({ answer }) => answer.text || answer.rest.some(({ value }) => typeof value === "string")));
    const isStreaming = Boolean(run) && rest.some(({ answer }) => answer.text);
    if (isStreaming) return this.#stream(part, run);
    const mark = rest.map(({ key, facts }) => `${key} ${facts.id ?? facts.run}`).join();
    if (this.#drawnRest === mark) return;
    this.#drawnRest = mark;
    this.#flow = null;
    this.#drawParts(part, rest, mark);
  }

  #stream(part, run) {
    if (this.#flow?.run !== run) {
      this.#flow = { run, flow: new TextFlow(), drawn: 0 };
      this.#flow.flow.isStreaming = true;
      part.replaceChildren(this.#flow.flow.element);
    }
    this.#flow.flow.append(run.outputs.slice(this.#flow.drawn).join(""));
    this.#flow.drawn = run.outputs.length;
  }

  async #drawParts(part, rest, mark) {
    if (!rest.length) return part.replaceChildren();
    kit ??= await bringKit();
    if (this.#drawnRest !== mark) return;
    const { preview, original, kind, name } = this.#input;
    const context = { mediaUrl: this.#viewer.mediaUrl, pictures: kind === "image" ? [preview || original] : [], films: kind === "video" ? [original] : [], name };
    const drawn = rest.map(({ answer, facts }) => {
      const parts = answer.text ? [this.#drawText(answer.text, mark)] : [];
      for (const { name: label, value, shape } of answer.rest) {
        parts.push(make("div", "stack", label ? make("h3", "viewer__label", label) : "", kit.drawValue(shape, value, context)));
      }
      return make("div", "stack", rest.length > 1 ? make("h3", "viewer__label", `${facts.name} · ${facts.asked}`) : "", ...parts);
    });
    part.replaceChildren(...drawn);
  }

  #drawText(text, mark) {
    const flow = new TextFlow();
    flow.append(text);
    const holder = make("div", "", flow.element);
    const { markdown } = this.#viewer.dataset;
    if (kit.looksFormatted(text)) {
      kit.drawMarkdown(text, markdown).then((formatted) => formatted && this.#drawnRest === mark && holder.replaceChildren(formatted));
    }
    return holder;
  }

  #drawOutcome(layer) {
    const entry = this.#runs.get(this.#input.url);
    const part = this.#part("outcome");
    const isWaiting = entry && !entry.run.isOver && entry.run.waiting;
    if (isWaiting) {
      const { state, reason } = entry.run.waiting;
      const words = `${entry.run.asked.label || "It"} is ${state}${reason ? `: ${reason}` : ""}. Your call goes on by itself when it is ready.`;
      part.replaceChildren(make("div", "notice notice--wait", icon("clock"), make("div", "notice__body", words)));
      part.run = null;
    } else if (entry?.run.isOver && entry.run.state !== "finished" && !entry.run.isMixed) {
      if (part.run === entry.run) return;
      part.run = entry.run;
      part.replaceChildren(...[drawOutcome(entry.run, { again: () => this.predict() })].filter(Boolean));
    } else if (!this.#run && layer && hasFailed(layer.facts)) {
      if (part.run === layer.facts) return;
      part.run = layer.facts;
      part.replaceChildren(drawFailure(layer.facts, () => this.predict()));
    } else if (entry || part.run) {
      part.run = null;
      part.replaceChildren(...(entry?.run.state === "finished" && !entry.run.outputs.length ? [make("p", "muted", "Finished without an output.")] : []));
    }
  }

  #drawRoute(layer) {
    const part = this.#part("route");
    const run = this.#run;
    const isEmpty = !layer && !run;
    part.hidden = isEmpty && !this.#target;
    if (isEmpty) return part.replaceChildren(this.#target ? make("span", "faint", this.layers.size ? "Nothing predicted with this yet." : "Nothing predicted on this input yet.") : "");
    if (run) {
      const where = run.served ? `on ${nameOf(run.served)}` : "…";
      return part.replaceChildren(make("span", "state state--live", `Predicting ${where}`));
    }
    const { kind, served, as_asked, total_ms, created_at, name, asked, key } = { ...layer.facts, key: layer.key };
    const differs = as_asked === false;
    const isOther = key !== this.#key;
    const words = [differs ? `Not as asked: served by ${served || "another"}` : kind === "workflow" ? name : isOther ? `${name} on ${asked}` : `Served by ${served || "–"}`, duration(total_ms), age(new Date(created_at), this.#viewer.now)];
    part.replaceChildren(icon(differs || hasFailed(layer.facts) ? "alert" : "check", "icon--small"), words.join(" · "));
    part.classList.toggle("viewer__route--differs", differs);
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
    press.disabled = !this.#target && !run;
    this.#viewer.toggleAttribute("data-predicting", Boolean(run));
    if (!run && ![...this.#runs.values()].some((entry) => !entry.run.isOver)) clearInterval(this.#tick);
  }

  // Accepting: what a model said becomes what a person says.

  /** Regions that have an extent, and concepts of the whole, that the threshold and the choice of concepts let through. */
  #acceptable(layer, filter) {
    if (!layer) return [];
    const { regions, concepts } = layer.answer;
    const isWanted = (entry) => passes(entry, filter) && !layer.hidden.has(markOf(entry));
    return [...regions.filter((region) => canBeBox(region) && isWanted(region)), ...concepts.filter((concept) => passes(concept, filter))];
  }

  acceptAll() {
    const [layer] = this.#visible;
    const wanted = this.#acceptable(layer, { threshold: this.#view.threshold, chosen: this.#chosen });
    if (!wanted.length || !this.#input.may_edit) return announce("There is nothing to accept.");
    if (!layer.facts.id) return announce("What was found is not kept yet: accept it in a moment.");
    this.#accept(layer, wanted);
  }

  async #accept(layer, wanted) {
    const input = this.#input;
    const found = wanted.map(({ number }) => number);
    try {
      const { annotations, added } = await ask(layer.facts.accept_url, { method: "POST", json: { findings: found } });
      input.annotations = annotations;
      const { offerUndo } = await import("../table/acts.js");
      const words = `Accepted ${added.length === 1 && wanted.length === 1 ? wanted[0].name : plural(added.length, "annotation")}.`;
      announce(words);
      if (added.length) offerUndo(words, () => this.#viewer.unannotate(input, added));
    } catch (error) {
      this.#refuse(error.message);
    }
    if (input === this.#input) this.#viewer.changed();
  }

  /** The region on which the picture's keys act: hide it. */
  toggle(region) {
    if (region?.layer) this.#toggleRegion(region);
  }
}

/** By what it is hidden: in a film the same thing on all of its frames. */
function markOf({ isFramed, track, number }) {
  return isFramed && track ? `track ${track}` : number;
}

/** Why some of what is shown cannot be accepted. */
function hintOf(regions) {
  if (regions.some((region) => region.isFramed)) return "What is found in a film's frames is not accepted: an annotation speaks of the whole film.";
  const isPoint = (region) => region.point && !canBeBox(region);
  return regions.some(isPoint) ? "Points are not accepted: an annotation is a box, or a concept of the whole." : "";
}
