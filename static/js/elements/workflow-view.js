/* The result of a workflow: its graph with each node's state, and what each node gave, apart, as it comes. */
import { alarm, announce } from "../announce.js";
import { FilterBar } from "../draw/filter-bar.js";
import { drawOutcome, stopWords } from "../draw/outcome.js";
import { linkSheet } from "../sheets.js";
import { copyValue, download } from "../draw/take.js";
import { NodePart, setText, timeWords } from "../draw/node.js";
import { duration, figure, plural } from "../format.js";
import { isOn, readFilter, Tally, writeFilter } from "../state/filter.js";
import { mediaUrl } from "../state/media.js";
import { findGiven } from "../state/plain.js";
import { valueOf } from "../state/workflow-run.js";
import { sayCopied } from "./copy-button.js";

const DRAW_GAP = 60;
const TICK = 100;
class WorkflowView extends HTMLElement {
  #run = null;
  #parts = new Map();
  #said = new Set();
  #frame = 0;
  #timer = 0;
  #drawnAt = 0;
  #filter = readFilter();
  #bar = null;

  connectedCallback() {
    this.#part("copy").addEventListener("click", this.#copy);
    this.#part("download").addEventListener("click", () => download(this.#outputs, this.#context));
    this.#part("raw").addEventListener("click", () => this.#toggleRaw());
    linkSheet(this.dataset.sheet);
  }

  disconnectedCallback() {
    this.#forget();
  }

