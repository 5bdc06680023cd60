/* Regions as boxes over their picture, and as a list: what is under the pointer in one is marked in the other. */
import { make, makeSvg } from "../dom.js";
import { figure, value as shown } from "../format.js";
import { hueOf } from "./hue.js";

const DRAWN = 500;

/** `picture` is {src} of what was asked about, or null. */
export function drawRegions(entries, picture) {
  const regions = entries.map((entry) => describe(entry.region ?? entry)).sort((a, b) => b.value - a.value);
  if (!regions.length && !picture) return make("p", "value value--none", "No regions.");
  const kept = regions.slice(0, DRAWN);
  const stage = picture ? drawStage(kept, picture) : null;
  const list = drawList(kept);
  const side = make("div", "regions__side");
  if (!regions.length) side.append(make("p", "value value--none", "Nothing found in this picture."));
  if (regions.length > DRAWN) side.append(make("p", "muted", `The strongest ${DRAWN} of ${figure(regions.length)}.`));
  side.append(list.element);
  link(kept, stage?.marks ?? [], list.marks);
  if (stage) whenSeen(stage, (size) => list.sizes.forEach((write) => write(size)), side);
  return stage ? make("div", "regions", stage.element, side) : side;
}

/** Sizes in pixels once the picture is there; in its place a word where it cannot be had. */
function whenSeen({ element, image }, tell, side) {
  const loaded = () => tell([image.naturalWidth, image.naturalHeight]);
  if (image.complete && image.naturalWidth) loaded();
  image.addEventListener("load", loaded, { once: true });
  image.addEventListener("error", () => {
    element.remove();
    side.prepend(make("p", "muted", "The picture cannot be shown here. What was found in it:"));
  });
}

function describe(region) {
  const best = [...(region.concepts ?? [])].map((c) => c.concept ?? c).sort((a, b) => b.value - a.value)[0];
  const name = best?.name || best?.id || region.text || region.id || "region";
  return { ...region, name, value: best?.value ?? region.value ?? 0, hue: hueOf(best?.id || best?.name || name) };
}

function area({ box }) {
  return box ? (box[2] - box[0]) * (box[3] - box[1]) : 0;
}

function drawStage(regions, picture) {
  const image = make("img", "stage__picture");
  image.referrerPolicy = "no-referrer";
  image.src = picture.src;
  image.alt = `The picture asked about, with ${regions.length} marked regions`;
  const overlay = makeSvg("svg", { class: "stage__overlay", viewBox: "0 0 1 1", preserveAspectRatio: "none" });
  overlay.setAttribute("aria-hidden", "true");
  const labels = make("div", "stage__labels");
  labels.setAttribute("aria-hidden", "true");
  const marks = new Map();
  for (const region of [...regions].sort((a, b) => area(b) - area(a))) marks.set(region, drawMark(region, overlay, labels));
  const element = make("div", "stage", image, overlay, labels);
  return { element, image, marks: regions.map((region) => marks.get(region)) };
}

function drawMark(region, overlay, labels) {
  const shapes = shapesOf(region);
  overlay.append(...shapes.map((shape) => shape.under).filter(Boolean), ...shapes.map((shape) => shape.over));
  const [x, y, x2] = region.box ?? [region.point?.[0] ?? 0, region.point?.[1] ?? 0, 1];
  const label = make("span", "box__label", `${region.name} ${shown(region.value)}`);
  const isAtEnd = x > 0.7;
  label.classList.toggle("box__label--inside", y < 0.06);
  label.classList.toggle("box__label--end", isAtEnd);
  label.style.setProperty("--x", isAtEnd ? Math.min(x2, 1) : Math.max(x, 0));
  label.style.setProperty("--y", Math.max(y, 0));
  label.style.setProperty("--hue", region.hue);
  labels.append(label);
  return { over: shapes.map((shape) => shape.over), label };
}

function shapesOf(region) {
  if (region.box) {
    const [x, y, x2, y2] = region.box;
    const place = { x, y, width: Math.max(x2 - x, 0), height: Math.max(y2 - y, 0) };
    const over = makeSvg("rect", { class: "box box--model", ...place });
    over.style.setProperty("--hue", region.hue);
    return [{ under: makeSvg("rect", { class: "box box--under", ...place }), over }];
  }
  if (region.point) {
    const over = makeSvg("circle", { class: "box box--point", cx: region.point[0], cy: region.point[1], r: 0.008 });
    over.style.setProperty("--hue", region.hue);
    return [{ under: null, over }];
  }
  return [];
}

function drawList(regions) {
  const element = make("ul", "regions__list");
  const marks = regions.map((region) => {
    const swatch = make("span", "swatch");
    swatch.style.setProperty("--hue", region.hue);
    const size = make("span", "regions__size");
    const item = make("li", "regions__item", swatch, make("span", "regions__name", region.name), size, make("b", "regions__value", shown(region.value)));
    item.tabIndex = 0;
    element.append(item);
    const write = (sizes) => (size.textContent = sizeWords(region, sizes));
    write();
    return { item, write };
  });
  return { element, marks, sizes: marks.map(({ write }) => write) };
}

function sizeWords({ box }, [width, height] = [0, 0]) {
  if (!box) return "";
  if (!width) return `${Math.round((box[2] - box[0]) * 100)} × ${Math.round((box[3] - box[1]) * 100)} %`;
  return `${Math.round((box[2] - box[0]) * width)} × ${Math.round((box[3] - box[1]) * height)} px`;
}

/** Pointer or focus on one side marks both. */
function link(regions, stageMarks, listMarks) {
  regions.forEach((_, index) => {
    const { over = [], label } = stageMarks[index] ?? {};
    const { item } = listMarks[index];
    const set = (isHot) => {
      for (const shape of over) shape.classList.toggle("box--hot", isHot);
      item.classList.toggle("regions__item--hot", isHot);
      if (isHot && label) label.parentElement.append(label);
    };
    for (const target of [item, ...over]) {
      target.addEventListener("pointerenter", () => set(true));
      target.addEventListener("pointerleave", () => set(false));
    }
    item.addEventListener("focus", () => set(true));
    item.addEventListener("blur", () => set(false));
  });
}
