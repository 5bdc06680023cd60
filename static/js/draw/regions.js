/* Regions over their picture, and as a list: what is under the pointer or focus in one is marked in the other. */
import { button, make } from "../dom.js";
import { figure, plural, value as shown } from "../format.js";
import { readRegion } from "../state/plain.js";
import { hueOf } from "./hue.js";
import { MASKS } from "./masks.js";
import { Stage, boundsOf } from "./stage.js";

const DRAWN = 500;
const LISTED = 100;

/** Regions of one picture, the strongest first, as many as can be drawn. */
export function strongest(entries) {
  const read = entries.map(readRegion).sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
  return { regions: read.slice(0, DRAWN), count: read.length };
}

/** `context.picture` is the address of what was asked about, if there was a picture. */
export function drawRegions(entries, context) {
  const side = make("div", "regions__side");
  const image = context.picture ? makePicture(context.picture) : null;
  const stage = new Stage(image, context, (region) => setHot(region));
  const list = new RegionList((region) => setHot(region));
  const words = make("p", "muted");
  side.append(words, list.element);
  const root = make("div", "regions", stage.element, side);
  function setHot(region) {
    stage.hot = region;
    list.hot = region;
  }
  root.redraw = (next) => {
    const { regions, count } = strongest(next);
    const hasPlaces = regions.some(({ box, point, polygon, mask }) => box || point || polygon || mask);
    stage.element.hidden = !image && !hasPlaces;
    if (image) image.alt = `The picture asked about, with ${plural(regions.length, "marked region")}`;
    words.textContent = wordsFor(regions, count, image);
    words.hidden = !words.textContent;
    stage.show(regions);
    list.show(regions, stage.size);
  };
  image?.addEventListener("load", () => list.size(stage.size));
  image?.addEventListener("error", () => {
    stage.element.remove();
    side.prepend(make("p", "muted", "The picture cannot be shown here. What was found in it:"));
  });
  root.redraw(entries);
  return root;
}

export function makePicture(address) {
  const image = make("img", "stage__picture");
  image.referrerPolicy = "no-referrer";
  image.alt = "The picture asked about";
  if (address) image.src = address;
  return image;
}

function wordsFor(regions, count, image) {
  if (!count) return image ? "Nothing found in this picture." : "No regions.";
  const masks = regions.filter((region) => region.mask).length;
  if (count > regions.length) return `The strongest ${figure(regions.length)} of ${figure(count)}.`;
  return masks > MASKS ? `Masks of the strongest ${MASKS} of ${figure(masks)}.` : "";
}

/** One tab stop; arrows, Home and End move within. */
export class RegionList {
  element = make("ul", "regions__list");
  #items = new Map();
  #hot = null;
  #onHot;

  constructor(onHot) {
    this.#onHot = onHot;
    this.element.addEventListener("keydown", this.#keys);
    this.element.addEventListener("pointerleave", () => onHot(null));
  }

  show(regions, size) {
    const at = this.#focusedAt;
    this.#items.clear();
    this.element.replaceChildren();
    this.#add(regions, size, 0);
    if (at >= 0) this.#all[Math.min(at, this.#all.length - 1)]?.focus();
  }

  size(size) {
    for (const [region, item] of this.#items) item.querySelector(".regions__size").textContent = sizeWords(region, size);
  }

  set hot(region) {
    this.#items.get(this.#hot)?.classList.remove("regions__item--hot");
    this.#items.get((this.#hot = region))?.classList.add("regions__item--hot");
  }

  get #all() {
    return [...this.#items.values()];
  }

  get #focusedAt() {
    return this.#all.indexOf(document.activeElement);
  }

  #add(regions, size, from) {
    for (const region of regions.slice(from, from + LISTED)) this.#append(region, size);
    const rest = regions.length - from - LISTED;
    if (rest <= 0) return;
    const more = make("li", "", button(`${figure(rest)} more`, () => {
      more.remove();
      this.#add(regions, size, from + LISTED);
      this.#all[from + LISTED].focus();
    }));
    this.element.append(more);
  }

  #append(region, size) {
    const item = make("li", "regions__item", ...partsOf(region, size));
    item.tabIndex = this.#items.size ? -1 : 0;
    item.addEventListener("pointerenter", () => this.#onHot(region));
    item.addEventListener("focus", () => {
      for (const other of this.#all) other.tabIndex = other === item ? 0 : -1;
      this.#onHot(region);
    });
    item.addEventListener("blur", () => this.#onHot(null));
    this.#items.set(region, item);
    this.element.append(item);
  }

  #keys = (event) => {
    const items = this.#all;
    const at = this.#focusedAt;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    items[Math.min(Math.max(to, 0), items.length - 1)].focus();
  };
}

function partsOf(region, size) {
  const { name, text, track, concepts, value } = region;
  const swatch = make("span", "swatch");
  swatch.style.setProperty("--hue", hueOf(region.key));
  const words = make("span", "regions__name", name);
  if (track) words.append(" ", make("span", "tag", `#${track}`));
  if (text && text !== name) words.append(make("span", "regions__text", text.length > 300 ? `${text.slice(0, 300)}…` : text));
  if (concepts.length > 1) words.append(make("span", "regions__also", alsoWords(concepts)));
  return [swatch, words, make("span", "regions__size", sizeWords(region, size)), make("b", "regions__value", value === null ? "" : shown(value))];
}

function alsoWords(concepts) {
  const named = concepts.slice(1, 5).map(({ name, value }) => (value === null ? name : `${name} ${shown(value)}`));
  return `also ${named.join(" · ")}${concepts.length > 5 ? ` · ${figure(concepts.length - 5)} more` : ""}`;
}

function sizeWords({ box, polygon, point, mask }, size) {
  const [width, height, unit] = size ? [...size, "px"] : [100, 100, "%"];
  const edges = box ?? (polygon && boundsOf(polygon));
  if (edges) return `${Math.round((edges[2] - edges[0]) * width)} × ${Math.round((edges[3] - edges[1]) * height)} ${unit}`;
  if (point) return `${Math.round(point[0] * width)}, ${Math.round(point[1] * height)} ${unit}`;
  return mask ? "mask" : "";
}
