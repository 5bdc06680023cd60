/* One node of a workflow's run: its state and time in a line, below it what of its output the filter lets through. */
import { fold, icon, make } from "../dom.js";
import { duration } from "../format.js";
import { sift, Tally } from "../state/filter.js";
import { valueOf } from "../state/workflow-run.js";
import { drawMarkdown, looksFormatted } from "./markdown.js";
import { takeButtons } from "./take.js";
import { TextFlow } from "./text.js";
import { drawValue } from "./value.js";

const LIST_GAP = 250;
const STATES = {
  waiting: ["pending", "Waits"],
  running: ["live", "Running"],
  finished: ["finished", "Done"],
  failed: ["failed", "Failed"],
  skipped: ["zero", "Did not run"],
  stopped: ["zero", "Stopped"],
};

export class NodePart {
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
  #filter;
  tally = new Tally(); // of what the filter lets through

  constructor(run, node, context, { markdown, filter }) {
    this.#run = run;
    this.#node = node;
    this.#context = context;
    this.#markdown = markdown;
    this.#filter = filter;
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
    this.#drawValue();
  }

  #drawValue() {
    const { shape } = this.#node;
    this.tally = new Tally();
    const value = sift(shape, valueOf(this.#node), this.#filter(), this.tally);
    if (this.#drawing?.redraw && value !== null) return this.#drawing.redraw(value);
    const drawing = drawValue(shape, value, this.#context);
    if (this.#drawing?.parentNode === this.#body) this.#drawing.replaceWith(drawing);
    else this.#body.replaceChildren(drawing);
    this.#drawing = drawing;
  }

  refilter() {
    if (this.#drawing && this.tally.all) this.#drawValue();
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

export function timeWords(run, node) {
  if (["waiting", "skipped"].includes(node.state)) return "";
  const ms = run.timeOf(node);
  return ms === null ? "" : duration(ms);
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
