/* Text that grows: appended to the last of a row of blocks, never drawn again. Blocks that are done are skipped while
   out of view, so a very long answer scrolls smoothly. */
import { make } from "../dom.js";

const NODE_LIMIT = 1024;
const BLOCK_LIMIT = 1200;

export class TextFlow {
  element = make("div", "answer");
  #block = null;
  #node = null;

  constructor() {
    this.#newBlock();
  }

  append(text) {
    let rest = text;
    while (rest) {
      const room = NODE_LIMIT - this.#node.length;
      const piece = rest.slice(0, Math.max(room, 1));
      this.#node.appendData(piece);
      rest = rest.slice(piece.length);
      if (this.#node.length >= NODE_LIMIT) this.#newNode();
      if (this.#size >= BLOCK_LIMIT) this.#split();
    }
  }

  set isStreaming(value) {
    this.element.classList.toggle("answer--streaming", value);
  }

  get #size() {
    return this.#block.textContent.length;
  }

  #newNode() {
    this.#node = document.createTextNode("");
    this.#block.append(this.#node);
  }

  #newBlock() {
    this.#block = make("div", "answer__block");
    this.element.append(this.#block);
    this.#newNode();
  }

  /** Settle what stands and go on in a new block, broken where a line is broken anyway. */
  #split() {
    const settled = this.#block;
    const text = settled.textContent;
    const newline = text.lastIndexOf("\n");
    const at = newline > BLOCK_LIMIT / 4 ? newline + 1 : this.#lastLineStart(settled, text);
    if (!at) return;
    const isNewline = text[at - 1] === "\n";
    settled.textContent = isNewline ? text.slice(0, at - 1) : text.slice(0, at);
    this.#newBlock();
    this.#node.appendData(text.slice(at));
    if (isNewline && at - 1 === 0) settled.textContent = "\n";
    const { height } = settled.getBoundingClientRect();
    settled.style.setProperty("contain-intrinsic-block-size", `auto ${Math.ceil(height)}px`);
    settled.classList.add("answer__block--settled");
  }

  /** Where the last line on screen begins, so that a block's end is no new break; 0 when it is not on screen. */
  #lastLineStart(block, text) {
    const range = document.createRange();
    const topAt = (index) => {
      const [node, offset] = locate(block, index);
      range.setStart(node, offset);
      range.setEnd(node, Math.min(offset + 1, node.length));
      return range.getBoundingClientRect().bottom;
    };
    const bottom = topAt(text.length - 1);
    if (!bottom) return 0;
    let [low, high] = [0, text.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bottom - topAt(middle) < 4) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The text node and offset of a character of a block. */
function locate(block, index) {
  let rest = index;
  for (const node of block.childNodes) {
    if (rest < node.length) return [node, rest];
    rest -= node.length;
  }
  return [block.lastChild, Math.max(block.lastChild.length - 1, 0)];
}
