/* One pane of a comparison: its target, the run it shows as it comes, and what stands below it. */
import { icon, make } from "../dom.js";
import { drawOutcome } from "../draw/outcome.js";
import { TextFlow } from "../draw/text.js";
import { duration, rate } from "../format.js";
import { bring } from "../parts.js";
import { mediaUrl } from "../state/media.js";
import { drawWords } from "./words.js";

const REDRAW_GAP = 250;
const FIGURES_GAP = 100;
const MOST_AT_ONCE = 6;
const LEAST_AT_ONCE = 2;
const LATE = 24;
const AT_END = 40;
const START_GAP = 1000;

/* All panes draw in each frame, as long as frames come in time; else fewer, in turn. First what is new is written into
   those, then they are scrolled, so that a frame lays the page out once. */
const waiting = new Set();
let frame = 0;
let askedAt = 0;
let atOnce = MOST_AT_ONCE;

function schedule(pane) {
  waiting.add(pane);
  if (!frame) ask();
}

function ask() {
  askedAt = performance.now();
  frame = requestAnimationFrame(drawSome);
}

function drawSome(now) {
  atOnce = now - askedAt > LATE ? LEAST_AT_ONCE : Math.min(atOnce + 1, MOST_AT_ONCE);
  const panes = [...waiting].slice(0, atOnce);
  for (const pane of panes) {
    waiting.delete(pane);
    pane.draw();
  }
  for (const pane of panes) pane.stick();
  frame = 0;
  if (waiting.size) ask();
}

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
  #isAtEnd = true;
  #valuesAt = 0;
  #figuresAt = 0;
  #late = 0;
  #watching = 0;
  #isAsking = false;
  #again;
  #facts;
  #filter = null;
  #diff = null;

  /** `again` runs this one again. */
  constructor(element, { again }) {
    this.element = element;
    this.#again = again;
    this.#facts = JSON.parse(element.dataset.facts);
    const body = this.part("body");
    body.addEventListener("scroll", () => (this.#isAtEnd = body.scrollHeight - body.scrollTop - body.clientHeight < AT_END));
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
    this.#isAtEnd = true;
    run.addEventListener("change", this.#changed);
    this.draw();
  }

  close() {
    this.#forget();
    this.element.remove();
  }

  #forget() {
    this.run?.removeEventListener("change", this.#changed);
    waiting.delete(this);
    clearTimeout(this.#late);
    this.#unwatch();
  }

  #changed = () => schedule(this);

  /** What is new of its run. */
  draw() {
    this.#drawOutputs();
    this.#drawLive();
    if (this.run.isOver) this.#drawEnd();
  }

  /** Its newest stays in view, while its reader is at the end. */
  stick() {
    if (!this.run.isOver && this.#isAtEnd && this.run.outputs.length) this.part("body").scrollTop = 1e9;
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
    if (!kit) return bringKit(this.element.closest("[data-sheet]").dataset.sheet).then(() => run === this.run && schedule(this));
    const now = performance.now();
    clearTimeout(this.#late);
    if (!run.isOver && this.#drawn && now - this.#valuesAt < REDRAW_GAP) {
      this.#late = setTimeout(() => schedule(this), REDRAW_GAP);
      return;
    }
    this.#valuesAt = now;
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
    if (waiting.hidden) this.#unwatch();
    else {
      this.part("waiting-words").textContent = `${this.label} is ${run.waiting.state}. Its call goes on by itself when it is ready; the others do not wait.`;
      if (!this.#watching) this.#watch();
      this.#watching ||= setInterval(() => this.#watch(), START_GAP);
    }
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

  /** Where its start stands, as long as it waits for it. */
  async #watch() {
    const { run } = this;
    const address = this.element.dataset.startUrl;
    if (!address || this.#isAsking || document.visibilityState !== "visible") return;
    this.#isAsking = true;
    const answer = await fetch(address).catch(() => null);
    this.#isAsking = false;
    if (answer?.status !== 200 || run !== this.run || !run.waiting) return;
    const text = await answer.text();
    const place = this.part("start");
    place.innerHTML = text;
    bring(place);
  }

  #unwatch() {
    clearInterval(this.#watching);
    this.#watching = 0;
    this.part("start").replaceChildren();
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
