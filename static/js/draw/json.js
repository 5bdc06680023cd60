/* JSON as a tree that folds; what is folded is not drawn until it is opened. */
import { button, make } from "../dom.js";
import { figure } from "../format.js";

const AT_ONCE = 100;
const OPEN_DEPTH = 2;
const LONG = 2000;

export function drawJson(value) {
  return make("div", "json", node(value, 0));
}

function node(value, depth) {
  if (value === null || typeof value !== "object") return leaf(value);
  if (typeof value.number === "string" && Object.keys(value).length === 1) return make("span", "json__number", value.number);
  const entries = Array.isArray(value) ? value.map((item, index) => [index, item]) : Object.entries(value);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (!entries.length) return make("span", "json__count", open + close);
  const count = make("span", "json__count", `${open}${figure(entries.length)}${close}`);
  const details = make("details", "", make("summary", "", count));
  const draw = () => details.append(list(entries, depth));
  if (depth < OPEN_DEPTH && entries.length <= AT_ONCE) {
    details.open = true;
    draw();
  } else details.addEventListener("toggle", draw, { once: true });
  return details;
}

function list(entries, depth) {
  const element = make("ul", "json__list");
  const add = (from) => {
    for (const [key, value] of entries.slice(from, from + AT_ONCE)) element.append(entry(key, value, depth));
    if (entries.length <= from + AT_ONCE) return;
    const rest = entries.length - from - AT_ONCE;
    const more = make("li", "", button(`${figure(rest)} more`, () => (more.remove(), add(from + AT_ONCE))));
    element.append(more);
  };
  add(0);
  return element;
}

function entry(key, value, depth) {
  const name = make("span", "json__key", `${key}: `);
  const child = node(value, depth + 1);
  if (child.tagName !== "DETAILS") return make("li", "", name, child);
  child.firstChild.prepend(name);
  return make("li", "", child);
}

function leaf(value) {
  if (typeof value === "string") return words(value);
  return make("span", typeof value === "number" ? "json__number" : "json__word", String(value));
}

function words(value) {
  if (value.length <= LONG) return make("span", "json__text", JSON.stringify(value));
  const text = make("span", "", JSON.stringify(value.slice(0, LONG)));
  const more = button(`${figure(value.length - LONG)} more characters`, () => {
    text.textContent = JSON.stringify(value.slice(0, LONG * 100));
    more.remove();
  });
  return make("span", "json__text", text, " ", more);
}
