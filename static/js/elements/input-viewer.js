/* The viewer of inputs: one of them, large, with what people said of it; in Predict mode with what models find in it. */
import { alarm, announce } from "../announce.js";
import { areLettersOn } from "../state/letters.js";
import { AnnotatePanel } from "../viewer/annotate.js";
import { ask } from "../viewer/ask.js";
import { Canvas } from "../viewer/canvas.js";
import { InfoPanel } from "../viewer/info.js";
import { Look } from "../viewer/look.js";
import { Neighbours } from "../viewer/neighbours.js";
import { Overlay } from "../viewer/overlay.js";
import { PredictPanel } from "../viewer/predict.js";
import { Strip } from "../viewer/strip.js";
import { readView, saveView } from "../viewer/targets.js";
import { makeView } from "../viewer/views.js";

const TYPED = "input:not([type=checkbox], [type=range]), textarea, select, [contenteditable], :popover-open, dialog, video, audio";
const PAN = 60;
const COMES_MS = 1500;
const STAYS_MS = 400;
const BESIDE = ["previous", "next", "strip", "position", "total"];
const GONE = "was deleted meanwhile, or is not shared with you any more.";

class InputViewer extends HTMLElement {
  input;
  view;
  canvas;
  #overlay;
  #annotate;
  #info;
  #predict;
  #strip;
  #look;
  #neighbours = new Neighbours();
  #wanted = "";
  #hot = null;
  #isHidden = false;
  #isBehind = false; // what stands beside the input is still another's
  #clock = 0;
  #waiting = 0;
  #asking = 0;

