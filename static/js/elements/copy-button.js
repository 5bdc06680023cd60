/* Copies a text, or that of the element of an id; says "Copied" in its own label for a moment. */
import { announce } from "../announce.js";

export async function copyText(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Shows that it was copied, in the label within `root`, without a change of width. */
export function sayCopied(root) {
  announce("Copied");
  const label = root.querySelector("[data-label]");
  if (!label || label.dataset.was) return;
  label.dataset.was = label.textContent;
  label.style.setProperty("min-inline-size", `${label.getBoundingClientRect().width}px`);
  label.textContent = "Copied";
  setTimeout(() => {
    label.textContent = label.dataset.was;
    delete label.dataset.was;
  }, 1500);
}

class CopyButton extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.#copy);
  }

  #copy = async () => {
    await copyText(this.dataset.text ?? document.getElementById(this.dataset.of).textContent);
    sayCopied(this);
  };
}

customElements.define("copy-button", CopyButton);
