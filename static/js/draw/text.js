/* Text that grows: appended to the last of a row of blocks, never drawn again. Blocks that are done are skipped while
   out of view, so a very long answer scrolls smoothly; small blocks keep what must be laid out again small. */
import { make } from "../dom.js";

const BLOCK_LIMIT = 1200;
const MOST = 300_000;
const AT_ONCE = 12_000; // what is measured grows dear with its length

/** A text that is there as a whole. */
export function drawText(text) {
  const flow = new TextFlow();
  flow.append(text);
  flow.element.plainText = text;
  return flow.element;
}

export class TextFlow {
  element = make("div", "answer");
  #block = null;
  #node = null;
  #length = 0;
  #waiting = "";
  #frame = 0;
  #isCut = false;

  constructor() {
    this.#newBlock("");
  }

  append(text) {
    if (this.#length >= MOST) return;
    this.#waiting += text.slice(0, MOST - this.#length);
    this.#length += text.length;
    if (!this.#frame) this.#take();
  }

  /** A little in each frame, so that a long text that comes at once holds nothing up. */
  #take = () => {
    this.#node.appendData(this.#waiting.slice(0, AT_ONCE));
    this.#waiting = this.#waiting.slice(AT_ONCE);
    if (this.#node.length >= BLOCK_LIMIT) this.#split();
    this.#frame = this.#waiting ? requestAnimationFrame(this.#take) : 0;
    if (this.#frame || this.#length <= MOST || this.#isCut) return;
    this.#isCut = true;
    this.element.append(make("p", "muted", "Here the first 300,000 characters end. Copy and Download give all."));
  };

  set isStreaming(value) {
    this.element.classList.toggle("answer--streaming", value);
  }

  #newBlock(text) {
    this.#node = document.createTextNode(text);
    this.#block = make("div", "answer__block", this.#node);
    this.element.append(this.#block);
  }

  /** Settle what stands in blocks that end where a line ends anyway; the rest goes on in a new one. All is measured
      before anything is moved: one layout, however much came at once. */
  #split() {
    const text = this.#node.data;
    const cuts = cutsOf(this.#node);
    if (!cuts.length) return;
    const settled = [];
    let from = 0;
    for (const at of cuts) {
      this.#node.data = text.slice(from, text[at - 1] === "\n" && at - 1 > from ? at - 1 : at);
      settled.push(this.#block);
      this.#newBlock("");
      from = at;
    }
    this.#node.data = text.slice(from);
    const heights = settled.map((block) => block.getBoundingClientRect().height);
    settled.forEach((block, index) => {
      block.style.setProperty("contain-intrinsic-block-size", `auto ${Math.ceil(heights[index])}px`);
      block.classList.add("answer__block--settled");
    });
  }
}

/** Where a long text may be cut: behind newlines, or where lines begin on screen; none while it is not on screen. */
function cutsOf(node) {
  const text = node.data;
  const cuts = [];
  let from = 0;
  while (text.length - from >= BLOCK_LIMIT) {
    const newline = text.lastIndexOf("\n", from + BLOCK_LIMIT - 1);
    const isNear = newline > from + BLOCK_LIMIT / 4;
    const at = isNear ? newline + 1 : lineStart(node, Math.min(from + BLOCK_LIMIT, text.length - 1), from);
    if (at <= from) break;
    cuts.push(at);
    from = at;
  }
  return cuts;
}

/** Where the line begins that a character stands on; `floor` when there is no telling. */
function lineStart(node, index, floor) {
  const range = document.createRange();
  const bottomAt = (place) => {
    range.setStart(node, place);
    range.setEnd(node, place + 1);
    return range.getBoundingClientRect().bottom;
  };
  const bottom = bottomAt(index);
  if (!bottom) return floor;
  let [low, high] = [floor, index];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bottom - bottomAt(middle) < 4) high = middle;
    else low = middle + 1;
  }
  return low;
}