  connectedCallback() {
    this.input = JSON.parse(this.dataset.input);
    this.#clock = Date.parse(document.body.dataset.now) - performance.now();
    this.view = readView(this.input.user);
    this.canvas = new Canvas(this.#part("stage"), (percent) => this.#showZoom(percent));
    this.#overlay = new Overlay(this.mediaUrl, (region) => this.setHot(region), (region) => this.#picked(region));
    this.canvas.frame.append(this.#overlay.element);
    this.#annotate = new AnnotatePanel(this);
    this.#info = new InfoPanel(this);
    this.#look = new Look(this.#part("look"), this.#part("stage"));
    this.#strip = new Strip(this.#part("film"), (address) => this.go(address));
    this.#predict = new PredictPanel(this);
    this.#neighbours.put(this.input.url, this.input);
    this.#part("mode").checked = this.view.isOn;
    this.#part("mode").addEventListener("change", (event) => this.#setMode(event.target.checked));
    this.addEventListener("click", this.#clicked);
    document.addEventListener("keydown", this.#keys);
    document.addEventListener("visibilitychange", this.#askSoon);
    for (const kind of ["pointerdown", "keydown"]) this.addEventListener(kind, this.#catchUp, true);
    this.#showMode();
    this.#show(true);
    this.setAttribute("data-begun", "");
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#keys);
    document.removeEventListener("visibilitychange", this.#askSoon);
    clearTimeout(this.#waiting);
    clearTimeout(this.#asking);
    this.#predict.close();
    this.canvas.close();
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  /** The server's time now, whatever the browser's clock says. */
  get now() {
    return this.#clock + performance.now();
  }

  /** Where a film stands, in seconds. */
  get time() {
    const { view } = this.canvas;
    return view?.shownAt ?? view?.currentTime ?? 0;
  }

  get duration() {
    return this.canvas.view?.duration || this.input.duration_s || 0;
  }

  mediaUrl = (id) => this.dataset.mediaUrl.replace("ID", encodeURIComponent(id));

  // From one input to another.

  async go(address) {
    if (!address || address === this.input.url) return;
    this.#wanted = address;
    let entry = this.#neighbours.at(address);
    if (!entry) {
      this.setAttribute("aria-busy", "true");
      entry = await this.#neighbours.fetch(address).catch((error) => this.#missed(address, error));
      this.removeAttribute("aria-busy");
    }
    if (!entry || this.#wanted !== address || address === this.input.url) return;
    this.input = entry.facts;
    history.replaceState(history.state, "", address);
    this.#show();
    announce([this.input.name, placeWords(this.input)].filter(Boolean).join(", "));
  }

  /** It cannot be shown: one that was deleted leaves the strip. */
  async #missed(address, error) {
    if (this.#wanted !== address) return null;
    this.#tell(error.status === 404 ? `That input ${GONE}` : error.message);
    if (error.status !== 404) return null;
    const { input } = this;
    this.#neighbours.forget(address);
    const { facts } = (await this.#neighbours.fetch(input.url).catch(() => null)) ?? {};
    if (!facts || input !== this.input) return null;
    this.#neighbours.put(input.url, input);
    this.#placeAnew(facts);
    return null;
  }

  /** What stands beside it is something else now. */
  #placeAnew(facts) {
    for (const name of BESIDE) this.input[name] = facts[name];
    this.#place();
    this.#linkAround();
  }

  /** What was loaded ahead, or long ago, may have been deleted since: that is asked once somebody stays at it. */
  #askSoon = () => {
    clearTimeout(this.#asking);
    if (!document.hidden) this.#asking = setTimeout(() => this.#askAgain(this.input), STAYS_MS);
  };

  async #askAgain(input) {
    const facts = await ask(input.url).catch((error) => (error.status === 404 ? null : input));
    if (input !== this.input) return;
    const wasGone = Boolean(input.isGone);
    if (facts !== input) input.isGone = !facts;
    if (!facts) this.#neighbours.forget(input.url); // its next turn asks for it
    else if (besideOf(facts) !== besideOf(input)) this.#placeAnew(facts);
    if (wasGone !== Boolean(input.isGone)) this.redraw();
    if (!facts && !wasGone) alarm(`${input.name} ${GONE}`);
  }

  /** Words over the stage, until something else is shown. */
  #tell(words) {
    this.#part("overlay-words").textContent = words;
    this.#part("overlay-words").hidden = false;
    alarm(words);
  }

  #place() {
    this.#part("position").textContent = [placeWords(this.input), sizeOf(this.input)].filter(Boolean).join(" · ");
  }

  /** The input itself at once; what stands beside it once that is on screen, so that it waits for neither. */
  #show(isFirst = false) {
    const { input } = this;
    const kept = this.#neighbours.at(input.url)?.view;
    const { view, size, fresh } = makeView(input, kept, (found) => this.#sized(input, found), () => this.#predict.moved());
    this.canvas.show(view, size);
    if (fresh) this.#neighbours.put(input.url, input).view = fresh;
    this.#hot = null;
    document.title = `${input.name} · Playground`;
    this.#part("title").textContent = input.name;
    this.#part("title").title = input.name;
    this.#place();
    this.#annotate.follow();
    this.#predict.follow();
    this.redraw();
    this.#isBehind = true;
    if (isFirst) this.#catchUp();
    requestAnimationFrame(() => setTimeout(() => {
      if (input !== this.input) return;
      this.#catchUp();
      this.#bringAround(input);
      if (!isFirst) this.#askSoon();
    }));
    clearTimeout(this.#asking);
    this.#waitFor(input);
  }

  #waitFor(input) {
    clearTimeout(this.#waiting);
    if (input.is_under_way) this.#waiting = setTimeout(() => this.#lookAgain(input), COMES_MS);
  }

  /** Draw what stands beside the input; before anything is done to it, though not between two steps of browsing. */
  #catchUp = (event) => {
    if (!this.#isBehind || event?.key?.startsWith("Arrow")) return;
    this.#isBehind = false;
    this.#annotate.refresh();
    this.#info.follow();
    this.#predict.draw();
    if (!event) this.#part("scroll").scrollTop = 0;
    this.#linkAround(); // last: it measures
  };

  /** An input that is being fetched is shown as soon as it is there; until then what one types beside it stays. */
  async #lookAgain(input) {
    const facts = await ask(input.url).catch((error) => (error.status === 404 ? null : input));
    if (input !== this.input) return;
    if (!facts) return this.#askAgain(input);
    if (facts.is_under_way && facts.status_words === input.status_words) return this.#waitFor(input);
    this.input = this.#neighbours.put(input.url, facts).facts;
    this.#show();
  }

  /** A picture's or film's own size, where the server did not know it. */
  #sized(input, size) {
    if (input !== this.input || this.canvas.size) return;
    this.canvas.resize(size);
    this.#annotate.refresh();
    this.redraw();
  }

  #linkAround() {
    const { previous, next, url, export_urls: exports, original, back_url: back } = this.input;
    for (const [name, address] of [["previous", previous], ["next", next]]) {
      for (const link of this.querySelectorAll(`[data-go="${name}"]`)) link.disabled = !address;
    }
    for (const link of this.querySelectorAll("[data-export]")) link.href = exports[link.dataset.export];
    for (const link of this.querySelectorAll("[data-original]")) {
      link.hidden = !original;
      if (original) link.href = "save" in link.dataset ? `${original}?save` : original;
    }
    const at = new URL(url, location.href);
    const named = { input: at.pathname.split("/").at(-2), app: at.searchParams.get("app") ?? "" };
    for (const link of this.querySelectorAll("[data-compare]")) link.search = new URLSearchParams(named);
    if (back) this.#part("back").href = back;
    this.#part("delete").hidden = !this.input.may_delete;
    this.#strip.show(this.input.strip, url);
  }

  /** What comes next is fetched and decoded while this one is looked at; what may be asked for first, first. */
  async #bringAround(input) {
    await this.#neighbours.ahead(input.next);
    if (input === this.input) await this.#neighbours.ahead(input.previous);
    const further = this.#neighbours.at(input.next)?.facts.next;
    if (input === this.input) await this.#neighbours.ahead(further);
  }

  // Modes.

  #setMode(isOn) {
    this.view.isOn = isOn;
    saveView(this.input.user, this.view);
    this.#part("mode").checked = isOn;
    this.#annotate.follow();
    this.#annotate.refresh();
    this.#showMode();
    if (isOn) {
      this.#predict.open();
      this.toggleAttribute("data-side-open", true);
    }
    this.redraw();
    announce(isOn ? "Predict mode is on." : "Predict mode is off: annotations.");
  }

  #showMode() {
    const { isOn } = this.view;
    this.classList.toggle("viewer--predicts", isOn);
    this.#part("panel-predict").hidden = !isOn;
    this.#part("panel-annotations").hidden = isOn;
    this.#part("side").setAttribute("aria-label", isOn ? "Predictions" : "Annotations");
    this.#showInfo(this.view.info ?? !isOn);
  }

  #showInfo(isShown) {
    this.#part("panel-info").hidden = !isShown;
    this.#part("info").setAttribute("aria-pressed", String(isShown));
  }

  #toggleInfo() {
    const isShown = this.#part("panel-info").hidden;
    this.view.info = isShown;
    saveView(this.input.user, this.view);
    this.#showInfo(isShown);
    if (!isShown) return;
    this.toggleAttribute("data-side-open", true);
    this.#part("panel-info").scrollIntoView({ block: "nearest" });
  }

  /** Another target was chosen: where to go on from. */
  setChosen() {
    this.redraw();
  }

  // What lies over the picture.

  redraw() {
    if (!this.#predict) return;
    const layers = this.#isHidden ? [] : this.#layers;
    const left = this.#overlay.show(layers, this.canvas.size ? this.canvas.size[0] / this.canvas.size[1] : null);
    const words = this.#wordsOver(left);
    this.#part("overlay-words").textContent = words;
    this.#part("overlay-words").hidden = !words;
    this.#overlay.hot = this.#hot;
    this.#describe(layers);
  }

  #wordsOver(left) {
    if (this.input.isGone) return `This input ${GONE} You see what was loaded before.`;
    if (this.#isHidden) return "Boxes are hidden: H shows them.";
    return left ? `The strongest are drawn; ${left.toLocaleString("en-US")} more are not.` : "";
  }

  get #layers() {
    if (!this.view.isOn) return [this.#annotate.overlay];
    const layers = this.#predict.overlays;
    return this.#predict.showsOwn ? [...layers, this.#annotate.overlay] : layers;
  }

  #describe(layers) {
    const image = this.canvas.view?.matches?.("img") ? this.canvas.view : null;
    const count = layers.reduce((sum, layer) => sum + layer.regions.length, 0);
    if (image) image.alt = count ? `${this.input.name}, with ${count} marked ${count === 1 ? "region" : "regions"}` : this.input.name;
  }

  /** A region is under the pointer or in focus, here or in a list. */
  setHot(region) {
    if (region === this.#hot) return;
    this.#hot = region;
    this.#overlay.hot = region;
    (this.view.isOn ? this.#predict : this.#annotate).hot = region;
  }

  #picked(region) {
    if (this.view.isOn) this.#predict.reveal(region);
    else if (this.input.may_edit) this.#annotate.hold(region);
  }

  /** Bring a region of the list into sight. */
  showRegion(region) {
    this.setHot(region);
    this.#part("stage").scrollIntoView({ block: "nearest" });
  }

  /** The annotations are others now. */
  changed() {
    this.#annotate.refresh();
    this.#predict.follow();
    this.#predict.draw();
    this.redraw();
  }

  async unannotate(input, ids) {
    await this.#annotate.remove(input, ids);
  }

  #toggleBoxes() {
    this.#isHidden = !this.#isHidden;
    this.#part("hide").setAttribute("aria-pressed", String(this.#isHidden));
    this.redraw();
    announce(this.#isHidden ? "Boxes are hidden." : "Boxes are shown.");
  }

  // The bar.

  #showZoom(percent) {
    this.#part("zoom").textContent = percent === null ? "" : `${percent}\u00a0%`;
    this.classList.toggle("viewer--flat", percent === null);
    this.#sharpen();
  }

  /** Seen larger than the preview is, the original takes its place. */
  #sharpen() {
    const image = this.canvas.view;
    if (!image?.matches?.("img") || !image.naturalWidth || !this.input?.original || image.isSharp) return;
    if (this.canvas.shownWidth * devicePixelRatio <= image.naturalWidth * 1.3) return;
    if (this.input.width <= image.naturalWidth) return;
    image.isSharp = true;
    const sharp = Object.assign(new Image(), { src: this.input.original });
    sharp.decode().then(() => image.isConnected && (image.src = sharp.src), () => {});
  }

