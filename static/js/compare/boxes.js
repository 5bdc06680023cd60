/* Regions of two answers over one picture: colour is the pane, line is the verdict. */
import { make, makeSvg } from "../dom.js";
import { figure, value as shown } from "../format.js";
import { pairs } from "./lists.js";
import { TwoView } from "./two.js";

const LISTED = 100;
const LABELLED = 60;
const MANY = 8; // tints over tints hide the picture

export class BoxView extends TwoView {
  #picture;
  #layers = {};
  #found = {};

  /** `address` is of the picture asked about. */
  constructor(address, view, onTurn) {
    super(view, onTurn);
    this.#picture = Object.assign(make("img", "boxes__picture"), { alt: "The picture asked about", referrerPolicy: "no-referrer" });
    if (address) this.#picture.src = address;
    this.frame.prepend(this.#picture);
    this.#picture.addEventListener("error", () => this.#picture.remove());
    this.#picture.addEventListener("load", () => this.redraw());
  }

  hasOther(id) {
    return id in this.#found;
  }

  /** `found`: of each pane but the reference what matches. */
  show({ panes: found }, panes) {
    this.#found = found;
    this.put(panes);
  }

  draw(one, other) {
    const found = this.#found[other?.id];
    this.stage.replaceChildren();
    this.side.replaceChildren();
    if (!found || !other) return;
    this.#layers = { both: layer("both"), one: layer("one"), other: layer("other") };
    const isDifference = this.mode === "Difference";
    const { isSplit } = this;
    this.element.classList.toggle("boxes--many", found.only_one.length + found.only_other.length > MANY);
    for (const pair of isDifference ? [] : found.same) {
      if (isSplit) {
        this.#box("one", pair.one, one, "thin");
        this.#box("other", pair.other, other, "thin");
      } else this.#box("both", pair.one, null, "same", `${one.letter} ${other.letter} ${pair.one.name}`);
    }
    for (const pair of found.moved) {
      this.#box("one", pair.one, one, "thin");
      this.#box("other", pair.other, other, "thick");
      if (!isSplit) this.#line(pair);
    }
    for (const region of found.only_one) this.#box("one", region, one, "only");
    for (const region of found.only_other) this.#box("other", region, other, "only");
    this.stage.append(...Object.values(this.#layers).map(({ element }) => element));
    this.#list(found, one, other);
  }

  #box(name, { box, name: concept, value }, pane, kind, words = "") {
    const [x, y, x2, y2] = box;
    const { svg, labels } = this.#layers[name];
    const shape = { x, y, width: Math.max(x2 - x, 0), height: Math.max(y2 - y, 0) };
    const hue = pane ? `var(--concept-${(pane.number % 8) + 1})` : "white";
    const under = makeSvg("rect", { ...shape, class: "boxes__under" });
    const over = makeSvg("rect", { ...shape, class: `boxes__box boxes__box--${kind}` });
    over.style.setProperty("--hue", hue);
    svg.append(under, over);
    if (labels.childElementCount >= LABELLED) return;
    const label = make("span", "boxes__label", words || [pane.letter, concept, value === null ? "" : shown(value)].filter(Boolean).join(" "));
    label.style.setProperty("--hue", hue);
    label.style.setProperty("--x", Math.min(Math.max(x, 0), 0.85));
    label.style.setProperty("--y", Math.min(Math.max(y, 0), 1));
    if (y < 0.06) label.classList.add("boxes__label--inside");
    labels.append(label);
  }

  #line({ one, other }) {
    const middle = ({ box: [x, y, x2, y2] }) => [(x + x2) / 2, (y + y2) / 2];
    const [[x1, y1], [x2, y2]] = [middle(one), middle(other)];
    this.#layers.both.svg.append(makeSvg("line", { x1, y1, x2, y2, class: "boxes__line" }));
  }

  #list(found, one, other) {
    const both = [one, other];
    const pixels = ([x, y]) => {
      const { naturalWidth: width, naturalHeight: height } = this.#picture;
      return width ? ` · ${figure(Math.round(Math.hypot(x * width, y * height)))} px apart` : "";
    };
    const only = [
      ...found.only_one.map((region) => pairs(region.name, { [one.id]: region.value }, both, `only in ${one.letter}`)),
      ...found.only_other.map((region) => pairs(region.name, { [other.id]: region.value }, both, `only in ${other.letter}`)),
    ];
    const paired = (list, words) => list.map((pair) => pairs(pair.one.name, { [one.id]: pair.one.value, [other.id]: pair.other.value }, both, words(pair)));
    this.side.append(
      group("Only here", only),
      group("Moved", paired(found.moved, (pair) => `overlap ${pair.overlap.toFixed(2)}${pixels(pair.apart)}`)),
      group("Same", paired(found.same, (pair) => `overlap ${pair.overlap.toFixed(2)}`)),
    );
    if (found.cut) this.side.append(make("p", "muted", `${figure(found.cut)} weaker ones are left out: the strongest 500 of each are compared.`));
  }
}

function layer(name) {
  const svg = makeSvg("svg", { class: "boxes__svg", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  const labels = make("div", "boxes__labels");
  labels.setAttribute("aria-hidden", "true");
  const element = make("div", `boxes__layer boxes__layer--${name}`, svg, labels);
  return { element, svg, labels };
}

function group(title, items) {
  const list = make("ul", "pairs", ...items.slice(0, LISTED));
  const rest = items.length > LISTED ? make("p", "muted", `${figure(items.length - LISTED)} more.`) : null;
  return make("section", "boxes__group", make("h2", "boxes__title", title, " ", make("span", "tag", figure(items.length))), list, rest);
}
