/* Concepts as bars, the largest value first. */
import { fold, make } from "../dom.js";
import { figure, value as shown } from "../format.js";
import { readConcept } from "../state/plain.js";
import { hueOf } from "./hue.js";

const FIRST = 20;
const MOST = 2000;

export function drawConcepts(entries) {
  const root = make("div", "stack");
  root.redraw = (next) => root.replaceChildren(...partsOf(next.map(readConcept).sort((a, b) => (b.value ?? -1) - (a.value ?? -1))));
  root.redraw(entries);
  return root;
}

function partsOf(sorted) {
  if (!sorted.length) return [make("p", "value value--none", "No concepts.")];
  if (sorted.length <= FIRST) return [bars(sorted)];
  const more = fold(`${figure(sorted.length - FIRST)} more, below ${shown(sorted[FIRST - 1].value)}`, "");
  more.addEventListener("toggle", () => {
    more.append(bars(sorted.slice(FIRST, MOST)));
    if (sorted.length > MOST) more.append(make("p", "muted", `${figure(sorted.length - MOST)} more stand in Raw.`));
  }, { once: true });
  return [bars(sorted.slice(0, FIRST)), more];
}

function bars(concepts) {
  return make("ul", "bars", ...concepts.map(bar));
}

function bar({ id, name, value }) {
  const fill = make("div", "bar__fill");
  fill.style.setProperty("inline-size", `${Math.min(Math.max(value ?? 0, 0), 1) * 100}%`);
  const swatch = make("span", "swatch");
  const text = make("span", "bar__name", name);
  text.title = name;
  const item = make("li", "bar", swatch, text, make("span", "bar__value", shown(value)), make("div", "bar__track", fill));
  for (const part of [item, swatch]) part.style.setProperty("--hue", hueOf(id || name));
  return item;
}
