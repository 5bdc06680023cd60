/* What is chosen: some by their keys, or all that match but for some. */

export class Selection {
  #keys = new Set();
  #isAll = false;
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  get isAll() {
    return this.#isAll;
  }

  /** The chosen ones; where all are, those left out. */
  get keys() {
    return [...this.#keys];
  }

  has(key) {
    return this.#keys.has(key) !== this.#isAll;
  }

  /** How many, among so many in all; null where that is not known. */
  count(total) {
    if (!this.#isAll) return this.#keys.size;
    return total === null ? null : Math.max(0, total - this.#keys.size);
  }

  get isEmpty() {
    return !this.#isAll && this.#keys.size === 0;
  }

  set(keys, isOn) {
    for (const key of keys) {
      if (isOn !== this.#isAll) this.#keys.add(key);
      else this.#keys.delete(key);
    }
    this.#changed();
  }

  toggle(key) {
    this.set([key], !this.has(key));
  }

  all() {
    this.#keys.clear();
    this.#isAll = true;
    this.#changed();
  }

  none() {
    this.#keys.clear();
    this.#isAll = false;
    this.#changed();
  }
}
