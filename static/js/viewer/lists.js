/* The sidebar's lists: concepts with the threshold drawn through their bars, and regions. One tab stop each; arrows
   move between rows and within one. */
import { icon, make } from "../dom.js";
import { hueOf } from "../draw/hue.js";
import { figure, value as shown } from "../format.js";

const LISTED = 100;

function swatchOf(key) {
  const swatch = make("span", "swatch");
  swatch.style.setProperty("--hue", hueOf(key));
  return swatch;
}

function iconButton(name, label, act) {
  const press = make("button", "button button--quiet button--small button--icon", icon(name));
  Object.assign(press, { type: "button", title: label, ariaLabel: label });
  press.addEventListener("click", act);
  return press;
}

/** Moves focus through rows of buttons: up and down between rows, left and right within one. */
class Rows {
  element = make("ul", "rows");

  constructor() {
    this.element.addEventListener("keydown", this.#keys);
    this.element.addEventListener("focusin", (event) => this.#reach(event.target.closest("button")));
  }

  /** Fill anew; focus stays at the row it was on. */
  fill(rows, name) {
    const all = [...this.element.children];
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const column = at < 0 ? 0 : [...all[at].querySelectorAll("button")].indexOf(document.activeElement);
    this.element.replaceChildren(...rows);
    this.element.setAttribute("aria-label", name);
    this.#reach(this.element.querySelector("button"));
    if (at < 0 || !rows.length) return;
    const buttons = rows[Math.min(at, rows.length - 1)].querySelectorAll("button");
    buttons[Math.min(Math.max(column, 0), buttons.length - 1)]?.focus({ preventScroll: true });
  }

  #reach(press) {
    if (!press) return;
    for (const other of this.element.querySelectorAll("button")) other.tabIndex = other === press ? 0 : -1;
  }

  #keys = (event) => {
    const row = event.target.closest("li");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...this.element.children];
    const buttons = [...row.querySelectorAll("button")];
    const at = rows.indexOf(row);
    const column = buttons.indexOf(event.target.closest("button"));
    const to = { ArrowDown: [at + 1, column], ArrowUp: [at - 1, column], ArrowRight: [at, column + 1], ArrowLeft: [at, column - 1], Home: [0, column], End: [rows.length - 1, column] }[event.key];
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    const wanted = rows[Math.min(Math.max(to[0], 0), rows.length - 1)].querySelectorAll("button");
    wanted[Math.min(Math.max(to[1], 0), wanted.length - 1)]?.focus();
  };
}

export class ConceptList extends Rows {
  #onChoose;
  #isAll = false;

  /** `onChoose(name)`: show this concept alone, or no longer. */
  constructor(onChoose) {
    super();
    this.#onChoose = onChoose;
    this.element.classList.add("rows--concepts");
  }

  show(concepts, { threshold, chosen }) {
    this.element.style.setProperty("--threshold", threshold);
    const listed = this.#isAll ? concepts : concepts.slice(0, LISTED);
    const rows = listed.map((concept) => this.#row(concept, { threshold, chosen }));
    if (listed.length < concepts.length) rows.push(this.#more(concepts, { threshold, chosen }));
    this.fill(rows, "Concepts");
  }

  #row({ name, key, value, count }, { threshold, chosen }) {
    const isBelow = value !== null && value < threshold;
    const words = make("span", "rows__name truncate", name);
    if (count > 1) words.append(" ", make("span", "faint", `× ${figure(count)}`));
    const fill = make("span", "meter__fill");
    fill.style.setProperty("inline-size", `${Math.min(Math.max(value ?? 0, 0), 1) * 100}%`);
    const meter = make("span", "meter", fill, make("span", "meter__mark"));
    const press = make("button", `concept${isBelow ? " concept--below" : ""}`, swatchOf(key), words, make("b", "rows__value", value === null ? "" : shown(value)), meter);
    Object.assign(press, { type: "button", ariaPressed: String(chosen.has(name)), title: chosen.has(name) ? `Show all concepts again` : `Show ${name} alone` });
    press.style.setProperty("--hue", hueOf(key));
    press.addEventListener("click", () => this.#onChoose(name));
    return make("li", "", press);
  }

  #more(concepts, view) {
    const press = make("button", "button button--small button--quiet", `${figure(concepts.length - LISTED)} more`);
    press.type = "button";
    press.addEventListener("click", () => {
      this.#isAll = true;
      this.show(concepts, view);
      this.#isAll = false;
    });
    return make("li", "", press);
  }
}

export class RegionRows extends Rows {
  #items = new Map();
  #onHot;

  constructor(onHot) {
    super();
    this.#onHot = onHot;
    this.element.classList.add("rows--regions");
    this.element.addEventListener("pointerleave", () => onHot(null));
    this.element.addEventListener("focusout", (event) => this.element.contains(event.relatedTarget) || onHot(null));
  }

  /** `acts(region)` gives its buttons as [icon, label, act, isPressed]; `press(region)` what its name does. */
  show(regions, { size, acts, press, isHidden = () => false, words = "Regions" }) {
    this.#items.clear();
    const listed = regions.slice(0, LISTED * 2);
    const rows = listed.map((region) => this.#row(region, { size, acts, press, isHidden }));
    if (listed.length < regions.length) rows.push(make("li", "rows__more", `${figure(regions.length - listed.length)} more below these.`));
    this.fill(rows, words);
  }

  set hot(region) {
    for (const [other, row] of this.#items) row.classList.toggle("region--hot", other === region);
  }

  /** Bring a region's row into view, with focus if asked. */
  reveal(region, isFocused = false) {
    const row = this.#items.get(region);
    row?.scrollIntoView({ block: "nearest" });
    if (isFocused) row?.querySelector("button").focus({ preventScroll: true });
  }

  #row(region, { size, acts, press, isHidden }) {
    const { name, text, track, value, concepts } = region;
    const words = make("span", "rows__name truncate", name);
    if (track) words.append(" ", make("span", "tag", `#${track}`));
    const also = concepts?.length > 1 ? concepts.slice(1, 4).map((concept) => `${concept.name} ${shown(concept.value)}`).join(" · ") : "";
    const below = text && text !== name ? text : also;
    const text2 = make("span", "region__text", words, below ? make("span", "region__below truncate", below) : "");
    const measure = make("span", "region__size", sizeWords(region, size));
    const main = make("button", "region__main", swatchOf(region.key), text2, measure, make("b", "rows__value", value === null || value === undefined ? "" : shown(value)));
    Object.assign(main, { type: "button", title: press.label });
    main.addEventListener("click", () => press.act(region));
    const buttons = acts(region).map(([name, label, act]) => iconButton(name, `${label} ${region.name}`, () => act(region)));
    const row = make("li", `region${isHidden(region) ? " region--hidden" : ""}`, main, make("span", "region__acts", ...buttons));
    row.addEventListener("pointerenter", () => this.#onHot(region));
    row.addEventListener("focusin", () => this.#onHot(region));
    this.#items.set(region, row);
    return row;
  }
}

export function sizeWords({ box, polygon, point, mask }, size) {
  const [width, height, unit] = size ? [...size, "px"] : [100, 100, "%"];
  const xs = polygon?.map(([x]) => x);
  const ys = polygon?.map(([, y]) => y);
  const edges = box ?? (polygon && [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]);
  if (edges) return `${Math.round((edges[2] - edges[0]) * width)} × ${Math.round((edges[3] - edges[1]) * height)} ${unit}`;
  if (point) return `${Math.round(point[0] * width)}, ${Math.round(point[1] * height)} ${unit}`;
  return mask ? "mask" : "";
}
