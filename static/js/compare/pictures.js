/* Pictures that two models made, one over the other. */
import { make } from "../dom.js";
import { figure, plural } from "../format.js";
import { mediaUrl } from "../state/media.js";
import { TwoView } from "./two.js";

export class PictureView extends TwoView {
  #found = null;
  #at = 0;
  #numbers = make("select", "input input--select input--small");

  constructor(view, onTurn) {
    super(view, onTurn);
    this.element.classList.add("boxes--pictures");
    this.#numbers.setAttribute("aria-label", "Which picture");
    this.#numbers.addEventListener("change", () => {
      this.#at = Number(this.#numbers.value);
      this.redraw();
    });
    this.tools.append(this.#numbers);
  }

  hasOther(id) {
    return Boolean(this.#found.panes[id]);
  }

  show(found, panes) {
    this.#found = found;
    this.put(panes);
  }

  draw(one, other) {
    this.stage.replaceChildren();
    this.side.replaceChildren();
    if (!other) return;
    const { pictures, panes } = this.#found;
    const { pairs, counts } = panes[other.id];
    this.#at = Math.min(this.#at, Math.max(pairs.length - 1, 0));
    this.#numbers.hidden = pairs.length < 2;
    this.#numbers.replaceChildren(...pairs.map((_, number) => new Option(`Picture ${number + 1} of ${pairs.length}`, number)));
    this.#numbers.value = this.#at;
    const shown = [one, other].map((pane) => [pane, pictures[pane.id]?.[this.#at]]);
    const names = ["one", "other"];
    this.stage.append(...shown.map(([pane, picture], number) => layer(names[number], pane, picture)));
    const pair = pairs[this.#at];
    const facts = make("dl", "likeness");
    const tell = (name, words) => facts.append(make("div", "", make("dt", "muted", name), make("dd", "", words)));
    if (pair) {
      tell("SSIM", pair.ssim === null ? "–" : pair.ssim.toFixed(3));
      tell("Places that differ", pair.percent === undefined || pair.percent === null ? "–" : `${pair.percent.toFixed(1)}\u00a0%`);
      for (const [number, [width, height]] of (pair.sizes ?? []).entries()) tell([one, other][number].letter, `${figure(width)} × ${figure(height)} px`);
    }
    this.side.append(facts);
    const words = [
      pair?.words,
      counts[0] === counts[1] ? "" : `${one.letter} made ${plural(counts[0], "picture")}, ${other.letter} ${counts[1]}.`,
      this.mode === "Difference" ? "What is the same is black; differences are three times as bright as they are." : "",
      pair && pair.ssim !== null ? "SSIM is 1 where both have the same structure, about 0 where they have none in common." : "",
    ];
    for (const line of words.filter(Boolean)) this.side.append(make("p", "muted", line));
  }
}

function layer(name, { letter, number }, picture) {
  const tag = make("span", "boxes__label boxes__label--corner", letter);
  tag.style.setProperty("--hue", `var(--concept-${(number % 8) + 1})`);
  if (!picture) return make("div", `boxes__layer boxes__layer--${name}`, make("p", "muted", "No picture here."));
  const image = Object.assign(make("img", "boxes__made"), { src: mediaUrl(picture.media), alt: `The picture of ${letter}` });
  const holder = make("div", `boxes__layer boxes__layer--${name}`, image, tag);
  image.addEventListener("error", () => image.replaceWith(make("p", "muted", "This picture cannot be shown: it is damaged, or of a kind that this browser does not know.")));
  return holder;
}
