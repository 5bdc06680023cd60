/* One pane of a comparison: its target, the run it shows as it comes, and what stands below it. */
import { icon, make } from "../dom.js";
import { drawOutcome } from "../draw/outcome.js";
import { TextFlow } from "../draw/text.js";
import { duration, rate } from "../format.js";
import { mediaUrl } from "../state/media.js";
import { drawWords } from "./words.js";

const REDRAW_GAP = 250;
const FIGURES_GAP = 100;
const AT_END = 40;

/* What draws anything but text comes when there is something for it to draw. */
let kit = null;
async function bringKit(sheet) {
  const [value, plain, filter] = await Promise.all([
    import("../draw/value.js"),
    import("../state/plain.js"),
    import("../state/filter.js"),
    import("../sheets.js").then(({ linkSheet }) => linkSheet(sheet)),
  ]);
  kit = { ...value, ...plain, ...filter };
}

export class Pane {
  element;
  run = null;
  secrets = {};
  planned = 1;
  turn = 1;
  isCancelled = false;
  #flow = null;
  #drawn = 0;
  #frame = 0;
  #drawnAt = 0;
  #figuresAt = 0;
  #late = 0;
  #again;
  #facts;
  #filter = null;
  #diff = null;

  /** `again` runs this one again. */
  constructor(element, { again }) {
    this.element = element;
    this.#again = again;
    this.#facts = JSON.parse(element.dataset.facts);
  }

  get id() {
    return this.element.dataset.pane;
  }

  get facts() {
    return this.#facts;
  }

  get letter() {
    return this.part("letter").textContent;
  }

  set letter(value) {
    this.part("letter").textContent = value;
    this.element.setAttribute("aria-label", `${value}: ${this.label}`);
    this.part("body").setAttribute("aria-label", `Answer of ${value}`);
    this.element.querySelector("[data-menu]")?.setAttribute("aria-label", `Acts on ${value}`);
  }

  get label() {
    return this.element.dataset.label;
  }

  /** Why it cannot be run; "" where it can. */
  get reason() {
    return this.element.dataset.reason;
  }

  get isRunning() {
    return Boolean(this.run) && !this.run.isOver;
  }

  /** Its own text, or null where it gets what all get. */
  get prompt() {
    const box = this.part("own-prompt");
    return !box || box.hidden ? null : this.part("prompt").value;
  }

  /** As addresses and the server name it. */
  get target() {
    const [model, query = ""] = this.#facts.target.split("?");
    const words = new URLSearchParams(query);
    words.delete("prompt");
    if (this.prompt !== null) words.set("prompt", this.prompt);
    const text = words.toString();
    return text ? `${model}?${text}` : model;
  }

  part(name) {
    return this.element.querySelector(`[data-${name}]`);
  }

  /** Shows a run from now on. */
  show(run) {
    this.#forget();
    this.run = run;
    this.#drawn = 0;
    this.#flow = null;
    this.part("outputs").replaceChildren();
    this.part("end").replaceChildren();
    this.showDiff(null);
    run.addEventListener("change", this.#changed);
    this.#draw();
  }

  close() {
    this.#forget();
    this.element.remove();
  }

  #forget() {
    this.run?.removeEventListener("change", this.#changed);
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#late);
    this.#frame = 0;
  }

  #changed = () => {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  };

  #draw() {
    const { run } = this;
    const body = this.part("body");
    const isAtEnd = body.scrollHeight - body.scrollTop - body.clientHeight < AT_END;
    this.#drawOutputs();
    this.#drawLive();
    if (run.isOver) this.#drawEnd();
    if (!run.isOver && isAtEnd && run.outputs.length) body.scrollTop = body.scrollHeight;
  }

