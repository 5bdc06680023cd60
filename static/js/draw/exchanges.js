/* A stream as it goes: each input with its number and what was answered to it; what is live, over the live picture. */
import { make } from "../dom.js";
import { bytes, figure, plural, value as shown } from "../format.js";
import { readRegion } from "../state/plain.js";
import { hueName } from "./hue.js";
import { MaskLayer } from "./masks.js";
import { boundsOf } from "./stage.js";
import { drawValue } from "./value.js";

const SHOWN = 100;
const WAITING = 20; // so many inputs are shown before their answers come
const SHOWN_LIVE = 4;

export class Exchanges {
  element = make("div", "exchanges");
  #run;
  #context;
  #rows = new Map(); // by the input's number: {row, answers}
  #list = make("ol", "exchanges__list");
  #more = make("p", "muted");
  #stage = null;
  #frame = 0;
  #news = [];

  /** `context`: {mediaUrl(id), name, sift(value)}: what of a value is shown. */
  constructor(run, context) {
    this.#run = run;
    this.#context = context;
    this.#more.hidden = true;
    this.element.append(this.#more, this.#list);
    for (const event of run.inputs.values()) this.#news.push(event);
    for (const event of run.exchanges) this.#news.push(event);
    run.addEventListener("news", this.#heard);
    run.addEventListener("change", this.#changed);
    this.#draw();
  }

  close() {
    this.#run.removeEventListener("news", this.#heard);
    this.#run.removeEventListener("change", this.#changed);
    cancelAnimationFrame(this.#frame);
    this.#stage?.close();
  }

  #heard = ({ detail }) => {
    if (detail.kind === "input" || detail.kind === "output") this.#news.push(detail);
    if (this.#news.length > 2 * SHOWN) this.#news.splice(0, this.#news.length - 2 * SHOWN); // a hidden page draws nothing
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  };

  #changed = () => {
    if (!this.#run.isOver) return;
    this.element.classList.add("exchanges--over");
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  };

  #draw() {
    this.#frame = 0;
    const answers = [];
    const { inputs, taken } = this.#run;
    for (const event of this.#news.splice(0)) {
      if (event.kind === "output") {
        this.#drawOutput(this.#rowOf(event.of, inputs.get(event.of)), event);
        answers.push(event);
      } else if (event.i < taken + WAITING) this.#rowOf(event.i, event);
    }
    this.#trim();
    this.#showStage();
    const newest = answers.at(-1);
    if (!newest || !this.#stage) return;
    const { sender } = this.#run;
    this.#stage.draw(this.#context.sift(newest.value) ?? []).then(() => requestAnimationFrame(() => answers.forEach(({ of }) => sender.seen(of))));
  }

  #showStage() {
    const { live, isOver } = this.#run;
    const isWanted = live && !live.isOver && !isOver;
    if (isWanted === Boolean(this.#stage)) return;
    this.#stage?.close();
    this.#stage = isWanted ? new LiveStage(live.view, this.#context.mediaUrl) : null;
    if (this.#stage) this.#stage.begin(this.element);
  }

  #rowOf(number, given) {
    let entry = this.#rows.get(number);
    if (entry) return entry;
    const answers = make("div", "exchange__answers");
    const input = make("div", "exchange__input");
    const row = make("li", "exchange", make("span", "exchange__number", number < 0 ? "–" : figure(number + 1)), input, answers);
    entry = { row, input, answers, drawn: [], picture: null, isLive: false };
    this.#rows.set(number, entry);
    row.value = number + 1;
    let after = this.#list.lastElementChild;
    while (after && after.value > row.value) after = after.previousElementSibling;
    if (after) after.after(row);
    else this.#list.prepend(row);
    if (given) this.#drawInput(entry, given);
    return entry;
  }

  #drawInput(entry, event) {
    entry.isLive = "size" in event;
    entry.row.classList.toggle("exchange--live", entry.isLive);
    if (entry.isLive) {
      const about = this.#run.sender?.sentAs(event.i)?.about ?? event.content_type;
      entry.input.textContent = `${about} · ${bytes(event.size)}`;
      return;
    }
    const { value } = event;
    const [kind] = (value?.content_type ?? "").split("/");
    if (value?.media && kind === "image") entry.picture = this.#context.mediaUrl(value.media);
    entry.input.replaceChildren(this.#drawGiven(value, kind));
  }

  #drawGiven(value, kind) {
    if (typeof value === "string" || typeof value === "number") return make("span", "", String(value));
    if (value?.media && kind === "image") {
      return Object.assign(make("img", "exchange__picture"), { src: this.#context.mediaUrl(value.media), alt: value.name || "The picture that was sent" });
    }
    if (value?.media && (kind === "audio" || kind === "video")) {
      const player = { src: this.#context.mediaUrl(value.media), controls: true, preload: "metadata", ariaLabel: value.name || "What was sent" };
      return Object.assign(make(kind, "exchange__picture"), player);
    }
    return make("span", "", value?.text ?? value?.url ?? value?.name ?? JSON.stringify(value));
  }

  #drawOutput(entry, event) {
    const { shape } = this.#run;
    if (entry.isLive) entry.answers.textContent = wordsOf(event.value);
    else {
      const context = { ...this.#context, pictures: entry.picture ? [entry.picture] : [], films: [] };
      const answer = { draw: () => drawValue(shape, context.sift(event.value), context) };
      entry.answers.append((answer.drawing = answer.draw()));
      entry.drawn.push(answer);
    }
  }

  /** Draw the answers again, as another filter has it. */
  redraw() {
    for (const { drawn } of this.#rows.values()) {
      for (const answer of drawn) {
        const next = answer.draw();
        answer.drawing.replaceWith(next);
        answer.drawing = next;
      }
    }
  }

  /** Below a live picture a few rows are enough. */
  #trim() {
    const most = this.#stage ? SHOWN_LIVE : SHOWN;
    for (const [number, { row }] of this.#rows) {
      if (this.#rows.size <= most) break;
      this.#remove(number, row);
    }
  }

  #remove(number, row) {
    row.remove();
    this.#rows.delete(number);
    this.#more.hidden = this.#stage !== null;
    this.#more.textContent = this.#run.isPassing ? "The newest are shown. Raw has what is kept." : "The newest are shown. Raw has all of them.";
  }
}

/** One answer in a few words. */
function wordsOf(value) {
  if (Array.isArray(value)) return value.length ? value.slice(0, 8).map(wordsOf).join(", ") : "nothing found";
  const { region, concept, media, text } = value ?? {};
  if (region) return wordsOfRegion(region);
  if (concept) return `${concept.name || concept.id} ${shown(concept.value)}`;
  if (media) return value.content_type;
  return String(text ?? (typeof value === "object" ? JSON.stringify(value) : value)).slice(0, 300);
}

function bestOf(region) {
  return [...(region.concepts ?? [])].sort((a, b) => b.value - a.value)[0];
}

function wordsOfRegion(region) {
  const best = bestOf(region);
  return best ? `${best.name || best.id} ${shown(best.value)}` : region.text || "region";
}

const POINT = 4;

/** What the camera sees, and the newest answer over it. The view is lent by who took the camera, and given back. */
class LiveStage {
  #element = make("div", "live");
  #canvas = make("canvas", "live__overlay");
  #words = make("p", "live__words");
  #masks = null;
  #newest = null;
  #isDrawing = false;
  #view;
  #home;
  #mediaUrl;

  constructor(view, mediaUrl) {
    this.#view = view;
    this.#home = view.parentElement;
    this.#mediaUrl = mediaUrl;
    this.#canvas.setAttribute("aria-hidden", "true");
  }

  begin(parent) {
    this.#element.append(this.#view, this.#canvas, this.#words);
    parent.prepend(this.#element);
    this.#view.play().catch(() => {});
  }

  close() {
    this.#home.prepend(this.#view);
    this.#view.play().catch(() => {});
    this.#element.remove();
  }

  /** At once, but for masks, which are files: while those of one answer come, of those after it the newest waits. */
  async draw(value) {
    this.#newest = value;
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    for (let drawn = null; !Object.is(drawn, this.#newest); ) {
      drawn = this.#newest;
      const regions = (Array.isArray(drawn) ? drawn : [drawn]).filter((entry) => entry?.region).map(readRegion);
      if (this.#masks || regions.some(({ mask }) => mask)) await this.#drawMasks(regions);
      this.#drawShapes(regions);
      this.#words.textContent = regions.length ? plural(regions.length, "region") : wordsOf(drawn);
    }
    this.#isDrawing = false;
  }

  async #drawMasks(regions) {
    if (!this.#masks) this.#canvas.before((this.#masks = new MaskLayer()).element);
    await this.#masks.show(regions, this.#view.videoWidth / this.#view.videoHeight || 1, this.#mediaUrl);
  }

  #drawShapes(regions) {
    const box = this.#canvas.getBoundingClientRect();
    const [canvas, scale] = [this.#canvas, devicePixelRatio];
    const [width, height] = [Math.round(box.width * scale), Math.round(box.height * scale)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, box.width, box.height);
    for (const region of regions) this.#drawRegion(context, region, box);
  }

  #drawRegion(context, { box, polygon, point, mask, name, key, value }, { width, height }) {
    const hue = tokenOf(this.#element, hueName(key));
    const outline = new Path2D();
    if (box) outline.rect(box[0] * width, box[1] * height, (box[2] - box[0]) * width, (box[3] - box[1]) * height);
    if (polygon) {
      for (const [x, y] of polygon) outline.lineTo(x * width, y * height);
      outline.closePath();
    }
    for (const [colour, thickness] of [[tokenOf(this.#element, "--color-outline"), 4], [hue, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = thickness;
      context.stroke(outline);
    }
    context.fillStyle = hue;
    const [left, top, right] = box ?? (polygon ? boundsOf(polygon) : [0, 0, 0]);
    if (box || polygon || mask) {
      const words = value === null ? name : `${name} ${shown(value)}`;
      label(context, words, tokenOf(this.#element, "--color-on-concept"), [left * width, top * height, (right - left) * width], width);
    } else if (point) {
      for (const [colour, radius] of [[tokenOf(this.#element, "--color-outline"), POINT + 1], [hue, POINT]]) {
        context.fillStyle = colour;
        context.beginPath();
        context.arc(point[0] * width, point[1] * height, radius, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }
}

/** In the colour that is set, with its words in `ink`; inside the picture in any case. */
function label(context, words, ink, [x, y, wide], width) {
  context.font = "600 11px sans-serif";
  const long = context.measureText(words).width + 10;
  const left = Math.max(0, x + Math.max(wide, long) > width ? x + wide - long : x);
  const top = y < 17 ? y : y - 16;
  context.fillRect(left, top, long, 16);
  context.fillStyle = ink;
  context.fillText(words, left + 5, top + 12);
}

const tokens = new Map();

/** A colour as a canvas wants it, read once: those on pictures are the same in both themes. */
function tokenOf(element, name) {
  if (!tokens.has(name)) tokens.set(name, getComputedStyle(element).getPropertyValue(name));
  return tokens.get(name);
}
