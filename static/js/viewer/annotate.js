/* The sidebar while Predict mode is off: what people say of the input, in whole and in boxes, and how they change it. */
import { alarm, announce } from "../announce.js";
import { button, icon, make } from "../dom.js";
import { hueOf } from "../draw/hue.js";
import { value as shown } from "../format.js";
import { offerUndo } from "../table/acts.js";
import { ask } from "./ask.js";
import { BoxEditor } from "./boxes.js";
import { RegionRows } from "./lists.js";

const SAVE_WAIT = 500;

export class AnnotatePanel {
  #viewer;
  #editor;
  #rows;
  #held = null; // the region in hand; {box} alone while it is new
  #timer = 0;
  #pending = null;

  constructor(viewer) {
    this.#viewer = viewer;
    this.#editor = new BoxEditor(viewer.canvas, {
      onDrawn: (box) => this.#drawn(box),
      onMoved: (box) => this.#moved(box),
      onGone: (isRemoved) => this.#gone(isRemoved),
      onPlaced: () => this.#part("box-form").elements.concept.focus(),
    });
    this.#rows = new RegionRows((region) => viewer.setHot(region));
    this.#part("own-rows").append(this.#rows.element);
    this.#part("concept-form").addEventListener("submit", this.#addConcept);
    this.#part("box-form").addEventListener("submit", this.#nameBox);
    this.#part("box-cancel").addEventListener("click", () => this.#gone(false));
    this.#part("box-remove").addEventListener("click", () => this.#gone(true));
    this.#part("draw-box").addEventListener("click", () => this.draw());
    this.#part("place-box").addEventListener("click", () => this.#editor.place());
  }

  #part(name) {
    return this.#viewer.querySelector(`[data-${name}]`);
  }

  get #input() {
    return this.#viewer.input;
  }

  get overlay() {
    const held = this.#held?.id;
    return { key: "own", lines: "own", regions: this.#known.filter((region) => region.box && region.id !== held) };
  }

  #known = [];
  #knownOf = null; // the annotations that are known so: a list and the overlay speak of the same regions

  /** Another input is on the page: nothing of it is in hand. `refresh` draws what is said of it. */
  follow() {
    this.#flush();
    this.#release();
    this.draw(false);
    this.#read();
  }

  #read() {
    const { annotations } = this.#input;
    if (this.#knownOf === annotations) return;
    this.#knownOf = annotations;
    this.#known = annotations.filter((entry) => entry.box || entry.text).map(toRegion);
  }

  refresh() {
    const { annotations, may_edit: mayEdit } = this.#input;
    this.#read();
    const focused = document.activeElement;
    const [wasChip, wasRow] = [this.#part("own-concepts"), this.#rows.element].map((list) => list.contains(focused));
    const whole = annotations.filter((entry) => !entry.box && entry.concept);
    this.#part("own-concepts").replaceChildren(...whole.map((entry) => this.#chip(entry, mayEdit)));
    this.#part("own-none").hidden = whole.length > 0 || mayEdit;
    this.#part("concept-form").hidden = !mayEdit;
    const isPicture = Boolean(this.#viewer.canvas.size);
    this.#part("own-boxes").hidden = !isPicture && !this.#known.length;
    this.#part("box-acts").hidden = !mayEdit || !isPicture;
    this.#part("no-boxes").hidden = this.#known.length > 0;
    this.#rows.show(this.#known, {
      size: this.#viewer.canvas.size,
      press: { label: mayEdit ? "Take it in hand" : "Show it", act: (region) => (mayEdit ? this.hold(region) : this.#viewer.showRegion(region)) },
      acts: (region) => (mayEdit ? [["trash", "Remove", (gone) => this.#remove(gone)]] : []),
      words: "Boxes",
    });
    if (wasChip) (this.#part("own-concepts").querySelector("button") ?? this.#part("concept-form").elements.concept).focus();
    if (wasRow && !this.#known.length) this.#part("draw-box").focus();
  }

  set hot(region) {
    this.#rows.hot = region;
  }

  #chip({ id, concept, value, origin }, mayEdit) {
    const swatch = make("span", "swatch");
    swatch.style.setProperty("--hue", hueOf(concept.id));
    const words = value === 1 ? concept.name : `${concept.name} ${value === 0 ? "is not so" : shown(value)}`;
    const chip = make("li", "chip", swatch, make("span", "truncate", words));
    if (origin === "accepted") chip.title = "Accepted from a prediction";
    if (!mayEdit) return chip;
    const gone = make("button", "chip__remove", icon("close", "icon--small"));
    Object.assign(gone, { type: "button", ariaLabel: `Remove ${concept.name}` });
    gone.addEventListener("click", () => this.#remove({ id, name: concept.name }));
    chip.append(gone);
    return chip;
  }

  // Concepts of the whole.

  #addConcept = async (event) => {
    event.preventDefault();
    const field = event.target.elements.concept;
    const name = field.value.trim();
    if (!name) return field.focus();
    if (await this.#send({ concept: name })) {
      field.value = "";
      announce(`${name} added.`);
    }
    field.focus();
  };

  // Boxes.

  draw(isOn = !this.#editor.isDrawing) {
    if (isOn && (!this.#input.may_edit || !this.#viewer.canvas.size)) return;
    if (isOn) this.#letGo();
    this.#editor.isDrawing = isOn;
    this.#part("draw-box").setAttribute("aria-pressed", String(isOn));
    if (isOn) announce("Drag over the picture to draw a box; or press Place, and move it with the arrows.");
  }

  get isBusy() {
    return this.#editor.isDrawing || this.#held !== null;
  }

  #drawn(box) {
    this.#part("draw-box").setAttribute("aria-pressed", "false");
    this.#held = { box };
    this.#showForm("");
    if (!this.#editor.hasFocus) this.#part("box-form").elements.concept.focus();
    else announce("A box in the middle: arrows move it, with Shift they size it. Tab to name it.");
  }

  hold(region) {
    if (!region.box) return;
    this.#flush();
    this.#held = region;
    this.#editor.hold([...region.box], region.name, true);
    this.#showForm(region.name);
    this.#viewer.redraw();
  }

  #showForm(name) {
    const form = this.#part("box-form");
    form.hidden = false;
    form.elements.concept.value = name;
    this.#part("box-remove").hidden = !this.#held.id;
    this.#part("box-legend").textContent = this.#held.id ? "This box" : "New box";
    this.#editor.hold(this.#editor.box ?? this.#held.box, name);
  }

  #moved(box) {
    if (!this.#held?.id) {
      if (this.#held) this.#held.box = box;
      return;
    }
    this.#pending = { region: this.#held, box: [...box], input: this.#input };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), SAVE_WAIT);
  }

  /** Edges that were moved and not sent yet. */
  async #flush() {
    clearTimeout(this.#timer);
    const waiting = this.#pending;
    this.#pending = null;
    if (!waiting) return;
    const held = this.#held;
    await this.#send({ box: waiting.box }, waiting.region.url, waiting.input);
    if (held && held === this.#held) this.#held = this.#known.find((region) => region.id === held.id) ?? held;
  }

  #nameBox = async (event) => {
    event.preventDefault();
    const field = event.target.elements.concept;
    const name = field.value.trim();
    if (!name) return field.focus();
    const { id, url } = this.#held;
    this.#pending = null;
    clearTimeout(this.#timer);
    if (!(await this.#send({ concept: name, box: this.#editor.box }, id ? url : undefined))) return;
    this.#letGo();
    announce(id ? `Saved as ${name}.` : `${name} added.`);
    this.#part("draw-box").focus();
  };

  #gone(isRemoved) {
    const held = this.#held;
    if (isRemoved && held?.id) this.#remove(held);
    else this.#flush();
    this.#letGo();
    this.draw(false);
    this.#part("draw-box").focus();
  }

  #letGo() {
    this.#release();
    this.#viewer.redraw();
  }

  #release() {
    this.#held = null;
    this.#editor.hold(null);
    this.#part("box-form").hidden = true;
  }

  // The server.

  async #send(json, address = this.#input.annotations_url, input = this.#input) {
    try {
      const { annotations } = await ask(address, { method: "POST", json });
      input.annotations = annotations;
      this.#say("");
    } catch (error) {
      this.#say(error.message);
      return false;
    } finally {
      if (input === this.#input) this.#viewer.changed();
    }
    return true;
  }

  async #remove({ id, name }) {
    const input = this.#input;
    const gone = input.annotations.find((entry) => entry.id === id);
    if (this.#held?.id === id) this.#letGo();
    if (!(await this.remove(input, [id]))) return;
    announce(`${name} removed.`);
    const { concept, box, value, text } = gone;
    offerUndo(`${name} removed.`, () => this.#send({ concept: concept?.name, box, value, text }, input.annotations_url, input));
  }

  async remove(input, ids) {
    return this.#send({ ids }, input.unannotate_url, input);
  }

  #say(words) {
    const place = this.#part("annotate-error");
    place.hidden = !words;
    place.textContent = words;
    if (words) alarm(words);
  }
}

function toRegion({ id, url, concept, box, value, text, origin }) {
  return {
    id,
    url,
    box,
    origin,
    text,
    name: concept?.name || text || "region",
    key: concept?.id || text || "region",
    value: value === 1 ? null : value,
    concepts: [],
  };
}
