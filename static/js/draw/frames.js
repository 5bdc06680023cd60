/* Frames of a film: each with its own picture, or over the film that was asked about, at the time it stands for. */
import { icon, make } from "../dom.js";
import { figure } from "../format.js";
import { num } from "../state/plain.js";
import { RegionList, makePicture, strongest } from "./regions.js";
import { Stage } from "./stage.js";

const AROUND = 10; // a second, where frames have no times
const LIST_GAP = 150;

export function drawFrames(entries, context) {
  const view = new FrameView(context);
  view.element.redraw = (next) => (view.frames = next);
  view.frames = entries;
  return view.element;
}

function readFrame(entry, position) {
  const frame = entry?.frame ?? {};
  return {
    index: num(frame.index) ?? 0,
    time: num(frame.time) ?? 0,
    position,
    media: typeof frame.image?.media === "string" ? frame.image.media : null,
    regions: Array.isArray(frame.regions) ? frame.regions : [],
  };
}

class FrameView {
  element = make("div", "frames");
  #frames = [];
  #at = -1;
  #isPlaying = false;
  #timer = 0;
  #listedAt = 0;
  #film = null;
  #stage = null;
  #list = new RegionList((region) => this.#setHot(region));
  #words = make("span", "frames__words");
  #slider = Object.assign(make("input", "slider__track"), { type: "range", min: 0, max: 0, value: 0 });
  #play = make("button", "button button--small button--icon", icon("play", "icon--small"));
  #context;

  constructor(context) {
    this.#context = context;
    this.#slider.setAttribute("aria-label", "Frame");
    this.#slider.addEventListener("input", () => this.#seek(Number(this.#slider.value)));
    this.#play.type = "button";
    this.#play.addEventListener("click", () => this.#toggle());
    this.#sayPlay();
  }

  set frames(entries) {
    const frames = entries.map(readFrame).sort((a, b) => a.time - b.time || a.index - b.index || a.position - b.position);
    const wasAtEnd = this.#at === this.#frames.length - 1;
    const isGrowing = frames.length > this.#frames.length && this.#frames.length > 0;
    this.#frames = frames;
    this.#stage ?? this.#build();
    this.#slider.max = Math.max(frames.length - 1, 0);
    this.#controls.hidden = frames.length < 2 && !this.#film;
    const at = isGrowing && wasAtEnd && !this.#film ? frames.length - 1 : Math.min(Math.max(this.#at, 0), frames.length - 1);
    this.#show(at, true);
  }

