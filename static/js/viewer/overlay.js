/* What lies over the input: layers of regions, people's own with solid lines, models' with dashed ones, never mixed. */
import { make, makeSvg } from "../dom.js";
import { value as shown } from "../format.js";
import { hueOf } from "../draw/hue.js";
import { MaskLayer } from "../draw/masks.js";
import { boundsOf } from "../draw/stage.js";

const DRAWN = 500;
const NAMED = 80;
const LINES = { own: "", model: "box--model", other: "box--model box--other" };

export class Overlay {
  element = make("div", "overlay");
  #svg = makeSvg("svg", { class: "stage__overlay", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  #labels = make("div", "stage__labels");
  #masks = new Map(); // by layer: {layer: MaskLayer, drawn}
  #marks = new Map();
  #hot = null;
  #mediaUrl;
  #onHot;
  #onPick;

  /** `onHot(region)` hears what is under the pointer, `onPick(region)` what was pressed. */
  constructor(mediaUrl, onHot, onPick) {
    this.#mediaUrl = mediaUrl;
    this.#onHot = onHot;
    this.#onPick = onPick;
    this.#labels.setAttribute("aria-hidden", "true");
    this.element.append(this.#svg, this.#labels);
    this.element.addEventListener("pointermove", this.#pointed);
    this.element.addEventListener("pointerleave", () => this.#onHot(null));
    this.element.addEventListener("click", (event) => event.target.region && this.#onPick(event.target.region));
  }

  /** Draws layers: [{key, lines, opacity, mark, regions}]; gives how many regions were left out. */
  show(layers, ratio) {
    const was = this.#hot;
    this.#hot = null;
    this.#marks.clear();
    this.#svg.replaceChildren();
    this.#labels.replaceChildren();
    let left = 0;
    for (const layer of layers) {
      const placed = layer.regions.filter((region) => region.box || region.polygon || region.point || region.mask);
      const drawn = placed.length > DRAWN ? [...placed].sort((a, b) => (b.value ?? -1) - (a.value ?? -1)).slice(0, DRAWN) : placed;
      left += placed.length - drawn.length;
      this.#draw(layer, drawn);
    }
    this.#drawMasks(layers, ratio);
    if (this.#marks.has(was)) this.hot = was;
    return left;
  }

  get hot() {
    return this.#hot;
  }

  set hot(region) {
    if (region === this.#hot) return;
    this.#light(this.#hot, false);
    this.#light((this.#hot = region), true);
    for (const masks of this.#masks.values()) masks.paint(region?.mask ? region : null);
  }

  #light(region, isHot) {
    const mark = this.#marks.get(region);
    if (!mark) return;
    for (const shape of mark.over) shape.classList.toggle("box--hot", isHot);
    mark.label.hidden = !isHot && !mark.isNamed;
    if (isHot) this.#labels.append(mark.label);
  }

  #draw({ lines, opacity = 1, mark = "" }, regions) {
    const group = makeSvg("g", { opacity });
    const isNamed = new Set(regions.filter((region) => region.box || region.polygon || region.mask).slice(0, NAMED));
    for (const region of [...regions].sort((a, b) => area(b) - area(a))) this.#mark(group, region, { lines, opacity, mark, isNamed: isNamed.has(region) });
    this.#svg.append(group);
  }

  #mark(group, region, { lines, opacity, mark, isNamed }) {
    const over = shapesOf(region, `box ${LINES[lines]}`);
    for (const shape of over) shape.style.setProperty("--hue", hueOf(region.key));
    const under = over.map((shape) => {
      const copy = shape.cloneNode();
      copy.classList.remove("box--model", "box--other");
      copy.classList.add("box--under");
      return copy;
    });
    group.append(...under, ...over);
    const label = labelOf(region, mark);
    label.hidden = !isNamed;
    label.style.setProperty("opacity", Math.max(opacity, 0.35));
    this.#labels.append(label);
    this.#marks.set(region, { over, label, isNamed });
    for (const shape of over) shape.region = region;
  }

  async #drawMasks(layers, ratio) {
    for (const [key, masks] of this.#masks) {
      if (layers.some((layer) => layer.key === key && layer.regions.some((region) => region.mask))) continue;
      masks.element.remove();
      this.#masks.delete(key);
    }
    await Promise.all(layers.map((layer) => this.#drawMask(layer, ratio)));
  }

  async #drawMask({ key, regions, opacity = 1 }, ratio) {
    const masked = regions.filter((region) => region.mask);
    if (!masked.length) return;
    if (!this.#masks.has(key)) {
      this.#masks.set(key, new MaskLayer());
      this.#svg.before(this.#masks.get(key).element);
    }
    const masks = this.#masks.get(key);
    masks.element.style.setProperty("opacity", opacity);
    const names = masked.map((region) => region.mask).join();
    if (masks.names === names) return;
    masks.names = names;
    const starts = await masks.show(masked, ratio || 4 / 3, this.#mediaUrl);
    for (const [region, start] of starts ?? []) {
      if (start && !region.box && !region.polygon) placeLabel(this.#marks.get(region)?.label, ...start);
    }
  }

  #pointed = (event) => {
    if (event.buttons) return;
    const { left, top, width, height } = this.#svg.getBoundingClientRect();
    const at = [(event.clientX - left) / width, (event.clientY - top) / height];
    const covered = () => [...this.#masks.values()].map((masks) => masks.at(...at)).find(Boolean);
    this.#onHot(event.target.region ?? covered() ?? null);
  };
}

function area({ box, polygon }) {
  const edges = box ?? (polygon && boundsOf(polygon));
  return edges ? (edges[2] - edges[0]) * (edges[3] - edges[1]) : 0;
}

function shapesOf({ box, polygon, point }, classes) {
  const shapes = [];
  if (polygon) shapes.push(makeSvg("polygon", { class: classes, points: polygon.map((corner) => corner.join()).join(" ") }));
  if (box) {
    const [x, y, x2, y2] = box;
    shapes.push(makeSvg("rect", { class: classes, x, y, width: x2 - x, height: y2 - y }));
  }
  // A line of no length with round ends: a disc, whatever the picture's proportions.
  if (point) shapes.push(makeSvg("path", { class: `${classes} box--point`, d: `M${point[0]} ${point[1]}h0` }));
  return shapes;
}

function labelOf(region, mark) {
  const { box, polygon, point, name, text, track, value } = region;
  const words = [mark, text && text !== name ? `${name}: ${text}` : name, track && `#${track}`, value !== null && value !== undefined && shown(value)];
  const label = make("span", "box__label", words.filter(Boolean).join(" "));
  const [x, y, x2] = box ?? (polygon ? boundsOf(polygon) : [point?.[0] ?? 0, point?.[1] ?? 0, point?.[0] ?? 1]);
  label.style.setProperty("--hue", hueOf(region.key));
  placeLabel(label, x, y, x2);
  return label;
}

/** Above what it names, inside where it would leave the picture. */
function placeLabel(label, x, y, x2 = x) {
  const isAtEnd = x > 0.7;
  label?.classList.toggle("box__label--inside", y < 0.045);
  label?.classList.toggle("box__label--end", isAtEnd);
  label?.style.setProperty("--x", Math.min(Math.max(isAtEnd ? x2 : x, 0), 1));
  label?.style.setProperty("--y", Math.min(Math.max(y, 0), 1));
}
