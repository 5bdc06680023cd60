/* Draws the few tiles in view of very many: knows where each stands, and asks others for the tiles themselves. */
import { make } from "../dom.js";
import { Pace } from "./pace.js";

const GAP = 10;
const ROW = 56; // of the list
const ROWS_AROUND = 3;
const JUMP_SCREENS = 3;
const SETTLED_MS = 150;
/** Browsers know no taller elements for sure; what is taller is scrolled through a shorter one. */
const TALLEST = 12_000_000;

export class Window {
  #scroller;
  #list;
  #tileAt;
  #drawn;
  #shown = new Map();
  #blanks = [];
  #count = 0;
  #width = 0;
  #height = 0;
  #size = 184;
  #isList = false;
  #columns = 1;
  #tile = { width: 0, height: 0 };
  #shift = 0; // how far the tiles stand below where the scroller says
  #lastTop = 0;
  #drawnTop = 0;
  #frame = 0;
  #settling = 0;
  #pace = new Pace();

  /** `tileAt(position)` gives a tile or nothing yet; `drawn(first, last, isJump)` hears what is in view. */
  constructor(scroller, list, { tileAt, drawn }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#tileAt = tileAt;
    this.#drawn = drawn;
    scroller.addEventListener("scroll", this.#scrolled, { passive: true });
    this.resized = new ResizeObserver(() => this.#resize());
    this.resized.observe(scroller);
  }

  close() {
    this.resized.disconnect();
    this.#scroller.removeEventListener("scroll", this.#scrolled);
  }

  get columns() {
    return this.#columns;
  }

  /** How many rows a screen holds, at least one. */
  get rowsInView() {
    return Math.max(1, Math.floor(this.#height / this.#pitch));
  }

  /** Positions of the tiles that were in view when they were drawn, the last one not counted in: to look again would
      have the browser lay out what was drawn since. */
  get inView() {
    const first = Math.max(0, Math.floor(this.#drawnTop / this.#pitch)) * this.#columns;
    const last = Math.ceil((this.#drawnTop + this.#height) / this.#pitch) * this.#columns;
    return [first, Math.max(first, Math.min(last, this.#count))];
  }

  set count(count) {
    if (this.#count === count) return;
    this.#count = count;
    this.#layOut();
  }

  get count() {
    return this.#count;
  }

  /** Tiles of about this width, or a list. What stood first in view still does. */
  arrange({ size = this.#size, isList = this.#isList }) {
    const [first] = this.inView;
    const isAtTop = this.#scroller.scrollTop < GAP;
    this.#size = size;
    this.#isList = isList;
    this.#measure();
    this.#layOut();
    if (this.#height && !isAtTop) this.show(first, true);
  }

  /** Scrolls so that a position is seen; to the top of the view where that is asked. */
  show(position, isToTop = false) {
    const top = Math.floor(position / this.#columns) * this.#pitch;
    const bottom = top + this.#tile.height;
    const room = this.#visible;
    if (isToTop || top < this.#top) this.#scrollTo(top - (isToTop ? 0 : 4));
    else if (bottom > this.#top + room) this.#scrollTo(bottom - room + 4);
    this.#draw();
  }

  redraw() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  get #pitch() {
    return this.#isList ? ROW : this.#tile.height + GAP;
  }

  get #total() {
    return Math.max(0, Math.ceil(this.#count / this.#columns) * this.#pitch - (this.#isList ? 0 : GAP));
  }

  get #physical() {
    return Math.min(this.#total, TALLEST);
  }

  /** Without what floats over the foot. */
  get #visible() {
    return this.#height - Number.parseFloat(getComputedStyle(this.#scroller).scrollPaddingBottom || 0);
  }

  get #top() {
    return this.#scroller.scrollTop - this.#list.offsetTop + this.#shift;
  }

  #resize() {
    const [first] = this.inView;
    const wasAtTop = this.#scroller.scrollTop < GAP;
    const before = this.#columns;
    this.#measure();
    this.#layOut();
    if (this.#columns !== before && !wasAtTop) this.show(first, true);
  }

  #measure() {
    this.#height = this.#scroller.clientHeight;
    this.#width = this.#list.clientWidth;
    const columns = this.#isList ? 1 : Math.max(1, Math.floor((this.#width + GAP) / (this.#size + GAP)));
    const width = (this.#width - GAP * (columns - 1)) / columns;
    this.#columns = columns;
    this.#tile = { width, height: this.#isList ? ROW : Math.round(width * 0.75) };
    this.#list.style.setProperty("--tile-width", `${width}px`);
    this.#list.style.setProperty("--tile-height", `${this.#tile.height}px`);
  }

  #layOut() {
    this.#list.style.blockSize = `${this.#physical}px`;
    if (this.#total <= TALLEST) this.#shift = 0;
    for (const element of this.#shown.values()) delete element.place;
    this.#draw();
  }

  #scrolled = () => {
    const top = this.#scroller.scrollTop;
    if (this.#total > TALLEST) {
      if (Math.abs(top - this.#lastTop) > this.#height * JUMP_SCREENS) this.#shift = this.#virtualAt(top) - top;
      clearTimeout(this.#settling);
      this.#settling = setTimeout(() => this.#settle(), SETTLED_MS);
    }
    const isJump = Math.abs(top - this.#lastTop) > this.#height * JUMP_SCREENS;
    this.#lastTop = top;
    if (isJump) this.#draw(true);
    else this.redraw();
  };

  /** Where the tiles stand when the bar stands there. */
  #virtualAt(top) {
    const room = this.#physical - this.#height;
    return room > 0 ? (Math.min(top, room) / room) * (this.#total - this.#height) : 0;
  }

  /** Brings the bar to where it belongs for what is in view; nothing moves on the screen. */
  #settle() {
    const virtual = this.#scroller.scrollTop + this.#shift;
    this.#place(Math.max(0, Math.min(virtual, this.#total - this.#height)));
    this.#draw();
  }

  #place(virtual) {
    const isScaled = this.#total > TALLEST;
    const room = this.#total - this.#height;
    const top = isScaled ? (virtual / room) * (this.#physical - this.#height) : virtual;
    this.#scroller.scrollTop = top;
    this.#lastTop = this.#scroller.scrollTop;
    this.#shift = isScaled ? virtual - this.#lastTop : 0;
    if (isScaled) for (const element of this.#shown.values()) delete element.place;
  }

  #scrollTo(top) {
    this.#place(Math.max(0, Math.min(top + this.#list.offsetTop, Math.max(this.#total, this.#scroller.scrollHeight) - this.#height)));
  }

  #draw(isJump = false) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.#width) return;
    const isUp = this.#top < this.#drawnTop;
    this.#drawnTop = this.#top;
    const row = Math.floor(this.#drawnTop / this.#pitch) - ROWS_AROUND;
    const rows = Math.ceil(this.#height / this.#pitch) + 2 * ROWS_AROUND;
    const first = Math.max(0, row * this.#columns);
    const last = Math.min(this.#count, (row + rows + 1) * this.#columns);
    const kept = this.#dropOutside(first, last);
    const isAll = this.#putIn(this.#missing(first, last, isUp), isJump);
    let next = this.#list.firstElementChild;
    for (let position = first; position < last; position += 1) {
      const element = this.#elementAt(position);
      while (next && next === kept && element !== kept) next = next.nextElementSibling;
      if (element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(element, next);
      this.#put(element, position);
    }
    this.#drawn(first, last, isJump);
    if (!isAll) this.redraw();
  }

  /** Positions whose tiles are there and not shown yet: those in view first, from the edge where they come in. */
  #missing(first, last, isUp) {
    const [top, bottom] = this.inView;
    const [early, late] = [[], []];
    for (let position = first; position < last; position += 1) {
      const shown = this.#shown.get(position);
      if (shown && !shown.isBlank) continue;
      if (this.#tileAt(position)) (position >= top && position < bottom ? early : late).push(position);
    }
    if (!isUp) early.reverse();
    return [...early, ...late];
  }

  /** As many tiles as a frame has time for; the others stay blank until the next. Whether those were all. */
  #putIn(positions, isJump) {
    const some = positions.slice(0, this.#pace.take(positions.length, isJump));
    for (const position of some) {
      this.#takeBlank(position);
      const element = this.#tileAt(position);
      delete element.place;
      this.#shown.set(position, element);
    }
    return some.length === positions.length;
  }

  #takeBlank(position) {
    const blank = this.#shown.get(position);
    if (!blank) return;
    blank.remove();
    this.#blanks.push(blank);
  }

  /** What has the focus stays, wherever it stands. */
  #dropOutside(first, last) {
    let kept = null;
    for (const [position, element] of this.#shown) {
      const isIn = position >= first && position < last;
      if (isIn && (element.isBlank || this.#tileAt(position) === element)) continue;
      if (!isIn && !element.isBlank && element.contains(document.activeElement)) {
        kept = element;
        this.#put(element, position);
        continue;
      }
      this.#shown.delete(position);
      element.remove();
      if (element.isBlank) this.#blanks.push(element);
    }
    return kept;
  }

  #elementAt(position) {
    let element = this.#shown.get(position);
    if (element) return element;
    element = this.#blanks.pop() ?? blank();
    delete element.place;
    this.#shown.set(position, element);
    return element;
  }

  #put(element, position) {
    const column = position % this.#columns;
    const x = column * (this.#tile.width + GAP);
    const y = ((position - column) / this.#columns) * this.#pitch - this.#shift;
    const place = `${x}px ${y}px`;
    if (element.place === place) return;
    element.place = place;
    element.style.translate = place;
    if (element.isBlank) return;
    element.position = position;
    element.setAttribute("aria-posinset", position + 1);
  }
}

function blank() {
  const element = make("li", "thumb thumb--blank");
  element.setAttribute("aria-hidden", "true");
  element.isBlank = true;
  return element;
}
