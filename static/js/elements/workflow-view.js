/* The result of a workflow: its graph with each node's state, and what each node gave, apart, as it comes. */
import { alarm, announce } from "../announce.js";
import { fold, icon, make } from "../dom.js";
import { drawMarkdown, looksFormatted } from "../draw/markdown.js";
import { drawOutcome, stopWords } from "../draw/outcome.js";
import { linkSheet } from "../sheets.js";
import { copyValue, download, takeButtons } from "../draw/take.js";
import { TextFlow } from "../draw/text.js";
import { drawValue } from "../draw/value.js";
import { duration, figure, plural } from "../format.js";
import { mediaUrl } from "../state/media.js";
import { findGiven } from "../state/plain.js";
import { valueOf } from "../state/workflow-run.js";
import { sayCopied } from "./copy-button.js";

const DRAW_GAP = 60;
const LIST_GAP = 250;
const TICK = 100;
const STATES = {
  waiting: ["pending", "Waits"],
  running: ["live", "Running"],
  finished: ["finished", "Done"],
  failed: ["failed", "Failed"],
  skipped: ["zero", "Did not run"],
  stopped: ["zero", "Stopped"],
};

class WorkflowView extends HTMLElement {
  #run = null;
  #parts = new Map();
  #said = new Set();
  #frame = 0;
  #timer = 0;
  #drawnAt = 0;

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
    for (const name of ["nodes", "end"]) this.#part(name).replaceChildren();
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
        this.#parts.set(node.id, new NodePart(run, node, this.#context, this.dataset.markdown));
        this.#part("nodes").append(this.#parts.get(node.id).element);
      }
      this.#parts.get(node.id).draw();
    }
    this.#drawMetrics();
    this.#markGraph();
    if (run.isOver) this.#drawEnd();
  }

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
    this.#part("nodes").hidden = wanted;
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

/** One node of a run: its state and time in a line, below it what it gave. */
class NodePart {
  #run;
  #node;
  #context;
  #markdown;
  #state = make("span", "state");
  #time = make("span", "node__time");
  #where = make("span", "node__where");
  #take = make("span");
  #body = make("div", "node__body");
  #flow = null;
  #drawing = null;
  #drawn = 0;
  #drawnAt = 0;
  #late = 0;
  #isEnded = false;

  constructor(run, node, context, markdown) {
    this.#run = run;
    this.#node = node;
    this.#context = context;
    this.#markdown = markdown;
    const title = make("h2", "node__name", node.id);
    title.id = `node-${[...run.nodes.keys()].indexOf(node.id)}`;
    const model = node.model.split("/").pop();
    const words = make("span", "node__words", [...node.acts, model].filter(Boolean).join(" · "));
    const standing = make("span", "node__standing", this.#state, this.#time);
    const head = make("header", "node__head", title, words, this.#where, this.#take, standing);
    this.element = make("section", "node", head, this.#body);
    this.element.setAttribute("aria-labelledby", title.id);
    this.element.dataset.node = node.id;
  }

  draw() {
    this.drawHead();
    if (this.#node.pieces.length > this.#drawn) this.#drawPieces();
    const isOver = !["waiting", "running"].includes(this.#run.stateOf(this.#node));
    if (isOver && !this.#isEnded) this.#end();
    if (this.#node.waiting) this.#sayWaiting();
  }

  drawHead() {
    const node = this.#node;
    const [shape, words] = STATES[this.#run.stateOf(node)];
    this.#state.className = `state state--${shape}`;
    setText(this.#state, words);
    setText(this.#time, timeWords(this.#run, node));
    if (!node.served || this.#where.childElementCount) return;
    const place = node.served.is_shared ? "Shared" : node.served.deployment_id;
    this.#where.append(make("span", node.asAsked ? "" : "tag tag--bad", node.asAsked ? place : `Not as asked: ${place}`));
  }

  #drawPieces() {
    const { pieces, shape } = this.#node;
    if (shape.type === "str") {
      if (!this.#flow) this.#body.replaceChildren((this.#flow = new TextFlow()).element);
      this.#flow.append(pieces.slice(this.#drawn).join(""));
      this.#flow.isStreaming = true;
      this.#drawn = pieces.length;
      return;
    }
    const wait = LIST_GAP - (performance.now() - this.#drawnAt);
    clearTimeout(this.#late);
    if (wait > 0 && this.#drawing && !this.#run.isOver) {
      this.#late = setTimeout(() => this.#drawPieces(), wait);
      return;
    }
    this.#drawnAt = performance.now();
    this.#drawn = pieces.length;
    const value = valueOf(this.#node);
    if (this.#drawing?.redraw) this.#drawing.redraw(value);
    else this.#body.replaceChildren((this.#drawing = drawValue(shape, value, this.#context)));
  }

  #sayWaiting() {
    if (this.#node.pieces.length) return;
    const { deployment, state, reason } = this.#node.waiting;
    const words = `${deployment} is ${state}${reason ? `: ${reason}` : ""}. The run goes on by itself when it is ready.`;
    this.#body.replaceChildren(make("p", "muted", words));
  }

  #end() {
    const node = this.#node;
    this.#isEnded = true;
    if (this.#flow) this.#endText();
    if (node.pieces.length) this.#take.replaceChildren(takeButtons(valueOf(node), this.#context, node.id));
    const words = this.#endWords();
    if (words) this.#body.append(words);
  }

  #endWords() {
    const node = this.#node;
    if (node.error) {
      const { message, details } = node.error;
      const said = details && !message.includes(details) ? fold("What the model said", make("pre", "log", details)) : null;
      return make("div", "notice notice--bad", icon("alert"), make("div", "notice__body", make("p", "", message), said));
    }
    if (node.state === "skipped") return make("p", "muted", `It takes from ${node.after}, which gave nothing.`);
    if (this.#run.stateOf(node) === "stopped") return make("p", "muted", node.pieces.length ? "Stopped; what arrived is kept." : "Stopped before it gave anything.");
    if (node.is_suppressed) return make("p", "muted", "Its output is not shown: suppress_output is set.");
    return node.pieces.length ? null : make("p", "muted", "It gave nothing.");
  }

  async #endText() {
    const text = valueOf(this.#node) ?? "";
    const plain = this.#flow.element;
    this.#flow.isStreaming = false;
    plain.plainText = text;
    if (!this.#markdown || !looksFormatted(text)) return;
    const formatted = await drawMarkdown(text, this.#markdown);
    if (formatted && plain.isConnected) plain.replaceWith(formatted);
  }
}

function timeWords(run, node) {
  if (["waiting", "skipped"].includes(node.state)) return "";
  const ms = run.timeOf(node);
  return ms === null ? "" : duration(ms);
}

function endWords(run) {
  if (run.state === "refused") return [`Failed: ${run.error?.message ?? ""}`, alarm];
  if (run.isMixed) return [`Partly failed: ${run.error?.message ?? ""}`, alarm];
  if (run.state === "failed") return [`Failed: ${run.error?.message ?? ""}`, alarm];
  if (run.state === "stopped") return [`Stopped after ${duration(run.elapsedMs)}. ${stopWords(run)}`];
  return [`Finished: ${duration(run.elapsedMs)}, ${plural(run.nodes.size, "node")}.`];
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

customElements.define("workflow-view", WorkflowView);
