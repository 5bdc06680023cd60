/* Boxes by hand: drawn with the pointer, or put in the middle and moved with the arrows; their corners are grips. */
import { make } from "../dom.js";

const GRIPS = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const LEAST = 0.004;
const STEP = 0.01;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MIDDLE = [0.35, 0.35, 0.65, 0.65];

export class BoxEditor {
  #canvas;
  #element = make("div", "grip");
  #box = null;
  #drag = null;
  #isDrawing = false;
  #onDrawn;
  #onMoved;
  #onGone;
  #onPlaced;

  /** `onDrawn(box)`: a new one; `onMoved(box)`: the one in hand has other edges; `onGone()`: it was let go or removed;
      `onPlaced()`: it is where it belongs, by keys. */
  constructor(canvas, { onDrawn, onMoved, onGone, onPlaced }) {
    this.#canvas = canvas;
    [this.#onDrawn, this.#onMoved, this.#onGone, this.#onPlaced] = [onDrawn, onMoved, onGone, onPlaced];
    Object.assign(this.#element, { tabIndex: 0, hidden: true });
    this.#element.dataset.grip = "";
    this.#element.setAttribute("role", "application");
    this.#element.setAttribute("aria-roledescription", "box");
    this.#element.append(...GRIPS.map((name) => Object.assign(make("span", `grip__end grip__end--${name}`), { grip: name })));
    canvas.frame.append(this.#element);
    this.#element.addEventListener("pointerdown", this.#taken);
    this.#element.addEventListener("keydown", this.#keys);
    canvas.element.addEventListener("pointerdown", this.#begun, true);
    for (const [kind, act] of [["pointermove", this.#moved], ["pointerup", this.#ended], ["pointercancel", this.#ended]]) canvas.element.addEventListener(kind, act);
  }

  get isDrawing() {
    return this.#isDrawing;
  }

  /** The next drag over the picture draws a box. */
  set isDrawing(value) {
    this.#isDrawing = value;
    this.#canvas.element.classList.toggle("viewer__stage--drawing", value);
  }

  get box() {
    return this.#box;
  }

  get hasFocus() {
    return this.#element.contains(document.activeElement);
  }

  /** Take a box in hand; null lets go. */
  hold(box, name = "", isFocused = false) {
    this.#box = box;
    this.#element.hidden = !box;
    this.#element.setAttribute("aria-label", `Box${name ? ` of ${name}` : ""}: arrows move it, with Shift they size it, Enter names it, Delete removes it`);
    if (box) this.#lay();
    if (box && isFocused) this.#element.focus({ preventScroll: true });
  }

  /** A new box in the middle, for who has no pointer. */
  place() {
    this.isDrawing = false;
    this.hold([...MIDDLE], "", true);
    this.#onDrawn(this.#box);
  }

  #lay() {
    const [left, top, right, bottom] = this.#box;
    this.#element.style.cssText = `left:${left * 100}%;top:${top * 100}%;width:${(right - left) * 100}%;height:${(bottom - top) * 100}%`;
  }

  #begun = (event) => {
    if (!this.#isDrawing || event.button || event.target.closest("button, a, [data-grip]")) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = this.#canvas.placeOf(event).map(clip);
    this.#canvas.element.setPointerCapture(event.pointerId);
    this.#drag = { grip: "new", from: [x, y], box: [x, y, x, y] };
    this.#box = [x, y, x, y];
    this.#element.hidden = false;
    this.#lay();
  };

  #taken = (event) => {
    if (event.button) return;
    event.preventDefault();
    event.stopPropagation();
    this.#element.focus({ preventScroll: true });
    this.#canvas.element.setPointerCapture(event.pointerId);
    this.#drag = { grip: event.target.grip ?? "all", from: this.#canvas.placeOf(event), box: [...this.#box] };
  };

  #moved = (event) => {
    if (!this.#drag) return;
    const [x, y] = this.#canvas.placeOf(event);
    const { grip, from, box } = this.#drag;
    if (grip === "new") this.#box = [Math.min(from[0], clip(x)), Math.min(from[1], clip(y)), Math.max(from[0], clip(x)), Math.max(from[1], clip(y))];
    else if (grip === "all") this.#box = shifted(box, x - from[0], y - from[1]);
    else this.#box = sized(box, grip, x - from[0], y - from[1]);
    this.#lay();
  };

  #ended = (event) => {
    if (!this.#drag) return;
    const { grip, box } = this.#drag;
    this.#drag = null;
    const [left, top, right, bottom] = this.#box;
    const isTiny = right - left < LEAST || bottom - top < LEAST;
    if (grip === "new") {
      if (isTiny || event.type === "pointercancel") return this.hold(null);
      this.isDrawing = false;
      this.#onDrawn(this.#box);
    } else if (String(box) !== String(this.#box)) this.#onMoved(this.#box);
  };

  #keys = (event) => {
    const way = ARROWS[event.key];
    if (way) {
      const [x, y] = way.map((one) => one * (event.ctrlKey || event.metaKey ? STEP / 5 : STEP));
      this.#box = event.shiftKey ? sized(this.#box, "se", x, y) : shifted(this.#box, x, y);
      this.#lay();
      this.#onMoved(this.#box);
    } else if (event.key === "Delete" || event.key === "Backspace") this.#onGone(true);
    else if (event.key === "Escape") this.#onGone(false);
    else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) this.#onPlaced();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function clip(share) {
  return Math.min(Math.max(share, 0), 1);
}

function shifted([left, top, right, bottom], x, y) {
  const dx = Math.min(Math.max(x, -left), 1 - right);
  const dy = Math.min(Math.max(y, -top), 1 - bottom);
  return [left + dx, top + dy, right + dx, bottom + dy];
}

function sized([left, top, right, bottom], grip, x, y) {
  let [l, t, r, b] = [left, top, right, bottom];
  if (grip.includes("w")) l = clip(Math.min(left + x, r - LEAST));
  if (grip.includes("e")) r = clip(Math.max(right + x, l + LEAST));
  if (grip.includes("n")) t = clip(Math.min(top + y, b - LEAST));
  if (grip.includes("s")) b = clip(Math.max(bottom + y, t + LEAST));
  return [l, t, r, b];
}