  #drawOutputs() {
    const { run } = this;
    const fresh = run.outputs.slice(this.#drawn);
    const isText = !fresh.length || (this.#drawn === 0 || this.#flow) && fresh.every((piece) => typeof piece === "string");
    if (isText && fresh.length) {
      if (!this.#flow) this.part("outputs").replaceChildren((this.#flow = new TextFlow()).element);
      this.#flow.append(fresh.join(""));
      this.#drawn = run.outputs.length;
    } else if (fresh.length) this.#drawValues();
    if (this.#flow) this.#flow.isStreaming = !run.isOver;
  }

  #drawValues() {
    const { run } = this;
    if (!kit) return bringKit(this.element.closest("[data-sheet]").dataset.sheet).then(() => run === this.run && this.#draw());
    const now = performance.now();
    clearTimeout(this.#late);
    if (!run.isOver && this.#drawn && now - this.#drawnAt < REDRAW_GAP) {
      this.#late = setTimeout(() => this.#draw(), REDRAW_GAP);
      return;
    }
    this.#drawnAt = now;
    this.#drawn = run.outputs.length;
    const context = { mediaUrl, ...kit.findGiven(run.arguments ?? {}, mediaUrl), name: `${run.method}-${run.id.slice(0, 8)}` };
    const { shape } = run;
    const outputs = this.#filter ? run.outputs.map((value) => kit.sift(shape, value, this.#filter, new kit.Tally())).filter((value) => value !== null) : run.outputs;
    let drawing;
    if (outputs.length === 1 && run.outputs.length === 1) drawing = kit.drawValue(shape, outputs[0], context);
    else if (kit.isGathered(shape)) drawing = kit.drawGathered(shape, outputs, { ...context, isWhole: run.isOver });
    else drawing = kit.drawValue({ type: "list", of: [shape] }, outputs, context);
    this.part("outputs").replaceChildren(drawing);
  }

  #drawLive() {
    const { run } = this;
    this.part("live").hidden = run.isOver;
    const waiting = this.part("waiting");
    waiting.hidden = !run.waiting || run.isOver;
    if (run.waiting) waiting.textContent = `${this.label} is ${run.waiting.state}. Its call goes on by itself when it is ready; the others do not wait.`;
    if (run.isOver) return;
    this.tick(true);
  }

  /** The seconds so far. */
  tick(isNow = false) {
    const { run } = this;
    const now = performance.now();
    if (!run || run.isOver || (!isNow && now - this.#figuresAt < FIGURES_GAP)) return;
    if (isNow && now - this.#figuresAt < FIGURES_GAP && this.#figuresAt) return;
    this.#figuresAt = now;
    const { perSecond, unit } = run.counts;
    const parts = [
      this.planned > 1 ? (this.turn ? `Run ${this.turn} of ${this.planned}` : "Warm-up, not counted") : "",
      run.firstMs === null ? "" : `first output ${duration(run.firstMs)}`,
      run.isStopping ? "stopping…" : `${duration(run.elapsedMs)} so far`,
      perSecond ? `${rate(perSecond)} ${unit}` : "",
    ];
    this.part("live-words").textContent = parts.filter(Boolean).join(" · ");
  }

  #drawEnd() {
    const end = this.part("end");
    if (end.childElementCount) return;
    const outcome = drawOutcome(this.run, { again: this.#again });
    if (outcome) end.append(outcome);
  }

  /** Its text with what differs from the reference's; null shows the answer as it is. */
  showDiff(diff) {
    if (diff === this.#diff) return;
    this.#diff = diff;
    const place = this.part("diff");
    place.hidden = !diff;
    this.part("outputs").hidden = Boolean(diff);
    place.replaceChildren(...(diff ? [drawWords(diff)] : []));
  }

  /** What it gave as one text. */
  get text() {
    return (this.run?.outputs ?? []).map((piece) => piece?.text ?? piece).join("");
  }

  /** Of regions and concepts those that are shown: {threshold, concept}, part of a name. */
  set filter({ threshold, concept }) {
    const words = concept.trim().toLowerCase();
    const filter = Number(threshold) > 0 || words ? { threshold: Number(threshold), words, top: 0, concepts: new Set() } : null;
    if (JSON.stringify(filter) === JSON.stringify(this.#filter)) return;
    this.#filter = filter;
    if (!this.run?.isOver || this.#flow) return;
    this.#drawn = 0;
    this.#changed();
  }

  set isReference(value) {
    this.part("is-reference").hidden = !value;
    if (value) this.alike = null;
  }

  /** From 0 to 1, how alike its answer is to the reference's; null where nothing can be said. */
  set alike(value) {
    const tag = this.part("alike");
    tag.hidden = value === null || value === undefined;
    tag.textContent = tag.hidden ? "" : `${Math.round(value * 100)}\u00a0% alike`;
  }

  /** What else is to be known of it. */
  set note(words) {
    const note = this.part("note");
    note.textContent = words;
    note.hidden = !words;
  }

  refuse(words) {
    this.part("end").replaceChildren(make("div", "notice notice--bad", icon("alert"), make("div", "notice__body", words)));
  }
}
