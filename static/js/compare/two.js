/* One pane's answer held against the reference's in one place: both, swiped over one another, by turns, or what differs. */
import { button, make } from "../dom.js";

const MODES = ["Both", "Swipe", "Blink", "Difference"];
const BLINK_MS = 700;

export class TwoView {
  element = make("div", "boxes");
  stage = make("div", "boxes__stage");
  side = make("div", "boxes__side");
  frame = make("div", "boxes__frame");
  tools = make("div", "boxes__tools");
  mode = "Both";
  panes = [];
  #modes;
  #others = make("div", "segmented");
  #other;
  #timer = 0;
  #swipe = Object.assign(make("input", "slider__track boxes__swipe"), { type: "range", min: 0, max: 100, value: 50 });
  #onTurn;

  /** `shown` is {mode, other} to begin with; `onTurn` hears of another choice. */
  constructor(shown, onTurn) {
    this.#onTurn = onTurn;
    this.#other = shown.other ?? "";
    this.mode = MODES.includes(shown.mode) ? shown.mode : "Both";
    this.#modes = make("div", "segmented", ...MODES.map((name) => this.#choice(name)));
    for (const [group, words] of [[this.#modes, "How both are shown"], [this.#others, "Which pane is held against the reference"]]) {
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", words);
    }
    this.#swipe.setAttribute("aria-label", "Where one ends and the other begins");
    this.#swipe.addEventListener("input", () => this.#wipe(this.#swipe.value));
    this.tools.append(this.#modes, this.#others, this.#swipe);
    this.frame.append(this.stage);
    this.frame.addEventListener("pointerdown", this.#drag);
    this.element.append(make("div", "boxes__main", this.tools, this.frame), this.side);
    this.#wipe(50);
  }

  /** Hooks: `hasOther(id)` whether a pane can be shown, `draw(one, other)` both, or null where there is no other. */
  hasOther() {
    return true;
  }

  draw() {}

  get other() {
    return this.#other;
  }

  get isSplit() {
    return this.mode === "Swipe" || this.mode === "Blink";
  }

  close() {
    clearInterval(this.#timer);
    this.element.remove();
  }

  /** `panes`: {id, letter, number}, the reference first. */
  put(panes) {
    this.panes = panes;
    const others = panes.slice(1).filter(({ id }) => this.hasOther(id));
    if (!others.some(({ id }) => id === this.#other)) this.#other = others[0]?.id ?? "";
    this.#others.hidden = others.length < 2;
    this.#others.replaceChildren(...others.map(({ id, letter }) => this.#otherChoice(id, `${panes[0].letter} · ${letter}`)));
    this.#begin();
  }

  redraw() {
    this.draw(this.panes[0], this.panes.find(({ id }) => id === this.#other) ?? null);
  }

  #choice(name) {
    const made = button(name, () => this.#turn({ mode: name }), "");
    made.className = "segmented__item";
    made.dataset.mode = name;
    return made;
  }

  #otherChoice(id, words) {
    const made = button(words, () => this.#turn({ other: id }), "");
    made.className = "segmented__item";
    made.dataset.other = id;
    return made;
  }

  #turn({ mode = this.mode, other = this.#other }) {
    this.mode = mode;
    this.#other = other;
    this.#onTurn({ mode, other });
    this.#begin();
  }

  #begin() {
    this.element.dataset.mode = this.mode.toLowerCase();
    for (const one of this.#modes.children) one.ariaPressed = String(one.dataset.mode === this.mode);
    for (const one of this.#others.children) one.ariaPressed = String(one.dataset.other === this.#other);
    this.#swipe.hidden = this.mode !== "Swipe";
    clearInterval(this.#timer);
    delete this.stage.dataset.shown;
    if (this.mode === "Blink") {
      this.stage.dataset.shown = "one";
      this.#timer = setInterval(() => (this.stage.dataset.shown = this.stage.dataset.shown === "one" ? "other" : "one"), BLINK_MS);
    }
    this.redraw();
  }

  #wipe(share) {
    this.#swipe.value = share;
    this.frame.style.setProperty("--swipe", `${this.#swipe.value}%`);
  }

  /** The line can be drawn along in the picture itself. */
  #drag = (event) => {
    if (this.mode !== "Swipe" || event.button) return;
    event.preventDefault();
    const follow = ({ clientX }) => {
      const { left, width } = this.stage.getBoundingClientRect();
      this.#wipe(Math.round((clientX - left) / (width || 1) * 100));
    };
    const end = () => globalThis.removeEventListener("pointermove", follow);
    follow(event);
    globalThis.addEventListener("pointermove", follow);
    globalThis.addEventListener("pointerup", end, { once: true });
    globalThis.addEventListener("pointercancel", end, { once: true });
  };
}