  #build() {
    const own = this.#frames.some((frame) => frame.media);
    const address = own ? null : this.#context.film;
    this.#film = address ? makeFilm(address) : null;
    const view = this.#film ?? (own ? makePicture("") : this.#context.picture ? makePicture(this.#context.picture) : null);
    this.#stage = new Stage(view, this.#context, (region) => this.#setHot(region));
    this.#controls = make("div", "frames__controls", this.#play, this.#slider, this.#words);
    const side = make("div", "regions__side", this.#list.element);
    this.element.append(make("div", "regions", make("div", "frames__main", this.#stage.element, this.#controls), side));
    view?.addEventListener("load", () => this.#list.size(this.#stage.size));
    if (!this.#film) return;
    this.#film.addEventListener("error", () => this.#stage.element.replaceWith(make("p", "muted", "This browser cannot play the film.")));
    for (const kind of ["play", "pause", "ended"]) this.#film.addEventListener(kind, () => this.#sayPlay());
    for (const kind of ["seeked", "loadeddata"]) this.#film.addEventListener(kind, () => this.#atTime(this.#film.currentTime));
    this.#followFilm();
  }

  #controls = null;

  #setHot(region) {
    this.#stage.hot = region;
    this.#list.hot = region;
  }

  #show(at, isForced = false) {
    if (at === this.#at && !isForced) return;
    this.#at = at;
    const frame = this.#frames[at];
    const { regions } = strongest(frame?.regions ?? []);
    const view = this.#stage.element.querySelector("img");
    if (view && frame?.media) {
      const address = this.#context.mediaUrl(frame.media);
      if (!view.src.endsWith(address)) view.src = address;
      view.alt = `Frame ${at + 1}, with ${regions.length} marked regions`;
      const next = this.#frames[at + 1]?.media;
      if (next) new Image().src = this.#context.mediaUrl(next);
    }
    this.#stage.show(regions);
    if (!this.#isRunning || performance.now() - this.#listedAt > LIST_GAP || isForced) {
      this.#listedAt = performance.now();
      this.#list.show(regions, this.#stage.size);
    }
    this.#say(frame);
  }

  #say(frame) {
    const words = frame ? `${figure(this.#at + 1)} of ${figure(this.#frames.length)}` : `between ${figure(this.#frames.length)}`;
    const time = frame ? frame.time : (this.#film?.currentTime ?? 0);
    this.#words.textContent = this.#hasTimes || this.#film ? `${words} · ${time.toFixed(2)}\u00a0s` : words;
    if (frame) this.#slider.value = this.#at;
    this.#slider.style.setProperty("--fill", `${(Number(this.#slider.value) / Math.max(Number(this.#slider.max), 1)) * 100}%`);
    this.#slider.setAttribute("aria-valuetext", `Frame ${this.#words.textContent}`);
  }

  get #hasTimes() {
    return this.#frames.some((frame) => frame.time > 0);
  }

  get #isRunning() {
    return this.#film ? !this.#film.paused : this.#isPlaying;
  }

  /** When a frame is on screen: its own time; without times they are spread evenly. */
  #timeOf(at) {
    if (this.#hasTimes) return this.#frames[at].time;
    return this.#film?.duration ? (at / this.#frames.length) * this.#film.duration : at / AROUND;
  }

  #seek(at) {
    if (this.#film) this.#film.currentTime = this.#timeOf(at) + 0.001;
    this.#show(at);
  }

  #toggle() {
    if (this.#film) return this.#film.paused ? this.#film.play() : this.#film.pause();
    this.#isPlaying = !this.#isPlaying;
    clearTimeout(this.#timer);
    if (this.#isPlaying && this.#at >= this.#frames.length - 1) this.#show(0);
    this.#sayPlay();
    this.#step();
  }

  #step() {
    const next = this.#at + 1;
    this.#isPlaying &&= next < this.#frames.length && this.element.isConnected;
    if (!this.#isPlaying) return this.#sayPlay();
    const wait = Math.min(Math.max((this.#timeOf(next) - this.#timeOf(this.#at)) * 1000, 20), 2000);
    this.#timer = setTimeout(() => {
      this.#show(next);
      this.#step();
    }, wait);
  }

  #sayPlay() {
    const isRunning = this.#isRunning;
    this.#play.setAttribute("aria-label", isRunning ? "Pause" : "Play");
    this.#play.querySelector("use").setAttribute("href", `${document.body.dataset.icons}#${isRunning ? "pause" : "play"}`);
  }

  // Over a film: each picture that is put on screen says its time.

  #followFilm() {
    const film = this.#film;
    const seen = (_, { mediaTime }) => {
      this.#atTime(mediaTime);
      film.requestVideoFrameCallback(seen);
    };
    if (film.requestVideoFrameCallback) film.requestVideoFrameCallback(seen);
    else film.addEventListener("timeupdate", () => this.#atTime(film.currentTime));
  }

  #atTime(time) {
    let [low, high] = [0, this.#frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#timeOf(middle) <= time + 0.002) low = middle + 1;
      else high = middle;
    }
    const at = low - 1;
    const isOver = at < 0 || time - this.#timeOf(at) > this.#longest;
    this.#show(isOver ? -1 : at);
  }

  /** How long a frame holds: half as long again as from one to the next, in the middle of all. */
  get #longest() {
    const gaps = this.#frames.slice(1, 200).map((_, i) => this.#timeOf(i + 1) - this.#timeOf(i)).sort((a, b) => a - b);
    return Math.max((gaps[gaps.length >> 1] ?? 1) * 1.5, 0.05);
  }
}

function makeFilm(address) {
  const film = make("video", "stage__picture");
  Object.assign(film, { src: address, preload: "auto", playsInline: true, muted: true });
  return film;
}
