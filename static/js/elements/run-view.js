/* The result: where a run was asked for and served, its figures, and its outputs as they come. */
import { alarm, announce } from "../announce.js";
import { icon, make } from "../dom.js";
import { drawOutcome, stopWords } from "../draw/outcome.js";
import { TextFlow } from "../draw/text.js";
import { duration, durationParts, figure, plural, rate } from "../format.js";
import { mediaUrl } from "../state/media.js";
import { copyText, sayCopied } from "./copy-button.js";

const DRAWN_ITEMS = 2000;
const FORMATTED = 8;
const RAW_SHOWN = 1_000_000;
const AT_END = 48;
// Thirty times a second is as smooth for text as sixty, at half the work; figures are read more slowly.
const DRAW_GAP = 28;
const METRICS_GAP = 100;
const GATHER_GAP = 250;
const KIT_GAP = 1000;

/* What draws anything but text comes when there is something for it to draw. */
let kit = null;
let coming = null;
async function loadKit(sheet) {
  const [value, bar, filter, plain, take] = await Promise.all([
    import("../draw/value.js"),
    import("../draw/filter-bar.js"),
    import("../state/filter.js"),
    import("../state/plain.js"),
    import("../draw/take.js"),
    import("../sheets.js").then(({ linkSheet }) => linkSheet(sheet)),
  ]);
  kit = { ...value, ...bar, ...filter, ...plain, ...take };
}

/** One that could not come is asked for anew. */
async function bringKit(sheet) {
  if (!kit) await (coming ??= loadKit(sheet).finally(() => (coming = null)));
}

class RunView extends HTMLElement {
  #run = null;
  #drawn = 0;
  #flow = null;
  #frame = 0;
  #drawnAt = 0;
  #timer = 0;
  #isSticking = true;
  #said = new Set();
  #exchanges = null;
  #items = [];
  #isBringing = false;
  #gathered = null;
  #gatheredAt = 0;
  #late = 0;
  #filter = null;
  #tally = null;
  #bar = null;
  #known = null;
  #formatted = [];

