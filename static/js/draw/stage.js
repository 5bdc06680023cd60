/* A picture or film with regions over it: masks under boxes, polygons and points, the largest first, names above all. */
import { make, makeSvg } from "../dom.js";
import { value as shown } from "../format.js";
import { hueOf } from "./hue.js";
import { MaskLayer } from "./masks.js";

const NAMED = 60;
const WIDE = 4 / 3;

export class Stage {
  element = make("div", "stage");
  #overlay = makeSvg("svg", { class: "stage__overlay", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  #labels = make("div", "stage__labels");
  #masks = null;
  #marks = new Map();
  #regions = [];
  #hot = null;
  #view;
  #context;
  #onHot;

  /** `view` is an <img> or <video>, or null where there is no picture. `onHot` hears of the region under the pointer. */
  constructor(view, context, onHot) {
    this.#view = view;
    this.#context = context;
    this.#onHot = onHot;
    this.#labels.setAttribute("aria-hidden", "true");
    this.element.append(view ?? make("div", "stage__blank"), this.#overlay, this.#labels);
    this.element.addEventListener("pointermove", this.#pointed);
    this.element.addEventListener("pointerleave", () => this.#onHot(null));
    for (const kind of ["load", "loadedmetadata"]) view?.addEventListener(kind, () => this.#drawMasks());
  }

  /** Pixels of the picture, or null before they are known. */
  get size() {
    const width = this.#view?.naturalWidth || this.#view?.videoWidth;
    return width ? [width, this.#view.naturalHeight || this.#view.videoHeight] : null;
  }

  show(regions) {
    this.#regions = regions;
    this.#hot = null;
    this.#marks.clear();
    this.#overlay.replaceChildren();
    this.#labels.replaceChildren();
    const isNamed = new Set(regions.filter((region) => region.box || region.polygon || region.mask).slice(0, NAMED));
    for (const region of [...regions].sort((a, b) => area(b) - area(a))) this.#mark(region, isNamed.has(region));
    this.#drawMasks();
  }

  set hot(region) {
    if (region === this.#hot) return;
    this.#light(this.#hot, false);
    this.#light((this.#hot = region), true);
    this.#masks?.paint(region?.mask ? region : null);
  }

  #light(region, isHot) {
    const mark = this.#marks.get(region);
    if (!mark) return;
    for (const shape of mark.over) shape.classList.toggle("box--hot", isHot);
    mark.label.hidden = !isHot && !mark.isNamed;
    if (isHot) this.#labels.append(mark.label);
  }

  #mark(region, isNamed) {
    const over = shapesOf(region);
    for (const shape of over) shape.style.setProperty("--hue", hueOf(region.key));
    const under = over.map((shape) => {
      const copy = shape.cloneNode();
      copy.classList.replace("box--model", "box--under");
      return copy;
    });
    this.#overlay.append(...under, ...over);
    const label = labelOf(region);
    label.hidden = !isNamed;
    this.#labels.append(label);
    this.#marks.set(region, { over, label, isNamed });
    for (const shape of over) shape.region = region;
  }

  async #drawMasks() {
    if (!this.#masks && !this.#regions.some((region) => region.mask)) return;
    if (!this.#masks) this.#overlay.before((this.#masks = new MaskLayer()).element);
    if (this.#view && !this.size) return;
    const [width, height] = this.size ?? [WIDE, 1];
    const starts = await this.#masks.show(this.#regions, width / height, this.#context.mediaUrl);
    for (const [region, start] of starts ?? []) {
      if (start && !region.box && !region.polygon) placeLabel(this.#marks.get(region)?.label, ...start);
    }
  }

  #pointed = (event) => {
    const { left, top, width, height } = this.#overlay.getBoundingClientRect();
    const covered = () => this.#masks?.at((event.clientX - left) / width, (event.clientY - top) / height);
    this.#onHot(event.target.region ?? covered() ?? null);
  };
}

function area({ box, polygon }) {
  const edges = box ?? (polygon && boundsOf(polygon));
  return edges ? (edges[2] - edges[0]) * (edges[3] - edges[1]) : 0;
}

export function boundsOf(corners) {
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Solid lines are people's own; what a model says is dashed. */
function shapesOf({ box, polygon, point }) {
  const shapes = [];
  if (polygon) shapes.push(makeSvg("polygon", { class: "box box--model", points: polygon.map((corner) => corner.join()).join(" ") }));
  if (box) {
    const [x, y, x2, y2] = box;
    shapes.push(makeSvg("rect", { class: "box box--model", x, y, width: x2 - x, height: y2 - y }));
  }
  // A line of no length with round ends: a disc, whatever the picture's proportions.
  if (point) shapes.push(makeSvg("path", { class: "box box--model box--point", d: `M${point[0]} ${point[1]}h0` }));
  return shapes;
}

function labelOf(region) {
  const { box, polygon, point, name, text, track, value } = region;
  const words = [text && text !== name ? `${name}: ${text}` : name, track && `#${track}`, value !== null && shown(value)];
  const label = make("span", "box__label", words.filter(Boolean).join(" "));
  const [x, y, x2] = box ?? (polygon ? boundsOf(polygon) : [point?.[0] ?? 0, point?.[1] ?? 0, point?.[0] ?? 1]);
  label.style.setProperty("--hue", hueOf(region.key));
  placeLabel(label, x, y, x2);
  return label;
}

/** Above what it names, inside where it would leave the picture. */
function placeLabel(label, x, y, x2 = x) {
  const isAtEnd = x > 0.7;
  label?.classList.toggle("box__label--inside", y < 0.06);
  label?.classList.toggle("box__label--end", isAtEnd);
  label?.style.setProperty("--x", Math.min(Math.max(isAtEnd ? x2 : x, 0), 1));
  label?.style.setProperty("--y", Math.min(Math.max(y, 0), 1));
}
