/* How the picture looks: brightness, contrast, inverted. It changes no bytes, and stays from one input to the next. */
import { announce } from "../announce.js";

export class Look {
  #menu;
  #stage;

  constructor(menu, stage) {
    this.#menu = menu;
    this.#stage = stage;
    menu.addEventListener("input", () => this.#show());
    menu.querySelector("[data-look-reset]").addEventListener("click", () => this.#reset());
  }

  #field(name) {
    return this.#menu.querySelector(`[name="${name}"]`);
  }

  toggleInvert() {
    const box = this.#field("invert");
    box.checked = !box.checked;
    this.#show();
    announce(box.checked ? "Inverted." : "Not inverted.");
  }

  #reset() {
    for (const name of ["brightness", "contrast"]) this.#field(name).value = 1;
    this.#field("invert").checked = false;
    this.#show();
  }

  #show() {
    const [brightness, contrast, isInverted] = [this.#field("brightness").value, this.#field("contrast").value, this.#field("invert").checked];
    const isPlain = Number(brightness) === 1 && Number(contrast) === 1 && !isInverted;
    this.#stage.style.setProperty("--look", isPlain ? "none" : `brightness(${brightness}) contrast(${contrast}) invert(${Number(isInverted)})`);
    for (const name of ["brightness", "contrast"]) {
      const field = this.#field(name);
      field.style.setProperty("--fill", `calc(${(field.value - field.min) / (field.max - field.min)} * (100% - 1rem) + 0.5rem)`);
      field.setAttribute("aria-valuetext", `${Math.round(field.value * 100)} %`);
    }
    this.#menu.previousElementSibling?.toggleAttribute("data-changed", !isPlain);
  }
}
