/* The result: where a run was asked for and served, its figures, and its outputs as they come. */
import { alarm, announce } from "../announce.js";
import { icon, make } from "../dom.js";
import { drawOutcome, stopWords } from "../draw/outcome.js";
import { TextFlow } from "../draw/text.js";
import { drawValue } from "../draw/value.js";
import { duration, durationParts, figure, plural, rate } from "../format.js";
import { mediaUrl } from "../state/media.js";
import { copyText, sayCopied } from "./copy-button.js";

const DRAWN_ITEMS = 2000;
const AT_END = 48;
// Thirty times a second is as smooth for text as sixty, at half the work; figures are read more slowly.
const DRAW_GAP = 28;
const METRICS_GAP = 100;

class RunView extends HTMLElement {
  #run = null;
  #drawn = 0;
  #flow = null;
  #frame = 0;
  #drawnAt = 0;
  #timer = 0;
  #isSticking = true;
  #said = new Set();

  connectedCallback() {
    this.#part("copy").addEventListener("click", this.#copy);
    this.#part("raw").addEventListener("click", () => this.#toggleRaw());
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
    this.#flow = null;
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

  #forget() {
    this.#run?.removeEventListener("change", this.#changed);
    cancelAnimationFrame(this.#frame);
    clearInterval(this.#timer);
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
    const { outputs, shape, isStream } = this.#run;
    const isText = (shape?.type ?? "str") === "str" && !isStream;
    if (isText && this.#drawn < outputs.length) this.#appendText(outputs.slice(this.#drawn));
    else for (const value of outputs.slice(this.#drawn)) this.#appendItem(value);
    this.#drawn = outputs.length;
    if (this.#flow) this.#flow.isStreaming = !this.#run.isOver;
  }

  #appendText(pieces) {
    if (pieces.some((piece) => typeof piece !== "string")) {
      for (const piece of pieces) this.#appendItem(piece);
      return;
    }
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
    const drawing = drawValue(this.#run.shape, value, this.#context);
    const isLive = this.#run.isFollowed && this.#drawn > 40;
    outputs.append(make("div", isLive ? "outputs__item--settled" : "", drawing));
  }

  get #context() {
    return { mediaUrl, picture: pictureOf(this.#run.arguments) };
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
    if (this.#part("raw").getAttribute("aria-pressed") === "true") this.#toggleRaw(true);
  }

  // Copy and Raw.

  #copy = async () => {
    const { outputs } = this.#run;
    const isText = outputs.every((value) => typeof value === "string");
    const separator = this.#run.isStream ? "\n" : "";
    await copyText(isText ? outputs.join(separator) : JSON.stringify(outputs.length === 1 ? outputs[0] : outputs, null, 2));
    sayCopied(this.#part("copy"));
  };

  #toggleRaw(wanted = this.#part("raw").getAttribute("aria-pressed") !== "true") {
    this.#part("raw").setAttribute("aria-pressed", String(wanted));
    this.#part("outputs").hidden = wanted;
    const view = this.#part("raw-view");
    view.hidden = !wanted;
    view.textContent = wanted ? JSON.stringify(this.#run.raw, null, 2) : "";
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
    if (!this.#run.isFollowed) return;
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

/** The picture that was given: stored here, or where its URL has it. */
function pictureOf(given) {
  for (const value of Object.values(given ?? {})) {
    if (value?.media && (value.content_type ?? "image/").startsWith("image/")) return { src: mediaUrl(value.media) };
    if (/^https?:/i.test(value?.url ?? "")) return { src: value.url };
  }
  return null;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

customElements.define("run-view", RunView);
