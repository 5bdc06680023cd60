/* The inputs before and behind the one on the page: their facts and pictures come ahead of their turn. */
import { ask } from "./ask.js";

const MOST = 24;

export class Neighbours {
  #known = new Map(); // by address: {facts, view}, the newest last
  #coming = new Map(); // by address: the promise of what is asked for now

  /** What is known of an input already, or undefined: then `fetch` brings it. */
  at(address) {
    return this.#known.get(address);
  }

  put(address, facts) {
    const entry = { facts, view: this.#known.get(address)?.view ?? null };
    this.#known.delete(address);
    this.#known.set(address, entry);
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value);
    return entry;
  }

  forget(address) {
    this.#known.delete(address);
  }

  clear() {
    this.#known.clear();
  }

  /** Asked for once, however many wait for it: what is done to an input's facts is then seen at its next turn too. */
  fetch(address) {
    const coming = this.#coming.get(address) ?? this.#bring(address).finally(() => this.#coming.delete(address));
    this.#coming.set(address, coming);
    return coming;
  }

  async #bring(address) {
    return this.put(address, await ask(address));
  }

  /** Bring an input and decode its picture, so that its turn costs a paint alone. */
  async ahead(address) {
    if (!address) return;
    const entry = this.#known.get(address) ?? (await this.fetch(address).catch(() => null));
    if (!entry || entry.view || entry.facts.kind !== "image" || !entry.facts.preview) return;
    const view = makePicture(entry.facts);
    await view.decode().catch(() => {});
    entry.view = view;
  }
}

/** A picture; until it has come, its thumbnail stands in its place. */
export function makePicture({ preview, original, thumbnail, name }) {
  const image = Object.assign(new Image(), { src: preview || original, alt: name, decoding: "sync", draggable: false });
  image.className = "viewer__picture";
  if (thumbnail) {
    image.style.setProperty("background", `url("${thumbnail}") 0 0 / 100% 100%`);
    image.addEventListener("load", () => image.style.removeProperty("background"), { once: true });
  }
  return image;
}
