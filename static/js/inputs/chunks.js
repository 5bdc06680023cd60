/* The tiles of one order and filter, in chunks: fetched by key where a neighbour is there, else by place; kept while near. */

/** As many as the server gives at once. */
const CHUNK = 60;
const MOST_CHUNKS = 40;
const AT_ONCE = 2;
const CALM_MS = 90;
const AGAIN_MS = 3000;

export class Chunks {
  #address;
  #query = new URLSearchParams();
  #chunks = new Map();
  #loading = new Map();
  #wanted = [0, 0];
  #count = null;
  #calm = 0;
  #turn = 0;
  #arrived;
  #failed;

  /** `arrived()` hears of each chunk; `failed(words)` when one cannot be had. */
  constructor(address, { arrived, failed }) {
    this.#address = address;
    this.#arrived = arrived;
    this.#failed = failed;
  }

  /** Begin with what the page brought, or with nothing. */
  begin(query, list = null) {
    this.#forget();
    this.#query = new URLSearchParams(query);
    this.#chunks = new Map();
    this.#count = null;
    if (list) this.#keep(0, list);
  }

  /** How many there are; null while that is not known. A number said "at least" is given by the caller as null. */
  set count(count) {
    this.#count = count;
  }

  /** How many positions there are to scroll through, for all one knows. */
  get length() {
    if (this.#count !== null) return this.#count;
    const last = Math.max(-1, ...this.#chunks.keys());
    const chunk = this.#chunks.get(last);
    if (!chunk) return this.#loading.size ? CHUNK : 0;
    return last * CHUNK + chunk.tiles.length + (chunk.next ? CHUNK : 0);
  }

  get isEmpty() {
    return this.#chunks.size > 0 && this.length === 0;
  }

  tileAt(position) {
    return this.#chunks.get(Math.floor(position / CHUNK))?.tiles[position % CHUNK];
  }

  get tiles() {
    return [...this.#chunks.keys()].sort((a, b) => a - b).flatMap((index) => this.#chunks.get(index).tiles);
  }

  /** See to it that these positions come; after a jump only once it is calm. */
  want(first, last, isJump = false) {
    this.#wanted = [Math.floor(first / CHUNK), Math.floor(Math.max(first, last - 1) / CHUNK)];
    clearTimeout(this.#calm);
    if (this.#isComplete) return;
    const isFar = isJump || !this.#hasNeighbour(this.#wanted[0]);
    if (isFar && this.#chunks.size) this.#calm = setTimeout(() => this.#loadWanted(), CALM_MS);
    else this.#loadWanted();
  }

  /** The keys from one position to another, whatever of them must be fetched. */
  async keys(first, last) {
    const found = [];
    for (let index = Math.floor(first / CHUNK); index <= Math.floor(last / CHUNK); index += 1) {
      const chunk = this.#chunks.get(index) ?? (await this.#load(index));
      if (!chunk) break;
      for (const [at, tile] of chunk.tiles.entries()) {
        const position = index * CHUNK + at;
        if (position >= first && position <= last) found.push(tile.dataset.key);
      }
    }
    return found;
  }

  /** Another order or filter: what is there stays until its first ones have come. False when they cannot be had. */
  async open(query) {
    this.#forget();
    const turn = this.#turn;
    this.#query = new URLSearchParams(query);
    const first = await this.#fetch(0, new Map()).catch((error) => (error.name === "AbortError" ? null : this.#failed()));
    if (turn !== this.#turn || !first) return false;
    this.#count = null;
    this.#chunks = new Map([[0, first]]);
    this.#arrived();
    return true;
  }

  /** Fetches again what is in view; what is there stays until then. */
  async renew(count) {
    const [first, last] = this.#wanted;
    const old = this.#chunks;
    this.#forget();
    const turn = this.#turn;
    this.#count = count;
    const fresh = new Map();
    for (let index = first; index <= last; index += 1) {
      const chunk = await this.#fetch(index, fresh).catch(() => null);
      if (turn !== this.#turn) return;
      if (!chunk) break;
      if (chunk.tiles.length || index === 0) fresh.set(index, chunk);
    }
    this.#chunks = fresh.size ? fresh : old;
    this.#arrived();
  }

  /** Puts other tiles in the place of those with their keys. */
  replace(tiles) {
    const byKey = new Map(tiles.map((tile) => [tile.dataset.key, tile]));
    for (const chunk of this.#chunks.values()) {
      chunk.tiles = chunk.tiles.map((tile) => byKey.get(tile.dataset.key) ?? tile);
    }
  }

  get #isComplete() {
    for (let index = this.#wanted[0]; index <= this.#wanted[1]; index += 1) if (this.#isMissing(index)) return false;
    return true;
  }

  #isMissing(index) {
    return !this.#chunks.has(index) && index * CHUNK < Math.max(1, this.length);
  }

  #hasNeighbour(index) {
    return this.#chunks.has(index) || this.#chunks.has(index - 1) || this.#chunks.has(index + 1);
  }

  #loadWanted() {
    const [first, last] = this.#wanted;
    for (const [index, { controller }] of this.#loading) if (index < first - 1 || index > last + 1) controller.abort();
    for (let index = first; index <= last; index += 1) {
      if (this.#loading.size >= AT_ONCE) return;
      if (this.#isMissing(index) && !this.#loading.has(index)) this.#load(index);
    }
  }

  async #load(index) {
    const turn = this.#turn;
    try {
      const chunk = await this.#fetch(index, this.#chunks);
      if (turn !== this.#turn) return null;
      this.#chunks.set(index, chunk);
      this.#evict();
      this.#arrived();
      this.#loadWanted();
      return chunk;
    } catch (error) {
      if (turn !== this.#turn) return null;
      if (error.name === "AbortError") {
        this.#loadWanted();
      } else {
        this.#failed();
        this.#calm = setTimeout(() => this.#loadWanted(), AGAIN_MS);
      }
      return null;
    }
  }

  async #fetch(index, chunks) {
    const query = new URLSearchParams(this.#query);
    const before = chunks.get(index - 1)?.next;
    const after = chunks.get(index + 1)?.previous;
    if (before) query.set("after", before);
    else if (after) query.set("before", after);
    else if (index) query.set("at", String(index * CHUNK));
    const controller = new AbortController();
    const entry = { controller };
    this.#loading.set(index, entry);
    try {
      const answer = await fetch(`${this.#address}?${query}`, { signal: controller.signal, headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const holder = document.createElement("template");
      holder.innerHTML = await answer.text();
      return read(document.importNode(holder.content, true).querySelector("[data-chunk]"));
    } finally {
      if (this.#loading.get(index) === entry) this.#loading.delete(index);
    }
  }

  #keep(index, list) {
    this.#chunks.set(index, read(list));
  }

  /** Those farthest from what is wanted go, so that a long way costs no more than a short one. */
  #evict() {
    const middle = (this.#wanted[0] + this.#wanted[1]) / 2;
    const far = [...this.#chunks.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    // Without a count, the last one says how far one can scroll.
    const last = this.#count === null ? Math.max(...far) : -1;
    for (const index of far.slice(0, Math.max(0, far.length - MOST_CHUNKS))) if (index !== last) this.#chunks.delete(index);
  }

  #forget() {
    this.#turn += 1;
    clearTimeout(this.#calm);
    for (const { controller } of this.#loading.values()) controller.abort();
    this.#loading.clear();
  }
}

function read(list) {
  return { tiles: [...list.querySelectorAll(":scope > .thumb")], next: list.dataset.next, previous: list.dataset.previous };
}