  #clicked = (event) => {
    const act = event.target.closest("[data-act]")?.dataset.act;
    const go = event.target.closest("[data-go]")?.dataset.go;
    if (go) return this.go(this.input[go]);
    if (act) this.#act(act);
    if (act || event.target.closest("a.menu__item")) event.target.closest("menu-popover")?.hidePopover();
  };

  #act(name) {
    ({
      "zoom-in": () => this.canvas.zoom(1),
      "zoom-out": () => this.canvas.zoom(-1),
      fit: () => this.canvas.fit(),
      full: () => this.canvas.full(),
      info: () => this.#toggleInfo(),
      hide: () => this.#toggleBoxes(),
      side: () => this.toggleAttribute("data-side-open"),
      delete: () => this.#delete(),
      "all-concepts": () => this.#predict.showAllConcepts(),
    })[name]();
  }

  /** Gone at once, back by Undo: the next one takes its place. */
  async #delete() {
    const { input } = this;
    const gone = await ask(input.delete_url, { method: "POST", json: {} }).catch((error) => this.#tell(error.message));
    if (!gone) return;
    this.#neighbours.clear();
    const words = `${input.name} is deleted.`;
    announce(words);
    const { offerUndo } = await import("../table/acts.js");
    offerUndo(words, async () => {
      await ask(input.restore_url, { method: "POST", json: gone }).catch((error) => this.#tell(error.message));
      await this.#predict.keepAgain(input);
      this.#neighbours.clear();
      this.go(input.url);
    });
    const on = input.next ?? input.previous;
    if (on) this.go(on);
    else location.assign(this.#part("back").href);
  }

  // Keys.

  #keys = (event) => {
    if (event.defaultPrevented || event.altKey) return;
    if (event.ctrlKey || event.metaKey) return this.#pressed(event, { Enter: () => this.view.isOn && this.#predict.predict(), ".": () => this.view.isOn && this.#predict.stop() });
    if (event.target.closest(TYPED)) return;
    if (!event.target.matches("[type=range]") && this.#pressed(event, event.shiftKey ? this.#panKeys : this.#moveKeys)) return;
    if (areLettersOn()) this.#pressed(event, this.view.isOn ? { ...this.#letters, ...this.#predictLetters } : { ...this.#letters, ...this.#ownLetters });
  };

  #pressed(event, acts) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!Object.hasOwn(acts, key)) return false;
    event.preventDefault();
    acts[key]();
    return true;
  }

  #moveKeys = {
    ArrowLeft: () => this.go(this.input.previous),
    ArrowRight: () => this.go(this.input.next),
  };

  #panKeys = {
    ArrowLeft: () => this.canvas.pan(PAN, 0),
    ArrowRight: () => this.canvas.pan(-PAN, 0),
    ArrowUp: () => this.canvas.pan(0, PAN),
    ArrowDown: () => this.canvas.pan(0, -PAN),
  };

  #letters = {
    t: () => this.#setMode(!this.view.isOn),
    p: () => this.#predictFromAnywhere(),
    i: () => this.#toggleInfo(),
    h: () => this.#toggleBoxes(),
    "+": () => this.canvas.zoom(1),
    "=": () => this.canvas.zoom(1),
    "-": () => this.canvas.zoom(-1),
    0: () => this.canvas.fit(),
    1: () => this.canvas.full(),
    v: () => this.#look.toggleInvert(),
  };

  #predictLetters = {
    "[": () => this.#predict.stepThreshold(-0.05),
    "]": () => this.#predict.stepThreshold(0.05),
    "{": () => this.#predict.stepOpacity(-0.1),
    "}": () => this.#predict.stepOpacity(0.1),
    a: () => this.#predict.acceptAll(),
    c: () => this.#predict.change(),
    x: () => this.#predict.toggle(this.#hot),
    l: () => this.#part("layers").hidden || this.#part("layers").click(),
    u: () => this.#part("auto").click(),
  };

  #ownLetters = { b: () => this.#annotate.draw() };

  #predictFromAnywhere() {
    if (!this.view.isOn) this.#setMode(true);
    this.#predict.predict();
  }
}

function placeWords({ position, total, is_picked: isPicked }) {
  if (!position) return "";
  return `${position.toLocaleString("en-US")} of ${typeof total === "number" ? total.toLocaleString("en-US") : total}${isPicked ? " selected" : ""}`;
}

function besideOf({ previous, next, position, total, strip }) {
  return [previous, next, position, total, ...strip.map(({ url }) => url)].join();
}

function sizeOf({ width, height, duration_s: seconds, facts, kind }) {
  if (width) return `${width} × ${height}`;
  if (seconds) return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  return kind === "text" && facts.characters ? `${facts.characters.toLocaleString("en-US")} characters` : "";
}

customElements.define("input-viewer", InputViewer);
