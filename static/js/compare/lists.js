/* What differs where there is no picture to draw it over: concepts as pairs of bars, other values by their paths. */
import { make } from "../dom.js";
import { figure, value as shown } from "../format.js";

/** `panes`: {id, letter, number}; of each concept a bar for each pane, those most at odds first. */
export function drawConcepts({ rows, count }, panes) {
  if (!rows.length) return make("p", "muted", "No concepts above this threshold.");
  const list = make("ul", "pairs", ...rows.map((row) => pairs(row.name, row.values, panes)));
  return make("div", "compare__list", make("p", "muted", `${figure(count)} concepts, those most at odds first.${count > rows.length ? ` The first ${figure(rows.length)} stand here.` : ""}`), list);
}

/** A name, and a bar with its value for each pane. */
export function pairs(name, values, panes, words = "") {
  const head = make("div", "pairs__head", make("b", "", name), make("span", "muted", words));
  const bars = panes.map(({ id, letter, number }) => {
    const value = values[id] ?? null;
    const fill = make("span", "pairs__fill");
    fill.style.setProperty("inline-size", `${Math.min(Math.max(value ?? 0, 0), 1) * 100}%`);
    const bar = make("span", "pairs__bar", make("span", "pairs__letter", letter), make("span", "pairs__track", fill), make("span", "pairs__value", value === null && !(id in values) ? "–" : shown(value)));
    bar.style.setProperty("--hue", `var(--concept-${(number % 8) + 1})`);
    return bar;
  });
  return make("li", "pairs__item", head, ...bars);
}

/** A table of the places at which values differ. */
export function drawValues({ rows, same, more, is_cut: isCut }, panes) {
  const cut = isCut ? " A value has more than 20,000 places: the first of them are compared." : "";
  if (!rows.length) return make("p", "compare__list muted", `No difference: ${figure(same)} places are the same.${cut}`);
  const head = make("tr", "", cell("th", "Where"), ...panes.map(({ letter }) => cell("th", letter)));
  const body = rows.map((row) => make("tr", "", cell("th", row.path, "row"), ...panes.map(({ id }) => cell("td", row.values[id] ?? "–"))));
  const table = make("table", "compare__table", make("thead", "", head), make("tbody", "", ...body));
  const region = make("div", "compare__region", table);
  Object.assign(region, { tabIndex: 0, role: "group" });
  region.setAttribute("aria-label", "What differs");
  const words = `${figure(rows.length + more)} places differ, ${figure(same)} are the same.${more ? ` The first ${figure(rows.length)} stand here.` : ""}${cut}`;
  return make("div", "compare__list", make("p", "muted", words), region);
}

function cell(tag, words, scope = "col") {
  const made = make(tag, "", words);
  if (tag === "th") made.scope = scope;
  return made;
}
