/* Masks over a picture: white (or opaque) is inside, tinted with the concept's colour. One canvas for all of them. */
import { make } from "../dom.js";
import { hueName } from "./hue.js";

const LONGEST = 480;
export const MASKS = 24;

export class MaskLayer {
  element = make("canvas", "stage__masks");
  #layers = [];
  #turn = 0;

  /** Draw the masks of regions; `ratio` is the picture's width by its height. Gives where each begins: [x, y] or null. */
  async show(regions, ratio, mediaUrl) {
    const turn = (this.#turn += 1);
    const masked = regions.filter((region) => region.mask).slice(0, MASKS);
    const size = ratio > 1 ? [LONGEST, Math.round(LONGEST / ratio)] : [Math.round(LONGEST * ratio), LONGEST];
    const layers = await Promise.all(masked.map((region) => makeLayer(region, size, ratio, mediaUrl)));
    if (turn !== this.#turn) return;
    [this.element.width, this.element.height] = size;
    this.#layers = layers.filter(Boolean);
    this.paint(null);
    return new Map(this.#layers.map(({ region, start }) => [region, start]));
  }

  paint(hot) {
    const context = this.element.getContext("2d");
    context.clearRect(0, 0, this.element.width, this.element.height);
    for (const { region, canvas } of this.#layers) {
      context.globalAlpha = region === hot ? 0.75 : hot ? 0.25 : 0.5;
      context.drawImage(canvas, 0, 0);
    }
  }

  /** The region whose mask covers a place (0 to 1), the last drawn first. */
  at(x, y) {
    const covers = ({ canvas }) =>
      canvas.getContext("2d").getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data[3] > 127;
    return x < 0 || y < 0 || x >= 1 || y >= 1 ? null : (this.#layers.findLast(covers)?.region ?? null);
  }
}

async function makeLayer(region, [width, height], ratio, mediaUrl) {
  const image = new Image();
  image.src = mediaUrl(region.mask);
  try {
    await image.decode();
  } catch {
    return null;
  }
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, ...placeOf(image, region, ratio, width, height));
  const pixels = context.getImageData(0, 0, width, height);
  const start = toAlpha(pixels);
  context.putImageData(pixels, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(hueName(region.key)).trim() || "orange";
  context.fillRect(0, 0, width, height);
  return { region, canvas, start };
}

/** A mask covers the whole picture, or only its region's box: whichever its own proportions fit. */
function placeOf(image, { box }, ratio, width, height) {
  const own = Math.log(image.naturalWidth / image.naturalHeight || 1);
  if (!box) return [0, 0, width, height];
  const boxed = Math.log(((box[2] - box[0]) * ratio) / (box[3] - box[1]));
  if (Math.abs(own - Math.log(ratio)) <= Math.abs(own - boxed) + 0.01) return [0, 0, width, height];
  return [box[0] * width, box[1] * height, (box[2] - box[0]) * width, (box[3] - box[1]) * height];
}

/** How light each pixel is becomes how opaque it is; masks of 0 and 1 count too. Gives where the mask begins. */
function toAlpha({ data, width, height }) {
  let [isClear, most] = [false, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 250) isClear = true;
    if (data[i + 3]) most = Math.max(most, data[i], data[i + 1], data[i + 2]);
  }
  const isShape = isClear && most < 8; // black on nothing: its opacity is the mask
  const gain = most && most < 32 ? 255 / most : 1;
  let start = null;
  for (let i = 0; i < data.length; i += 4) {
    const light = Math.max(data[i], data[i + 1], data[i + 2]) * gain;
    data[i + 3] = isShape ? data[i + 3] : (Math.min(light, 255) * data[i + 3]) / 255;
    if (!start && data[i + 3] > 127) start = [((i / 4) % width) / width, Math.floor(i / 4 / width) / height];
  }
  return start;
}