  connectedCallback() {
    this.#part("copy").addEventListener("click", this.#copy);
    this.#part("raw").addEventListener("click", () => this.#toggleRaw());
    this.#part("download").addEventListener("click", this.#download);
    this.#part("written").addEventListener("click", () => this.#toggleWritten());
    const newest = this.#newest?.querySelector("button");
    newest?.addEventListener("click", () => this.#stick());
    this.#scrollTarget.addEventListener("scroll", this.#scrolled, { passive: true });
    for (const kind of ["wheel", "touchmove"]) this.#scrollTarget.addEventListener(kind, this.#scrolled, { passive: true });
  }

  disconnectedCallback() {
    this.#forget();
    this.#scrollTarget.removeEventListener("scroll", this.#scrolled);
  }

  /** The run to show; what it says from now on is drawn as it comes. */
  set run(run) {
    this.#forget();
    this.#run = run;
    this.#drawn = 0;
    this.#flow = this.#gathered = this.#known = this.#tally = this.#bar = null;
    this.#items = [];
    this.#formatted = [];
    this.#part("filters").replaceChildren();
    this.#part("written").hidden = true;
    this.#said.clear();
    this.#isSticking = run.isFollowed;
    this.#part("idle").hidden = true;
    this.#part("run-parts").hidden = false;
    this.#part("outputs").replaceChildren();
    this.#part("end").replaceChildren();
    this.#toggleRaw(false);
    run.addEventListener("change", this.#changed);
    this.#drawRoute();
    this.#draw();
    if (run.isFollowed) this.#toTop();
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

  /** Of a stream: each input with what was answered to it. */
  async #drawExchanges() {
    const run = this.#run;
    const isDrawn = this.#drawn > 0 || this.#exchanges !== null;
    this.#drawn = Math.max(run.outputs.length, 1);
    if (isDrawn) return;
    const [{ Exchanges }] = await Promise.all([import("../draw/exchanges.js"), bringKit(this.dataset.sheet)]);
    if (run !== this.#run) return;
    const sift = (value) => {
      if (run.live && !run.live.isOver) this.#tally = null; // of live pictures only the newest counts
      const shown = this.#sift(value);
      this.#drawBar();
      return shown;
    };
    this.#exchanges = new Exchanges(run, { ...this.#context, sift });
    this.#part("outputs").append(this.#exchanges.element);
  }

  #forget() {
    this.#exchanges?.close();
    this.#exchanges = null;
    this.#run?.removeEventListener("change", this.#changed);
    cancelAnimationFrame(this.#frame);
    clearInterval(this.#timer);
    clearTimeout(this.#late);
    this.#frame = this.#timer = 0;
  }

  #changed = (event) => {
    this.#announce(event.detail);
    if (this.#timer === 0 && !this.#run.isOver) this.#timer = setInterval(() => this.#drawMetrics(), METRICS_GAP);
    this.#frame ||= requestAnimationFrame(this.#drawSoon);
  };

  #drawSoon = (now) => {
    const isEarly = now - this.#drawnAt < DRAW_GAP && !this.#run.isOver;
    this.#frame = isEarly ? requestAnimationFrame(this.#drawSoon) : 0;
    if (isEarly) return;
    this.#drawnAt = now;
    this.#draw();
  };

  #draw() {
    const run = this.#run;
    const isFirst = this.#drawn === 0;
    this.#drawOutputs();
    if (isFirst || run.isOver) this.#drawMetrics();
    this.#drawWaiting();
    if (run.served || run.isOver) this.#drawRoute();
    if (run.isOver) this.#drawEnd();
    this.#follow();
  }

  // Outputs.

  #drawOutputs() {
    const run = this.#run;
    const { outputs, shape, isStream } = run;
    if (isStream) return this.#drawExchanges();
    const isText = (shape?.type ?? "str") === "str" && !isStream && outputs.slice(this.#drawn).every((piece) => typeof piece === "string");
    if (isText && this.#drawn < outputs.length) this.#appendText(outputs.slice(this.#drawn));
    else if (this.#drawn < outputs.length || this.#gathered) {
      if (!kit) return this.#bring();
      if (kit.isGathered(shape) && !isStream && outputs.length > 1) this.#gather();
      else for (const value of outputs.slice(this.#drawn)) this.#appendItem(value);
      this.#drawBar();
    }
    this.#drawn = outputs.length;
    if (this.#flow) this.#flow.isStreaming = !run.isOver;
  }

  async #bring() {
    if (this.#isBringing) return;
    this.#isBringing = true;
    while (!kit && this.isConnected) await bringKit(this.dataset.sheet).catch(() => new Promise((resolve) => setTimeout(resolve, KIT_GAP)));
    this.#isBringing = false;
    if (kit && this.#run) this.#draw();
  }

  #appendText(pieces) {
    if (!this.#flow) {
      this.#flow = new TextFlow();
      this.#part("outputs").append(this.#flow.element);
    }
    this.#flow.append(pieces.join(""));
  }

  #appendItem(value) {
    const outputs = this.#part("outputs");
    if (outputs.childElementCount > DRAWN_ITEMS) return;
    if (outputs.childElementCount === DRAWN_ITEMS) {
      outputs.append(make("p", "muted", "Later outputs stand in Raw."));
      return;
    }
    const item = { value, drawing: kit.drawValue(this.#run.shape, this.#sift(value), this.#context) };
    const isLive = this.#run.isFollowed && this.#drawn > 40;
    outputs.append(make("div", isLive ? "outputs__item--settled" : "", item.drawing));
    this.#items.push(item);
  }

  /** Outputs that make one drawing together; it is drawn again as more come, not more often than the eye needs. */
  #gather() {
    const { outputs, shape, isOver } = this.#run;
    const now = performance.now();
    clearTimeout(this.#late);
    if (this.#gathered && !isOver && now - this.#gatheredAt < GATHER_GAP) {
      this.#late = setTimeout(() => this.#draw(), GATHER_GAP);
      return;
    }
    this.#gatheredAt = now;
    this.#tally = null;
    this.#items = [];
    const shown = outputs.map((value) => this.#sift(value)).filter((value) => value !== null);
    if (this.#gathered) this.#gathered.redraw(shown, isOver);
    else this.#part("outputs").replaceChildren((this.#gathered = kit.drawGathered(shape, shown, { ...this.#context, isWhole: isOver })));
  }

  get #context() {
    const { id, method, arguments: given } = this.#run;
    this.#known ??= {
      mediaUrl,
      ...kit.findGiven(given, mediaUrl),
      name: [this.closest("[data-model]")?.dataset.model.split("/").pop(), method, id.slice(0, 8)].filter(Boolean).join("-"),
    };
    return this.#known;
  }

  // What of it is shown.

  #sift(value) {
    this.#filter ??= kit.readFilter();
    this.#tally ??= new kit.Tally();
    return kit.sift(this.#run.shape, value, this.#filter, this.#tally);
  }

  #drawBar() {
    if (!this.#bar && !(this.#tally?.all > 1 || (this.#tally?.all && kit.isOn(this.#filter)))) return;
    if (!this.#bar) this.#part("filters").append((this.#bar = new kit.FilterBar(this.#filter, this.#refilter)).element);
    this.#bar.tally = this.#tally;
  }

  #refilter = (filter) => {
    this.#filter = filter;
    kit.writeFilter(filter);
    this.#tally = null;
    if (this.#gathered) {
      this.#gatheredAt = 0;
      this.#gather();
    }
    for (const item of this.#items) {
      const value = this.#sift(item.value);
      if (item.drawing.redraw && value !== null) item.drawing.redraw(value);
      else {
        const drawing = kit.drawValue(this.#run.shape, value, this.#context);
        item.drawing.replaceWith(drawing);
        item.drawing = drawing;
      }
    }
    this.#exchanges?.redraw();
    this.#drawBar();
  };

  // Markdown, once a text is done.

  async #format() {
    const run = this.#run;
    if (this.#flow) this.#flow.element.plainText = run.outputs.join("");
    const texts = [...this.#part("outputs").querySelectorAll(".answer")].filter((element) => element.plainText);
    if (!texts.length || !this.dataset.markdown) return;
    const [{ looksFormatted, drawMarkdown }, { linkSheet }] = await Promise.all([import("../draw/markdown.js"), import("../sheets.js")]);
    for (const plain of texts.filter((element) => looksFormatted(element.plainText)).slice(0, FORMATTED)) {
      const [formatted] = await Promise.all([drawMarkdown(plain.plainText, this.dataset.markdown), linkSheet(this.dataset.sheet)]);
      if (run !== this.#run) return;
      if (!formatted) continue;
      this.#formatted.push({ plain, formatted });
      plain.replaceWith(formatted);
      this.#part("written").hidden = false;
      this.#part("written").setAttribute("aria-pressed", "false");
    }
    this.#follow();
  }

  #toggleWritten() {
    const isWritten = this.#part("written").getAttribute("aria-pressed") !== "true";
    this.#part("written").setAttribute("aria-pressed", String(isWritten));
    for (const { plain, formatted } of this.#formatted) {
      if (isWritten) formatted.replaceWith(plain);
      else plain.replaceWith(formatted);
    }
  }

  // Figures and route.

  #drawMetrics() {
    const run = this.#run;
    const { label, count, unit, perSecond } = run.counts;
    this.#metric("first", durationParts(run.firstMs));
    this.#metric("total", run.state === "refused" ? ["–", ""] : durationParts(run.elapsedMs));
    this.#metric("count", [count ? figure(count) : run.isOver ? "0" : "–", ""]);
    this.#metric("speed", perSecond ? [rate(perSecond), unit] : ["–", ""]);
    setText(this.querySelector('[data-metric-label="count"]'), label);
    setText(this.querySelector('[data-metric-label="total"]'), run.isOver ? "Total" : "So far");
    if (run.isOver) {
      clearInterval(this.#timer);
      this.#timer = 0;
    }
  }

  #metric(name, [number, unit]) {
    const element = this.querySelector(`[data-metric="${name}"]`);
    if (element.childElementCount === 0) element.replaceChildren("", make("span", "metric__unit"));
    setText(element.firstChild, number);
    setText(element.lastChild, unit ? `\u00a0${unit}` : "");
  }

  #drawRoute() {
    const { asked, served, asAsked, isOver, state } = this.#run;
    const isPair = asked.selector?.nodepool_id;
    this.#part("asked-for").textContent = asked.label;
    const name = served?.is_shared ? "Shared" : served?.deployment_id;
    const place = served ? `${served.compute_cluster_id} / ${served.nodepool_id}` : "";
    const unknown = state === "refused" ? "Nobody" : isOver ? "–" : "…";
    this.#part("served-by").textContent = served ? (isPair ? place : name) : unknown;
    this.#part("where").textContent = served ? `· ${isPair ? name : place}` : "";
    const differs = asAsked === false;
    this.#part("route").classList.toggle("route--differs", differs);
    const verdict = this.#part("verdict");
    if (asAsked === null) verdict.replaceChildren();
    else if (!verdict.childElementCount) {
      const tag = make("span", `tag ${differs ? "tag--bad" : "tag--good"}`);
      tag.append(icon(differs ? "alert" : "check", "icon--small"), differs ? "Not as asked" : "As asked");
      verdict.replaceChildren(tag);
    }
  }

  #drawWaiting() {
    const { waiting, isOver } = this.#run;
    const element = this.#part("waiting");
    element.hidden = !waiting || isOver;
    if (element.hidden) return;
    const reason = waiting.reason ? `: ${waiting.reason}` : "";
    const words = `${this.#run.asked.label} is ${waiting.state}${reason}. Your call goes on by itself when it is ready.`;
    setText(this.#part("waiting-words"), words);
  }

  #drawEnd() {
    const end = this.#part("end");
    if (end.childElementCount) return;
    this.isOnline = true;
    const again = () => this.dispatchEvent(new CustomEvent("run-again", { bubbles: true }));
    const outcome = drawOutcome(this.#run, { again });
    if (outcome) end.append(outcome);
    if (!this.#said.has("formatted")) this.#format();
    this.#said.add("formatted");
    if (this.#part("raw").getAttribute("aria-pressed") === "true") this.#toggleRaw(true);
  }

  // Copy, Download and Raw.

  /** All outputs as one value; pieces of text as the text. */
  get #whole() {
    const { outputs, isStream } = this.#run;
    if (outputs.every((value) => typeof value === "string")) return outputs.join(isStream ? "\n" : "");
    return outputs.length === 1 ? outputs[0] : outputs;
  }

  #copy = async () => {
    await (kit ? kit.copyValue(this.#whole, this.#context) : copyText(this.#whole));
    sayCopied(this.#part("copy"));
  };

  #download = async () => {
    await bringKit(this.dataset.sheet);
    const saved = this.#gathered?.saved;
    if (saved) kit.save(saved.href, saved.name);
    else kit.download(this.#whole, this.#context);
  };

  #toggleRaw(wanted = this.#part("raw").getAttribute("aria-pressed") !== "true") {
    this.#part("raw").setAttribute("aria-pressed", String(wanted));
    this.#part("outputs").hidden = wanted;
    const view = this.#part("raw-view");
    view.hidden = !wanted;
    this.#part("filters").hidden = wanted;
    const text = wanted ? JSON.stringify(this.#run.raw, null, 2) : "";
    view.textContent = text.length > RAW_SHOWN ? `${text.slice(0, RAW_SHOWN)}\n… Download gives all of it.` : text;
  }

  // Staying at the end while the reader is there.

  get #scroller() {
    const own = this.closest("[data-scroller]");
    return own && getComputedStyle(own).overflowY !== "visible" ? own : document.scrollingElement;
  }

  get #scrollTarget() {
    const scroller = this.#scroller;
    return scroller === document.scrollingElement ? document : scroller;
  }

  get #newest() {
    return this.closest("[data-scroller]")?.querySelector("[data-newest]");
  }

  #scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#isSticking = scrollHeight - scrollTop - clientHeight < AT_END;
    this.#showNewest();
  };

  #follow() {
    if (!this.#run.isFollowed || this.#run.live) return;
    if (this.#isSticking && this.#run.outputs.length > 1) {
      const scroller = this.#scroller;
      if (scroller.scrollHeight > scroller.clientHeight) scroller.scrollTop = scroller.scrollHeight;
    }
    this.#showNewest();
  }

  #showNewest() {
    if (this.#newest) this.#newest.hidden = this.#isSticking || !this.#run || this.#run.isOver || this.#run.outputs.length < 2;
  }

  #stick() {
    this.#isSticking = true;
    this.#follow();
  }

  #toTop() {
    if (this.#scroller !== document.scrollingElement) this.#scroller.scrollTop = 0;
  }

  // Said aloud, each thing once.

  #announce(kinds) {
    const run = this.#run;
    if (kinds.has("started")) this.#sayOnce("started", `Run started on ${run.asked.label}.`);
    if (kinds.has("deploying")) this.#sayOnce("deploying", `${run.asked.label} is not ready yet. The call waits.`);
    if (run.asAsked === false) this.#sayOnce("differs", "Not served as asked.", alarm);
    if (run.isOver) this.#sayOnce("end", ...endWords(run));
    else if (run.firstMs !== null) this.#sayOnce("first", `First output after ${duration(run.firstMs)}.`);
  }

  #sayOnce(what, words, say = announce) {
    if (this.#said.has(what) || !this.#run.isFollowed) return;
    this.#said.add(what);
    say(words);
  }
}

function endWords(run) {
  if (run.state === "failed" || run.state === "refused") return [`Failed: ${run.error?.message ?? ""}`, alarm];
  if (run.state === "stopped") return [`Stopped after ${duration(run.elapsedMs)}. ${stopWords(run)}`];
  const { label, count } = run.counts;
  return [`Finished: ${duration(run.elapsedMs)}, ${plural(count, label.slice(0, -1).toLowerCase())}.`];
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

customElements.define("run-view", RunView);
