/* Concepts as bars, the largest value first. */
import { fold, make } from "../dom.js";
import { figure, value as shown } from "../format.js";
import { hueOf } from "./hue.js";

const FIRST = 20;

export function drawConcepts(concepts) {
  if (!concepts.length) return make("p", "value value--none", "No concepts.");
  const sorted = concepts.map((entry) => entry.concept ?? entry).sort((a, b) => b.value - a.value);
  const root = make("div", "stack", bars(sorted.slice(0, FIRST)));
  if (sorted.length > FIRST) {
    const more = fold(`${figure(sorted.length - FIRST)} more, below ${shown(sorted[FIRST - 1].value)}`, "");
    more.addEventListener("toggle", () => more.append(bars(sorted.slice(FIRST, 2000))), { once: true });
    root.append(more);
  }
  return root;
}

function bars(concepts) {
  const list = make("ul", "bars");
  for (const concept of concepts) list.append(bar(concept));
  return list;
}

function bar({ id, name, value }) {
  const fill = make("div", "bar__fill");
  const share = Math.min(Math.max(Number(value) || 0, 0), 1);
  fill.style.setProperty("inline-size", `${share * 100}%`);
  const swatch = make("span", "swatch");
  const item = make(
    "li",
    "bar",
    swatch,
    make("span", "bar__name", name || id),
    make("span", "bar__value", shown(value)),
    make("div", "bar__track", fill),
  );
  item.style.setProperty("--hue", hueOf(id || name || ""));
  swatch.style.setProperty("--hue", hueOf(id || name || ""));
  return item;
}
