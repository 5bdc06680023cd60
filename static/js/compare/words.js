/* A text word by word: what is only here, what only the reference has. */
import { make } from "../dom.js";

const KINDS = { "+": ["ins", "diff diff--new"], "-": ["del", "diff diff--gone"] };
const MOST = 20_000;

export function drawWords({ parts, is_cut: isCut }) {
  const text = make("div", "answer answer--diff");
  for (const [kind, words] of parts.slice(0, MOST)) {
    if (!(kind in KINDS)) {
      text.append(words);
      continue;
    }
    // The white space before a changed word is neither here nor there.
    const space = /^\s*/.exec(words)[0];
    const [tag, classes] = KINDS[kind];
    text.append(space, make(tag, classes, words.slice(space.length)));
  }
  if (isCut || parts.length > MOST) text.append(make("p", "muted", "The first 25,000 words of each are compared."));
  return text;
}
