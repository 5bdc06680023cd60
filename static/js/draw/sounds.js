/* Pieces of sound, as they come: played one after another, and joined into one when all are there and of one kind. */
import { button, fold, make } from "../dom.js";
import { plural } from "../format.js";
import { drawMedia } from "./media.js";

export function drawSounds(pieces, shape, context) {
  const root = make("div", "stack sounds");
  const player = new Audio();
  const press = button("Play as it comes", () => (at < 0 ? play(0) : halt()));
  const words = make("span", "muted");
  const row = make("div", "sounds__row", press, words);
  const list = make("ol", "stack");
  let [known, at, isWaiting] = [[], -1, false];
  const play = (next) => {
    at = next;
    isWaiting = next >= known.length;
    press.textContent = "Stop";
    if (isWaiting) return;
    player.src = context.mediaUrl(known[next].media);
    player.play().catch(halt);
  };
  function halt() {
    player.pause();
    at = -1;
    press.textContent = "Play as it comes";
  }
  player.addEventListener("ended", () => (at + 1 < known.length || !root.isWhole ? play(at + 1) : halt()));
  root.redraw = (next, isWhole = false) => {
    for (const piece of next.slice(known.length)) list.append(make("li", "", drawMedia(piece, shape, context)));
    known = next.filter((piece) => piece?.media);
    words.textContent = plural(known.length, "piece");
    root.isWhole = isWhole;
    if (at >= 0 && isWaiting) isWhole && at >= known.length ? halt() : play(at);
    if (isWhole) join(known, context).then((whole) => {
      if (!whole) return;
      root.saved = { href: whole.src, name: `${context.name}.wav` };
      if (at < 0) row.replaceWith(whole);
    });
  };
  root.append(row, fold("Each piece", list));
  root.redraw(pieces, context.isWhole);
  return root;
}

/** One player for all, where each piece is a WAV of the same kind; else null. */
async function join(pieces, context) {
  const files = await Promise.all(pieces.map(async ({ media }) => readWav(await (await fetch(context.mediaUrl(media))).arrayBuffer())));
  if (!files.length || files.some((file) => !file || file.kind !== files[0].kind)) return null;
  const size = files.reduce((sum, { data }) => sum + data.byteLength, 0);
  const head = new DataView(new ArrayBuffer(28 + files[0].format.byteLength));
  const mark = (place, text) => [...text].forEach((letter, i) => head.setUint8(place + i, letter.charCodeAt(0)));
  const inner = files[0].format.byteLength;
  mark(0, "RIFF");
  head.setUint32(4, 20 + inner + size, true);
  mark(8, "WAVEfmt ");
  head.setUint32(16, inner, true);
  new Uint8Array(head.buffer).set(files[0].format, 20);
  mark(20 + inner, "data");
  head.setUint32(24 + inner, size, true);
  const address = URL.createObjectURL(new Blob([head, ...files.map(({ data }) => data)], { type: "audio/wav" }));
  const player = Object.assign(make("audio", "media__sound"), { src: address, controls: true });
  player.setAttribute("aria-label", "The whole sound");
  return player;
}

function readWav(buffer) {
  const view = new DataView(buffer);
  const found = {};
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const size = Math.min(view.getUint32(at + 4, true), view.byteLength - at - 8);
    found[view.getUint32(at)] = new Uint8Array(buffer, at + 8, size);
    at += 8 + size + (size % 2);
  }
  const [format, data] = [found[0x666d7420], found[0x64617461]];
  return view.byteLength > 12 && view.getUint32(0) === 0x52494646 && format && data ? { format, data, kind: String(format) } : null;
}
