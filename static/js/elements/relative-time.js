/* An age that stays right, by the server's clock; the exact time in the reader's zone is its title. */
import { age } from "../format.js";

const drift = Date.parse(document.body.dataset.now ?? "") - Date.now() || 0;
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const shown = new Set();

class RelativeTime extends HTMLElement {
  connectedCallback() {
    shown.add(this);
    this.update(true);
  }

  disconnectedCallback() {
    shown.delete(this);
  }

  update(withTitle = false) {
    const time = this.querySelector("time");
    const at = Date.parse(time?.dateTime ?? "");
    if (Number.isNaN(at)) return;
    if (withTitle) time.title = exact.format(at);
    const full = age(at, Date.now() + drift);
    const words = "short" in this.dataset ? full.replace(/^just | ago$/, "") : full;
    if (time.textContent !== words) time.textContent = words;
  }
}

setInterval(() => {
  if (document.visibilityState === "visible") for (const element of shown) element.update();
}, 5000);

customElements.define("relative-time", RelativeTime);
