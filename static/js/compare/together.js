/* Panes that scroll together: by the place in the reference where their blocks tell it, else by their share. */
const AT_END = 2;
const LEADING = ["wheel", "touchstart", "pointerdown", "keydown"];

export class Together {
  isOn = true;
  #root;
  #leader = null;

  constructor(root) {
    this.#root = root;
    for (const name of LEADING) root.addEventListener(name, this.#taken, { capture: true, passive: true });
    root.addEventListener("scroll", this.#scrolled, { capture: true, passive: true });
  }

  /** The one that somebody moves leads; what moves by itself, as its text comes, does not. */
  #taken = ({ target }) => {
    this.#leader = target.closest?.("[data-body]") ?? this.#leader;
  };

  #scrolled = ({ target }) => {
    if (!this.isOn || target !== this.#leader) return;
    for (const body of this.#root.querySelectorAll("[data-body]")) if (body !== target) this.#lead(body, target);
  };

  #lead(body, target) {
    const room = body.scrollHeight - body.clientHeight;
    if (room <= 0) return;
    const whole = target.scrollHeight - target.clientHeight;
    let top = whole > 0 ? target.scrollTop / whole * room : 0;
    if (target.scrollTop > AT_END && target.scrollTop < whole - AT_END) top = placeIn(body, placeOf(target)) ?? top;
    body.scrollTop = top;
  }
}

const blocksOf = (body) => [...body.querySelectorAll("[data-diff]:not([hidden]) [data-at]")];
const topOf = (block, body) => block.getBoundingClientRect().top - body.getBoundingClientRect().top + body.scrollTop;

/** How far into the reference the upper edge is; null where nothing tells. */
function placeOf(body) {
  const blocks = blocksOf(body);
  const number = blocks.findLastIndex((block) => topOf(block, body) <= body.scrollTop + 1);
  if (number < 0) return null;
  const block = blocks[number];
  const [at, end] = [Number(block.dataset.at), Number(blocks[number + 1]?.dataset.at ?? NaN)];
  const share = (body.scrollTop - topOf(block, body)) / (block.offsetHeight || 1);
  return Number.isNaN(end) ? null : at + (end - at) * Math.min(share, 1);
}

/** Where that place is in another pane. */
function placeIn(body, place) {
  if (place === null) return null;
  const blocks = blocksOf(body);
  const number = blocks.findLastIndex((block) => Number(block.dataset.at) <= place);
  if (number < 0 || number === blocks.length - 1) return null;
  const [at, end] = [blocks[number], blocks[number + 1]].map((block) => Number(block.dataset.at));
  return topOf(blocks[number], body) + blocks[number].offsetHeight * (end > at ? (place - at) / (end - at) : 0);
}
