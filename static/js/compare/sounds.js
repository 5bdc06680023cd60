/* Sounds of all panes: their course of loudness below one another on one axis of time, played together. */
import { button, fold, make, makeSvg } from "../dom.js";
import { bytes, duration } from "../format.js";
import { mediaUrl } from "../state/media.js";

const RATE = 24_000;
const COLUMNS = 300;
const HEIGHT = 48;
const LARGEST = 40_000_000;
const SOON = 0.06;
const STEPS = 24;

export class SoundView {
  element = make("div", "sounding");
  #rows = make("ul", "sounding__rows");
  #press = button("Play together", () => (this.#context ? this.#halt() : this.#play()), "");
  #place = Object.assign(make("input", "slider__track sounding__place"), { type: "range", min: 0, max: 1, step: 0.001, value: 0 });
  #heard = make("div", "segmented");
  #words = make("p", "muted", "Reading the sounds…");
  #behind = make("div", "sounding__behind");
  #sounds = new Map();
  #panes = [];
  #context = null;
  #began = 0;
  #from = 0;
  #gains = new Map();
  #alone = "";
  #frame = 0;
  #turn = 0;

  constructor() {
    this.#press.disabled = true;
    this.#place.setAttribute("aria-label", "Place in the sounds");
    this.#place.addEventListener("input", () => this.#seek(Number(this.#place.value) * this.#longest));
    this.#heard.setAttribute("role", "group");
    this.#heard.setAttribute("aria-label", "Which is heard");
    this.element.append(make("div", "boxes__tools", this.#press, this.#heard, this.#place), this.#words, this.#rows, this.#behind);
  }

  close() {
    this.#turn += 1;
    this.#halt();
    this.element.remove();
  }

  async show({ sounds }, panes) {
    const turn = ++this.#turn;
    this.#halt();
    this.#panes = panes;
    await Promise.all(panes.map(async ({ id }) => {
      const pieces = (sounds[id] ?? []).map(({ media }) => media);
      if (String(this.#sounds.get(id)?.pieces) !== String(pieces)) this.#sounds.set(id, { pieces, ...(await read(pieces)) });
    }));
    if (turn !== this.#turn) return;
    this.#draw();
  }

  get #longest() {
    return Math.max(0.001, ...this.#panes.map(({ id }) => this.#sounds.get(id)?.buffer?.duration ?? 0));
  }

  #draw() {
    const able = this.#panes.filter(({ id }) => this.#sounds.get(id).buffer);
    this.#press.disabled = !able.length;
    if (!able.some(({ id }) => id === this.#alone)) this.#alone = "";
    this.#heard.replaceChildren(...[{ id: "", letter: "All" }, ...able].map(({ id, letter }) => {
      const made = button(letter, () => this.#hear(id), "");
      made.className = "segmented__item";
      made.dataset.heard = id;
      if (id) made.setAttribute("aria-label", `${letter} alone`);
      return made;
    }));
    this.#hear(this.#alone);
    this.#words.textContent = able.length ? `One axis of ${duration(this.#longest * 1000)} for all. They begin at the same moment.` : "None of these sounds can be read here.";
    this.#rows.replaceChildren(...this.#panes.map((pane, number) => this.#row(pane, number ? this.#sounds.get(this.#panes[0].id) : null)));
    this.#behind.replaceChildren(...(able.length ? [this.#table()] : []));
    this.#seek(0);
  }

  /** How loud each is, step by step: what the drawings say, in figures. */
  #table() {
    const head = make("tr", "", heading("From"), ...this.#panes.map(({ letter }) => heading(letter)));
    const body = this.#steps.map(([from, to]) => make("tr", "", heading(duration(from * 1000), "row"), ...this.#panes.map(({ id }) => make("td", "", loudest(this.#sounds.get(id), from, to)))));
    const table = make("table", "compare__table", make("thead", "", head), make("tbody", "", ...body));
    const region = make("div", "compare__region", table);
    Object.assign(region, { tabIndex: 0, role: "group" });
    region.setAttribute("aria-label", "How loud each is at most, over time");
    return fold("As a table", region, this.#behind.querySelector("details")?.open);
  }

  /** On the axis of all: [from, to) in seconds. */
  get #steps() {
    const step = this.#longest / STEPS;
    return Array.from({ length: STEPS }, (_, number) => [number * step, (number + 1) * step]);
  }

  #row(pane, reference) {
    const { buffer, problem, facts } = this.#sounds.get(pane.id);
    const letter = make("span", "pane__letter", pane.letter);
    const row = make("li", "sounding__row", letter);
    row.style.setProperty("--hue", `var(--concept-${(pane.number % 8) + 1})`);
    if (!buffer) row.append(make("p", "muted", problem));
    else {
      const words = [duration(buffer.duration * 1000), `loudest ${level(facts.peak)}`, `on average ${level(facts.loudness)}`];
      const other = reference?.buffer;
      if (other) words[0] += other.duration === buffer.duration ? " (as long)" : ` (${duration(Math.abs(buffer.duration - other.duration) * 1000)} ${buffer.duration > other.duration ? "longer" : "shorter"})`;
      if (reference?.facts) {
        const same = String(reference.facts.peaks) === String(facts.peaks) && other.duration === buffer.duration;
        words.push(same ? "the same sound" : `${Math.round(alike(reference.facts.peaks, facts.peaks) * 100)}\u00a0% alike in loudness`);
      }
      const text = words.join(" · ");
      row.append(make("div", "sounding__wave", drawWave(this.#sounds.get(pane.id), this.#steps, `${pane.letter}: ${text}`), make("p", "muted", text)));
    }
    return row;
  }

  /** One alone, or all for "". */
  #hear(id) {
    this.#alone = id;
    for (const one of this.#heard.children) one.ariaPressed = String(one.dataset.heard === id);
    const count = Math.max(this.#gains.size, 1);
    for (const [pane, gain] of this.#gains) gain.gain.value = id ? Number(pane === id) : 1 / Math.sqrt(count);
  }

  #play() {
    const context = new AudioContext();
    this.#context = context;
    if (this.#from >= this.#longest - 0.01) this.#from = 0;
    this.#began = context.currentTime + SOON;
    for (const { id } of this.#panes) {
      const { buffer } = this.#sounds.get(id);
      if (!buffer || buffer.duration <= this.#from) continue;
      const source = new AudioBufferSourceNode(context, { buffer });
      const gain = new GainNode(context);
      source.connect(gain).connect(context.destination);
      source.start(this.#began, this.#from);
      this.#gains.set(id, gain);
    }
    this.#hear(this.#alone);
    this.#press.textContent = "Stop";
    this.#follow();
  }

  #halt() {
    cancelAnimationFrame(this.#frame);
    this.#context?.close();
    this.#context = null;
    this.#gains.clear();
    this.#press.textContent = "Play together";
  }

  #seek(seconds) {
    const isPlaying = Boolean(this.#context);
    this.#halt();
    this.#from = seconds;
    this.#mark(seconds);
    if (isPlaying) this.#play();
  }

  #follow = () => {
    const now = this.#from + Math.max(this.#context.currentTime - this.#began, 0);
    this.#mark(now);
    if (now < this.#longest) this.#frame = requestAnimationFrame(this.#follow);
    else {
      this.#halt();
      this.#from = 0;
    }
  };

  #mark(seconds) {
    const share = Math.min(seconds / this.#longest, 1);
    this.#place.value = share;
    this.#place.style.setProperty("--fill", `${share * 100}%`);
    this.#place.setAttribute("aria-valuetext", duration(seconds * 1000));
    this.#rows.style.setProperty("--at", share);
  }
}

/** All pieces as one sound in one channel, and what is to be said of it. */
async function read(pieces) {
  if (!pieces.length) return { problem: "No sound here." };
  try {
    const decoder = new OfflineAudioContext(1, 1, RATE);
    const parts = [];
    let size = 0;
    for (const media of pieces) {
      const content = await (await fetch(mediaUrl(media))).arrayBuffer();
      size += content.byteLength;
      if (size > LARGEST) return { problem: `This sound is too long to be drawn: more than ${bytes(LARGEST)}.` };
      parts.push(await decoder.decodeAudioData(content));
    }
    const buffer = new AudioBuffer({ length: parts.reduce((sum, { length }) => sum + length, 0), sampleRate: RATE });
    const whole = buffer.getChannelData(0);
    let at = 0;
    for (const part of parts) {
      for (let channel = 0; channel < part.numberOfChannels; channel += 1) {
        const samples = part.getChannelData(channel);
        for (let i = 0; i < samples.length; i += 1) whole[at + i] += samples[i] / part.numberOfChannels;
      }
      at += part.length;
    }
    return { buffer, facts: measure(whole) };
  } catch {
    return { problem: "This sound cannot be read: it is damaged, gone, or of a kind that this browser does not know." };
  }
}

function measure(samples) {
  const peaks = new Float32Array(Math.min(COLUMNS, samples.length));
  let squares = 0;
  for (let column = 0; column < peaks.length; column += 1) {
    const end = Math.floor((column + 1) * samples.length / peaks.length);
    for (let i = Math.floor(column * samples.length / peaks.length); i < end; i += 1) {
      peaks[column] = Math.max(peaks[column], Math.abs(samples[i]));
      squares += samples[i] * samples[i];
    }
  }
  return { peaks, peak: peaks.reduce((most, one) => Math.max(most, one), 0), loudness: Math.sqrt(squares / Math.max(samples.length, 1)) };
}

function level(share) {
  return share > 0 ? `${(20 * Math.log10(share)).toFixed(1).replace("-", "−")}\u00a0dB` : "silence";
}

/** What two courses of loudness share, of what either has; each stretched to its own length. */
function alike(one, other) {
  let [low, high] = [0, 0];
  for (let i = 0; i < COLUMNS; i += 1) {
    const pair = [one, other].map((peaks) => peaks[Math.floor(i * peaks.length / COLUMNS)] ?? 0);
    low += Math.min(...pair);
    high += Math.max(...pair);
  }
  return high ? low / high : 1;
}

/** The level that a sound reaches between two moments; "–" after its end. */
function loudest({ buffer, facts }, from, to) {
  if (!buffer || from >= buffer.duration) return "–";
  const [first, last] = [from, to].map((at) => at / buffer.duration * facts.peaks.length);
  return level(Math.max(...facts.peaks.slice(Math.floor(first), Math.max(Math.ceil(last), Math.floor(first) + 1))));
}

function heading(words, scope = "col") {
  const made = make("th", "", words);
  made.scope = scope;
  return made;
}

/** `steps` are places that read their figure to a pointer. */
function drawWave(sound, steps, words) {
  const { peaks } = sound.facts;
  const longest = steps.at(-1)[1];
  const svg = makeSvg("svg", { class: "wave", viewBox: `0 0 ${COLUMNS} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": words });
  const step = COLUMNS * sound.buffer.duration / longest / peaks.length;
  const path = [...peaks].map((peak, i) => {
    const half = Math.max(peak * HEIGHT / 2, 0.4);
    return `M${(i * step).toFixed(2)} ${(HEIGHT / 2 - half).toFixed(1)}V${(HEIGHT / 2 + half).toFixed(1)}`;
  });
  const readings = steps.map(([from, to]) => {
    const reading = makeSvg("rect", { class: "wave__reading", x: from / longest * COLUMNS, y: 0, width: COLUMNS / steps.length, height: HEIGHT });
    const title = makeSvg("title");
    title.textContent = `From ${duration(from * 1000)}: ${loudest(sound, from, to)}`;
    reading.append(title);
    return reading;
  });
  svg.append(makeSvg("path", { d: path.join(""), class: "wave__line", "stroke-width": Math.max(step * 0.8, 0.3) }), ...readings);
  return svg;
}
