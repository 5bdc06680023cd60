/* What is predicted with: the model or workflow, and the deployment that its calls go to. */
import { announce } from "../announce.js";
import { make } from "../dom.js";
import { plural } from "../format.js";
import { keyOf, readTarget, saveTarget } from "./targets.js";

export class TargetPart {
  value = null;
  #viewer;
  #chosen;

  /** `chosen(isFirst)` hears when somebody chooses. */
  constructor(viewer, chosen) {
    this.#viewer = viewer;
    this.#chosen = chosen;
    this.#part("target").addEventListener("click", () => this.change());
    this.#part("first-choice").addEventListener("click", () => this.change());
    viewer.addEventListener("place-chosen", (event) => event.target.closest("[data-place-slot]") && this.#placed());
  }

  #part(name) {
    return this.#viewer.querySelector(`[data-${name}]`);
  }

  /** "" while nothing is chosen. */
  get key() {
    return this.value ? keyOf(this.value) : "";
  }

  /** Why its deployment would refuse a call, in words; "" where it would not. */
  get refusal() {
    return this.#part("place-slot").querySelector("deployment-picker")?.dataset.refusal ?? "";
  }

  /** What was chosen last for inputs like this one; whether that is another than before. */
  read({ user, kind }) {
    const target = readTarget(user, kind);
    const isOther = !this.value || !target || keyOf(target) !== this.key || this.value.url !== target.url;
    this.value = target;
    return isOther;
  }

  async change() {
    const { openChooser } = await import("../elements/model-chooser.js");
    const { chooserUrl, chooserSheets } = this.#viewer.dataset;
    const restore = this.#setPlaceAside();
    const chosen = await openChooser(this.#viewer, { url: chooserUrl, sheets: chooserSheets.split(" "), kind: this.#viewer.input.kind, now: this.value });
    restore();
    if (chosen) {
      this.#set(chosen);
      announce(`${chosen.name} is chosen: Predict asks it.`);
    }
    this.#part(this.value ? "predict" : "first-choice").focus();
  }

  #set(target) {
    const isFirst = !this.value;
    const { user, kind } = this.#viewer.input;
    this.value = target;
    saveTarget(user, kind, target);
    this.#viewer.setChosen(target);
    this.draw();
    this.#chosen(isFirst);
  }

  /** One picker at a time: while the window has its own, the sidebar's is put away and brought back. */
  #setPlaceAside() {
    const slot = this.#part("place-slot");
    const nodes = [...slot.childNodes];
    for (const node of nodes) node.remove();
    return () => slot.childElementCount || slot.append(...nodes);
  }

  draw() {
    const target = this.value;
    this.#part("first-choice").hidden = Boolean(target);
    this.#part("target").hidden = !target;
    this.#part("place-slot").hidden = !target || target.kind === "workflow";
    if (!target) return this.#part("place-slot").replaceChildren();
    this.#part("target-name").textContent = target.name;
    const settings = target.changed ? ` · ${plural(target.changed, "setting")} changed` : "";
    this.#part("target-meta").replaceChildren(`${target.kind === "workflow" ? "Workflow" : "Model"} · ${target.io}`, ...(target.kind === "workflow" ? [] : [" · ", make("code", "", target.method)]), settings);
    if (target.kind !== "workflow") this.#bringPlace(target);
  }

  /** Whether the model or workflow is not there for this user any more; if so, the deployment's place says it. */
  async isGone() {
    const target = this.value;
    const answer = await fetch(target.href, { method: "HEAD", redirect: "manual" }).catch(() => null);
    if (answer?.status !== 404) return false;
    if (target === this.value) this.#sayGone(target);
    return true;
  }

  #sayGone({ name }) {
    const slot = this.#part("place-slot");
    slot.hidden = false;
    slot.replaceChildren(make("p", "field__error", `${name} is gone, or not shared with you any more. Choose another.`));
  }

  /** The deployment's button, drawn by the server: its state is what it is now. */
  async #bringPlace(target) {
    const slot = this.#part("place-slot");
    const shown = slot.querySelector("deployment-picker")?.dataset;
    if (shown && shown.model === target.target && shown.query === target.query) return;
    const address = `${target.url.replace(/target$/, "place")}?${target.query}`;
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (target !== this.value) return;
    if (!answer?.ok) return this.#sayGone(target);
    const drawn = document.createElement("template");
    drawn.innerHTML = await answer.text();
    const picker = drawn.content.querySelector("deployment-picker");
    const panel = drawn.content.querySelector("#deployment");
    panel?.removeAttribute("hx-swap-oob");
    await import("../elements/deployment-picker.js");
    if (target !== this.value) return;
    const state = make("span", "", Object.assign(make("span"), { id: "head-state" }));
    state.hidden = true; // a model's page shows it in its head; the inner one is drawn anew
    slot.replaceChildren(...[picker, panel].filter(Boolean).map((node) => document.importNode(node, true)), state);
    globalThis.htmx?.process(slot);
    if (picker.dataset.refusal) announce(picker.dataset.refusal);
  }

  #placed() {
    const { selector, asked, query } = this.#part("place-slot").querySelector("deployment-picker").dataset;
    this.#set({ ...this.value, selector: JSON.parse(selector), asked, query });
    announce(`Predictions go to ${asked} from now on.`);
  }
}
