/* One tab stop for all tiles: arrows move within, Space chooses, Shift extends, Ctrl A takes all in view, Enter opens. */
import { alarm } from "../announce.js";
import { figure } from "../format.js";

const MOST_BETWEEN = 5000;

export class Reach {
  #list;
  #window;
  #chunks;
  #selection;
  #at = 0;
  #anchor = 0;
  #isWanted = false;

  constructor(list, { window, chunks, selection }) {
    this.#list = list;
    this.#window = window;
    this.#chunks = chunks;
    this.#selection = selection;
    list.addEventListener("keydown", this.#key);
    list.addEventListener("click", this.#click);
    list.addEventListener("focusin", this.#focused);
  }

  /** Tiles have come or gone: one of them is the tab stop, and each shows whether it is chosen. */
  settle() {
    const tiles = [...this.#list.children].filter((tile) => !tile.isBlank);
    const [first] = this.#window.inView;
    const stop = tiles.find((tile) => tile.position === this.#at) ?? tiles.find((tile) => tile.position >= first) ?? tiles[0];
    for (const tile of tiles) {
      const link = tile.querySelector("a");
      const index = tile === stop ? 0 : -1;
      if (link.tabIndex !== index) link.tabIndex = index;
      this.#show(tile);
    }
    if (this.#isWanted && stop?.position === this.#at) {
      this.#isWanted = false;
      stop.querySelector("a").focus({ preventScroll: true });
    }
  }

  /** The first one again, as after another filter. */
  reset() {
    this.#at = 0;
    this.#anchor = 0;
    this.#isWanted = false;
  }

  focus() {
    this.#isWanted = true;
    this.settle();
  }

  /** Every tile of those that are drawn. */
  showChosen() {
    for (const tile of this.#list.children) if (!tile.isBlank) this.#show(tile);
  }

  #show(tile) {
    const isChosen = this.#selection.has(tile.dataset.key);
    tile.classList.toggle("thumb--chosen", isChosen);
    tile.querySelector("[data-choose]").checked = isChosen;
  }

  #focused = (event) => {
    const tile = event.target.closest(".thumb");
    if (!tile || tile.position === undefined || tile.position === this.#at) return;
    this.#at = tile.position;
    this.settle();
  };

  #click = (event) => {
    const tile = event.target.closest(".thumb");
    if (!tile || tile.isBlank) return;
    const isBox = event.target.matches("[data-choose]");
    if (event.shiftKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.#extend(tile.position);
    } else if (isBox) {
      this.#selection.set([tile.dataset.key], event.target.checked);
      this.#anchor = tile.position;
    }
    this.#at = tile.position;
    if (isBox) tile.querySelector("a").focus({ preventScroll: true });
  };

  #key = (event) => {
    const tile = event.target.closest(".thumb");
    if (!tile || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") this.#chooseInView(event);
    else if (event.key === " " && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.#selection.toggle(tile.dataset.key);
      this.#anchor = tile.position;
    } else this.#move(event, tile);
  };

  chooseInView() {
    const [first, last] = this.#window.inView;
    const keys = [];
    for (let position = first; position < last; position += 1) {
      const tile = this.#chunks.tileAt(position);
      if (tile) keys.push(tile.dataset.key);
    }
    this.#selection.set(keys, true);
  }

  #chooseInView(event) {
    event.preventDefault();
    this.chooseInView();
  }

  #move(event, tile) {
    const { columns, rowsInView, count } = this.#window;
    const at = tile.position;
    const column = at % columns;
    const to = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at + columns,
      ArrowUp: at - columns,
      PageDown: at + columns * rowsInView,
      PageUp: at - columns * rowsInView,
      Home: event.ctrlKey ? 0 : at - column,
      End: event.ctrlKey ? count - 1 : at - column + columns - 1,
    }[event.key];
    if (to === undefined || event.metaKey || (event.ctrlKey && event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    const isOut = (event.key === "ArrowUp" && to < 0) || (event.key === "ArrowDown" && to >= count && Math.floor((count - 1) / columns) === Math.floor(at / columns));
    const target = isOut ? at : Math.max(0, Math.min(to, count - 1));
    if (event.shiftKey) this.#extend(target);
    else this.#anchor = target;
    this.#at = target;
    this.#isWanted = true;
    this.#window.show(target);
    this.settle();
  }

  async #extend(to) {
    const [first, last] = [Math.min(this.#anchor, to), Math.max(this.#anchor, to)];
    if (last - first > MOST_BETWEEN) {
      alarm(`Between these two lie ${figure(last - first)} inputs. Filter for them, then select all that match.`);
      return;
    }
    this.#selection.set(await this.#chunks.keys(first, last), true);
  }
}
