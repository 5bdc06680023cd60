/* The input, large: zoom to the pointer, pan, fit, and what lies over it. It is laid out at its size on screen, so that
   lines and names stay sharp and of one size. */
import { make } from "../dom.js";

const LARGEST = 32;
const ROOM = { wide: 24, tall: 24 };
const STEP = 1.25;
const SLACK = 3; // pixels that a press may move and is still a click: what is captured hears no click
const PHONE = "(width < 720px)";

export class Canvas {
  element;
  frame = make("div", "viewer__frame");
  #view = null;
  #size = null; // of the picture as it is shown, in its own pixels
  #scale = 1;
  #x = 0;
  #y = 0;
  #isFitted = true;
  #pointers = new Map();
  #grip = null;
  #isCaught = false;
  #onView;

  /** `element` is the stage on the page; `onView(percent)` hears of each change of what is seen. */
  constructor(element, onView) {
    this.element = element;
    this.#onView = onView;
    element.append(this.frame);
    element.addEventListener("wheel", this.#wheeled, { passive: false });
    element.addEventListener("pointerdown", this.#pressed);
    element.addEventListener("pointermove", this.#dragged);
    for (const kind of ["pointerup", "pointercancel"]) element.addEventListener(kind, this.#released);
    element.addEventListener("dblclick", this.#doubled);
    this.#watch = new ResizeObserver(() => {
      this.#stage = null;
      this.#lay();
    });
    this.#watch.observe(element);
  }

  #watch;
  #stage = null; // {width, height} of the element, measured once for each size: reading it lays the page out

  close() {
    this.#watch.disconnect();
  }

  get view() {
    return this.#view;
  }

  get size() {
    return this.#size;
  }

  get isZoomable() {
    return this.#size !== null;
  }

  /** Show an element; with its size in pixels it can be zoomed, without it fills the stage by its own rules. */
  show(view, size) {
    this.#view?.remove();
    this.#view = view;
    this.#size = size;
    this.element.classList.toggle("viewer__stage--free", !size);
    this.frame.prepend(view);
    this.fit();
  }

  /** The size has come with the picture itself. */
  resize(size) {
    if (String(size) === String(this.#size)) return;
    this.#size = size;
    this.element.classList.remove("viewer__stage--free");
    this.fit();
  }

  get #room() {
    const { width, height } = (this.#stage ??= { width: this.element.clientWidth, height: this.element.clientHeight });
    const edge = matchMedia(PHONE).matches ? { wide: 0, tall: 0 } : ROOM;
    return { width, height, wide: width - 2 * edge.wide, tall: height - 2 * edge.tall };
  }

  get #fitScale() {
    const { wide, tall } = this.#room;
    return Math.max(Math.min(wide / this.#size[0], tall / this.#size[1]), 0.001);
  }

  /** How wide the picture is on screen, in CSS pixels; 0 where it has no size. */
  get shownWidth() {
    return this.#size ? this.#size[0] * this.#scale : 0;
  }

  get #percent() {
    return this.#size ? Math.round(this.#scale * 100) : null;
  }

  fit() {
    this.#isFitted = true;
    this.#lay();
  }

  /** One pixel of the picture is one of the screen. */
  full() {
    this.#zoomTo(1 / devicePixelRatio);
  }

  zoom(steps, at = null) {
    this.#zoomTo(this.#scale * STEP ** steps, at);
  }

  pan(x, y) {
    if (!this.#size) return;
    this.#isFitted = false;
    this.#x += x;
    this.#y += y;
    this.#lay();
  }

  #zoomTo(wanted, at = null) {
    if (!this.#size) return;
    const { width, height } = this.#room;
    const [x, y] = at ?? [width / 2, height / 2];
    const scale = Math.min(Math.max(wanted, Math.min(this.#fitScale, 1) / 2), LARGEST);
    const ratio = scale / this.#scale;
    this.#x = x - (x - this.#x) * ratio;
    this.#y = y - (y - this.#y) * ratio;
    this.#scale = scale;
    this.#isFitted = false;
    this.#lay();
  }

  #lay() {
    const { style } = this.frame;
    if (!this.#size) {
      style.cssText = "";
      this.#onView(null);
      return;
    }
    const { width, height } = this.#room;
    if (!width || !height) return;
    if (this.#isFitted) this.#scale = this.#fitScale;
    const [wide, tall] = this.#size.map((side) => side * this.#scale);
    this.#x = this.#isFitted || wide <= width ? (width - wide) / 2 : Math.min(Math.max(this.#x, width - wide - width / 3), width / 3);
    this.#y = this.#isFitted || tall <= height ? (height - tall) / 2 : Math.min(Math.max(this.#y, height - tall - height / 3), height / 3);
    style.cssText = `inline-size:${wide}px;block-size:${tall}px;transform:translate(${Math.round(this.#x)}px,${Math.round(this.#y)}px)`;
    this.element.classList.toggle("viewer__stage--zoomed", !this.#isFitted && (wide > width + 1 || tall > height + 1));
    this.element.classList.toggle("viewer__stage--pixels", this.#scale * devicePixelRatio >= 4);
    this.#onView(this.#percent);
  }

  /** A place on screen as shares of the picture. */
  placeOf({ clientX, clientY }) {
    const { left, top, width, height } = this.frame.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  #inStage({ clientX, clientY }) {
    const { left, top } = this.element.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  #wheeled = (event) => {
    if (!this.#size || event.target.closest("[data-scrolls]")) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    const strength = event.ctrlKey ? 0.03 : 0.004;
    this.zoom(Math.min(Math.max(-lines * strength, -2), 2), this.#inStage(event));
  };

  #pressed = (event) => {
    if (!this.#size || event.defaultPrevented || event.button > 1 || event.target.closest("button, a, video, audio, [data-grip]")) return;
    this.#pointers.set(event.pointerId, this.#inStage(event));
    if (event.pointerType === "touch" && this.#pointers.size < 2 && !this.element.matches(".viewer__stage--zoomed")) return;
    this.#grab();
  };

  /** From here on, what the pointers do moves the picture. */
  #grab() {
    this.#grip = this.#gripNow();
    this.element.classList.add("viewer__stage--held");
    if (this.#pointers.size > 1) this.#catch();
  }

  #catch() {
    for (const id of this.#pointers.keys()) this.element.setPointerCapture(id);
    this.#isCaught = true;
  }

  #gripNow() {
    const places = [...this.#pointers.values()];
    const middle = [0, 1].map((axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
    const spread = places.length > 1 ? Math.hypot(places[0][0] - places[1][0], places[0][1] - places[1][1]) : 0;
    return { middle, spread };
  }

  #dragged = (event) => {
    if (!this.#pointers.has(event.pointerId)) return;
    if (!event.buttons) return this.#released(event); // it was let go elsewhere
    this.#pointers.set(event.pointerId, this.#inStage(event));
    if (!this.#grip) return;
    const now = this.#gripNow();
    if (!this.#isCaught) {
      if (Math.hypot(now.middle[0] - this.#grip.middle[0], now.middle[1] - this.#grip.middle[1]) < SLACK) return;
      this.#catch();
    }
    this.pan(now.middle[0] - this.#grip.middle[0], now.middle[1] - this.#grip.middle[1]);
    if (now.spread && this.#grip.spread) this.#zoomTo(this.#scale * (now.spread / this.#grip.spread), now.middle);
    this.#grip = now;
  };

  #released = (event) => {
    this.#pointers.delete(event.pointerId);
    this.#grip = this.#pointers.size && this.#grip ? this.#gripNow() : null;
    this.#isCaught &&= this.#grip !== null;
    this.element.classList.toggle("viewer__stage--held", this.#grip !== null);
  };

  #doubled = (event) => {
    if (!this.#size || event.target.closest("button, a, video, [data-grip]")) return;
    if (this.#isFitted) this.#zoomTo(Math.max(1 / devicePixelRatio, this.#scale * 2), this.#inStage(event));
    else this.fit();
  };
}