  set run(run) {
    this.#forget();
    this.#run = run;
    this.#parts.clear();
    this.#said.clear();
    this.#part("idle").hidden = true;
    this.#part("run-parts").hidden = false;
    this.#bar = null;
    for (const name of ["nodes", "end", "filters"]) this.#part(name).replaceChildren();
    this.#toggleRaw(false);
    this.#markGraph();
    run.addEventListener("change", this.#changed);
    this.#timer = setInterval(this.#tick, TICK);
    this.#draw();
  }

  get run() {
    return this.#run;
  }

  set isOnline(value) {
    this.#part("offline").hidden = value || !this.#run || this.#run.isOver;
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  #forget() {
    this.#run?.removeEventListener("change", this.#changed);
    cancelAnimationFrame(this.#frame);
    clearInterval(this.#timer);
    this.#frame = 0;
  }

  #changed = (event) => {
    this.#announce(event.detail);
    this.#frame ||= requestAnimationFrame(this.#drawSoon);
  };

  #drawSoon = (now) => {
    const isEarly = now - this.#drawnAt < DRAW_GAP && !this.#run.isOver;
    this.#frame = isEarly ? requestAnimationFrame(this.#drawSoon) : 0;
    if (isEarly) return;
    this.#drawnAt = now;
    this.#draw();
  };

  #tick = () => {
    if (this.#run.isOver) clearInterval(this.#timer);
    this.#drawMetrics();
    for (const part of this.#parts.values()) part.drawHead();
    this.#markGraph();
  };

  #draw() {
    const run = this.#run;
    for (const node of run.nodes.values()) {
      if (!this.#parts.has(node.id)) {
        this.#parts.set(node.id, new NodePart(run, node, this.#context, { markdown: this.dataset.markdown, filter: () => this.#filter }));
        this.#part("nodes").append(this.#parts.get(node.id).element);
      }
      this.#parts.get(node.id).draw();
    }
    this.#drawBar();
    this.#drawMetrics();
    this.#markGraph();
    if (run.isOver) this.#drawEnd();
  }

  // What of it is shown: one filter over all nodes.

  #drawBar() {
    const all = sum([...this.#parts.values()].map((part) => part.tally));
    if (!this.#bar && !(all.all > 1 || (all.all && isOn(this.#filter)))) return;
    if (!this.#bar) this.#part("filters").append((this.#bar = new FilterBar(this.#filter, this.#refilter)).element);
    this.#bar.tally = all;
  }

  #refilter = (filter) => {
    this.#filter = filter;
    writeFilter(filter);
    for (const part of this.#parts.values()) part.refilter();
    this.#drawBar();
  };

  get #context() {
    const name = `${this.dataset.name}-${this.#run.id.slice(0, 8)}`;
    return { mediaUrl, name, ...findGiven(this.#run.arguments, mediaUrl) };
  }

  #drawMetrics() {
    const run = this.#run;
    const nodes = [...run.nodes.values()];
    const done = nodes.filter((node) => node.state === "finished").length;
    setText(this.#metric("first"), run.firstMs === null ? "–" : duration(run.firstMs));
    setText(this.#part("metric-label"), run.isOver ? "Total" : "So far");
    setText(this.#metric("total"), duration(run.elapsedMs));
    setText(this.#metric("nodes"), nodes.length ? `${done} of ${nodes.length}` : "–");
    const tokens = run.figures?.completion_tokens;
    setText(this.#metric("tokens"), tokens ? figure(tokens) : "–");
  }

  #metric(name) {
    return this.querySelector(`[data-metric=${name}]`);
  }

  /** The same states in the graph, both ways in which it is drawn. */
  #markGraph() {
    const page = this.closest("workflow-page") ?? document;
    for (const drawn of page.querySelectorAll("[data-graph-node]")) {
      const node = this.#run.nodes.get(drawn.dataset.graphNode);
      const state = node ? this.#run.stateOf(node) : "";
      drawn.dataset.state = state;
      const time = drawn.querySelector("[data-time]");
      if (time) setText(time, node ? timeWords(this.#run, node) : "");
    }
  }

  #drawEnd() {
    const end = this.#part("end");
    this.isOnline = true;
    if (end.childElementCount) return;
    const again = () => this.dispatchEvent(new CustomEvent("run-again", { bubbles: true }));
    const outcome = drawOutcome(this.#run, { again });
    if (outcome) end.append(outcome);
    if (this.#part("raw").getAttribute("aria-pressed") === "true") this.#toggleRaw(true);
  }

  // Copy, Download and Raw.

  get #outputs() {
    const given = [...this.#run.nodes.values()].filter((node) => node.pieces.length);
    return Object.fromEntries(given.map((node) => [node.id, valueOf(node)]));
  }

  #copy = async () => {
    await copyValue(this.#outputs, this.#context);
    sayCopied(this.#part("copy"));
  };

  #toggleRaw(wanted = this.#part("raw").getAttribute("aria-pressed") !== "true") {
    this.#part("raw").setAttribute("aria-pressed", String(wanted));
    for (const name of ["nodes", "filters"]) this.#part(name).hidden = wanted;
    this.#part("raw-view").hidden = !wanted;
    this.#part("raw-view").textContent = wanted ? JSON.stringify(this.#run.raw, null, 2).slice(0, 1_000_000) : "";
  }

  // Said aloud, each thing once.

  #announce(kinds) {
    const run = this.#run;
    if (!run.isFollowed) return;
    if (kinds.has("started")) this.#say("started", `Run started: ${plural(run.nodes.size, "node")}.`);
    for (const node of run.nodes.values()) {
      if (node.waiting) this.#say(`waits ${node.id}`, `${node.id} waits for ${node.waiting.deployment}, which is ${node.waiting.state}.`);
      if (node.state === "failed") this.#say(`failed ${node.id}`, `${node.id} failed: ${node.error?.message ?? ""}`, alarm);
    }
    if (run.asAsked === false) this.#say("differs", "Not served as asked.", alarm);
    if (run.isOver) this.#say("end", ...endWords(run));
  }

  #say(what, words, say = announce) {
    if (this.#said.has(what)) return;
    this.#said.add(what);
    say(words);
  }
}

/** What was counted in several drawings, as one. */
function sum(tallies) {
  const all = new Tally();
  for (const tally of tallies) {
    all.shown += tally.shown;
    all.all += tally.all;
    if (tally.word) all.word = all.word && all.word !== tally.word ? "finding" : tally.word;
    for (const [name, { count, best, key }] of tally.concepts) {
      const known = all.concepts.get(name) ?? { count: 0, best: -1, key };
      all.concepts.set(name, { ...known, count: known.count + count, best: Math.max(known.best, best) });
    }
  }
  return all;
}

function endWords(run) {
  if (run.state === "refused") return [`Failed: ${run.error?.message ?? ""}`, alarm];
  if (run.isMixed) return [`Partly failed: ${run.error?.message ?? ""}`, alarm];
  if (run.state === "failed") return [`Failed: ${run.error?.message ?? ""}`, alarm];
  if (run.state === "stopped") return [`Stopped after ${duration(run.elapsedMs)}. ${stopWords(run)}`];
  return [`Finished: ${duration(run.elapsedMs)}, ${plural(run.nodes.size, "node")}.`];
}

customElements.define("workflow-view", WorkflowView);
