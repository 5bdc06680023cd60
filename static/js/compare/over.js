/* What differs, in one place for all panes, by the kind of what they gave; texts differ within their panes instead. */
import { make } from "../dom.js";
import { BoxView } from "./boxes.js";
import { drawConcepts, drawValues } from "./lists.js";

export class Over {
  shown;
  #place;
  #picture;
  #onTurn;
  #view = null;
  #kind = "";
  #turn = 0;

  /** `picture()` is the address of what was asked about, `shown` {mode, other}; `onTurn` hears that these have changed. */
  constructor(place, { picture, shown, onTurn }) {
    this.#place = place;
    this.#picture = picture;
    this.shown = shown;
    this.#onTurn = onTurn;
  }

  get hasModes() {
    return this.#view !== null && this.#kind !== "sounds";
  }

  /** `panes`: {id, letter, number}, the reference first. */
  async show(found, panes) {
    const turn = ++this.#turn;
    const known = panes.filter(({ id }) => !found.strange?.[id]);
    const strange = panes.filter(({ id }) => found.strange?.[id]);
    this.#place.hidden = false;
    if (found.kind !== this.#kind) this.#forget();
    this.#kind = found.kind;
    let drawing;
    if (found.kind === "oversize") drawing = make("p", "compare__list muted", "These answers are too large to be held against one another here. Each can be downloaded in its pane.");
    else if (["regions", "pictures", "sounds"].includes(found.kind)) {
      this.#view ??= await this.#make(found.kind);
      if (turn !== this.#turn) return;
      this.#view.show(found, known);
      drawing = this.#view.element;
    } else drawing = found.kind === "concepts" ? drawConcepts(found, known) : drawValues(found, known);
    const words = strange.map(({ id, letter }) => make("p", "compare__strange", `${letter} gives ${found.strange[id]}, the others ${found.gives}: it cannot be held against them.`));
    const alone = known.length < 2 ? [make("p", "compare__strange", "There is nothing to hold against one another.")] : [];
    const now = [...words, ...alone, drawing];
    // What stays is not taken out and put back: it would lose the focus.
    if (this.#place.lastElementChild === drawing) {
      for (const old of [...this.#place.children].slice(0, -1)) old.remove();
      drawing.before(...now.slice(0, -1));
    } else this.#place.replaceChildren(...now);
  }

  close() {
    this.#turn += 1;
    this.#forget();
    this.#kind = "";
    this.#place.hidden = true;
    this.#place.replaceChildren();
  }

  async #make(kind) {
    const turned = (shown) => {
      this.shown = shown;
      this.#onTurn();
    };
    if (kind === "regions") return new BoxView(this.#picture(), this.shown, turned);
    if (kind === "sounds") return new (await import("./sounds.js")).SoundView();
    return new (await import("./pictures.js")).PictureView(this.shown, turned);
  }

  #forget() {
    this.#view?.close();
    this.#view = null;
  }
}
