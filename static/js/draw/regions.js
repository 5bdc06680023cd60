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
  const root = make("div", "regions");
  const stage = picture ? drawStage(kept, picture) : null;
  const list = drawList(kept, stage?.size);
  if (stage) root.append(stage.element);
  if (!regions.length) root.append(make("p", "value value--none", "Nothing found in this picture."));
  if (regions.length > DRAWN) root.append(make("p", "muted", `The strongest ${DRAWN} of ${figure(regions.length)}.`));
  root.append(list.element);
  link(kept, stage?.marks ?? [], list.marks);
  return root;
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
  image.src = picture.src;
  image.alt = `The picture asked about, with ${regions.length} marked regions`;
  const overlay = makeSvg("svg", { class: "stage__overlay", viewBox: "0 0 1 1", preserveAspectRatio: "none" });
  overlay.setAttribute("aria-hidden", "true");
  const labels = make("div", "stage__labels");
  labels.setAttribute("aria-hidden", "true");
  const marks = new Map();
  for (const region of [...regions].sort((a, b) => area(b) - area(a))) marks.set(region, drawMark(region, overlay, labels));
  const element = make("div", "stage", image, overlay, labels);
  return { element, marks: regions.map((region) => marks.get(region)), size: () => [image.naturalWidth, image.naturalHeight], image };
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

function drawList(regions, sizeOf) {
  const element = make("ul", "regions__list");
  const marks = regions.map((region) => {
    const swatch = make("span", "swatch");
    swatch.style.setProperty("--hue", region.hue);
    const size = make("span", "regions__size");
    const item = make("li", "regions__item", swatch, make("span", "regions__name", region.name), size, make("b", "regions__value", shown(region.value)));
    item.tabIndex = 0;
    element.append(item);
    return { item, size };
  });
  const fill = () => regions.forEach((region, index) => (marks[index].size.textContent = sizeWords(region, sizeOf?.())));
  fill();
  requestAnimationFrame(() => setTimeout(fill, 300));
  return { element, marks };
}

function sizeWords({ box }, size) {
  if (!box) return "";
  const [width, height] = size ?? [0, 0];
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
