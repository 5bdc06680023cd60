/* A text word by word: what is only here, what only the reference has. In blocks that tell where in the reference they
   begin, so that panes can stay side by side; a long one is drawn a few at a time, so that the page stays quick. */
import { make } from "../dom.js";

const KINDS = { "+": ["ins", "diff diff--new"], "-": ["del", "diff diff--gone"] };
const LEAST = 400;
const MOST = 4000;
const BUDGET_MS = 8;
const IN_A_LINE = 65;

export function drawWords({ parts, is_cut: isCut }) {
  const text = make("div", "answer answer--diff");
  const blocks = blocksOf(parts);
  let next = 0;
  const draw = () => {
    if (next && !text.isConnected) return;
    const began = performance.now();
    do {
      const block = blocks[next];
      if (block) text.append(drawBlock(block));
      next += 1;
    } while (next < blocks.length && performance.now() - began < BUDGET_MS);
    if (next < blocks.length) requestAnimationFrame(draw);
    else if (isCut) text.append(make("p", "muted", "The texts are longer: the first 25,000 words of each are compared."));
  };
  draw();
  return text;
}

/** Parts of a few paragraphs each, with how far into the reference they begin. */
function blocksOf(parts) {
  const blocks = [];
  let block = { at: 0, parts: [] };
  let [at, length] = [0, 0];
  const close = () => {
    blocks.push(block);
    block = { at, parts: [] };
    length = 0;
  };
  for (const [kind, words] of parts) {
    let rest = words;
    while (rest) {
      const end = endOf(rest, length);
      const piece = rest.slice(0, end);
      block.parts.push([kind, piece]);
      length += piece.length;
      if (kind !== "+") at += piece.length;
      rest = rest.slice(end);
      if (length >= LEAST && piece.endsWith("\n") || length >= MOST) close();
    }
  }
  if (block.parts.length) close();
  return blocks;
}

/** How much of a text still belongs to a block that has `length` already: up to an end of a line, or of a sentence. */
function endOf(words, length) {
  const line = words.indexOf("\n", Math.max(LEAST - length - 1, 0));
  if (line >= 0 && line + length < MOST) return line + 1;
  if (words.length + length < MOST) return words.length;
  const sentence = /[.!?]\s+|\s+/.exec(words.slice(Math.max(MOST - length, 0)));
  return sentence ? Math.max(MOST - length, 0) + sentence.index + sentence[0].length : words.length;
}

function drawBlock({ at, parts }) {
  const block = make("div", "answer__block");
  block.dataset.at = at;
  block.style.setProperty("--lines", Math.ceil(parts.reduce((sum, [, words]) => sum + words.length, 0) / IN_A_LINE));
  for (const [kind, words] of parts) {
    if (!(kind in KINDS)) {
      block.append(words);
      continue;
    }
    // The white space before a changed word is neither here nor there.
    const space = /^\s*/.exec(words)[0];
    const [tag, classes] = KINDS[kind];
    if (space) block.append(space);
    if (words.length > space.length) block.append(make(tag, classes, words.slice(space.length)));
  }
  return block;
}
