/* The filter over an answer: threshold, top, concepts, and how much of the answer it shows. */
import { announce } from "../announce.js";
import { button, icon, make } from "../dom.js";
import { figure, plural, value as shown } from "../format.js";
import { isOn } from "../state/filter.js";
import { hueOf } from "./hue.js";

const LISTED = 200;
const SEARCHED = 8;
let bars = 0;

export class FilterBar {
  element = make("div", "filters");
  #filter;
  #onChange;
  #tally = null;
  #range = Object.assign(make("input", "slider__track"), { type: "range", min: 0, max: 1, step: 0.01 });
  #number = Object.assign(make("input", "input input--small"), { type: "number", min: 0, max: 1, step: 0.01 });
  #top = Object.assign(make("input", "input input--small"), { type: "number", min: 0, step: 1, placeholder: "All" });
  #concepts = make("button", "button button--small", make("span"), icon("chevron-down", "icon--small"));
  #menu = make("menu-popover", "menu filters__menu");
  #search = Object.assign(make("input", "input input--small"), { type: "search", placeholder: "Find a concept" });
  #list = make("div", "filters__list");
  #count = make("span", "filters__count");
  #reset = button("Show all", () => this.#change({ threshold: 0, top: 0, concepts: new Set() }), "button--small button--quiet");
  #said = 0;

  constructor(filter, onChange) {
    this.#filter = filter;
    this.#onChange = onChange;
    this.#build(`filter-${(bars += 1)}`);
    this.#write();
  }

  set tally(tally) {
    const isNew = String([...(this.#tally?.concepts.keys() ?? [])]) !== String([...tally.concepts.keys()]);
    this.#tally = tally;
    this.#count.textContent = `${figure(tally.shown)} of ${plural(tally.all, tally.word)}`;
    this.#concepts.hidden = tally.concepts.size < 2 && !this.#filter.concepts.size;
    if (isNew) this.#fillList();
  }

  #build(id) {
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Filter what is shown");
    const label = (text, input) => {
      input.id = `${id}-${text.toLowerCase()}`;
      return Object.assign(make("label", "filters__label", text), { htmlFor: input.id });
    };
    this.#range.setAttribute("aria-label", "Threshold slider");
    this.#search.setAttribute("aria-label", "Find a concept");
    Object.assign(this.#menu, { id: `${id}-menu`, popover: "auto" });
    this.#menu.setAttribute("aria-label", "Concepts");
    Object.assign(this.#concepts, { type: "button" });
    this.#concepts.setAttribute("popovertarget", this.#menu.id);
    this.#menu.append(this.#search, this.#list);
    this.element.append(
      make("span", "filters__part", label("Threshold", this.#number), this.#range, this.#number),
      make("span", "filters__part", label("Top", this.#top), this.#top),
      this.#concepts,
      this.#menu,
      this.#reset,
      this.#count,
    );
    this.#range.addEventListener("input", () => this.#change({ threshold: Number(this.#range.value) }));
    this.#number.addEventListener("input", () => this.#change({ threshold: within(this.#number.value, 1) }, this.#number));
    this.#top.addEventListener("input", () => this.#change({ top: Math.floor(within(this.#top.value, 1e6)) }, this.#top));
    this.#search.addEventListener("input", () => this.#fillList());
    this.#menu.addEventListener("toggle", (event) => event.newState === "open" && this.#fillList());
  }

  #change(changes, source = null) {
    this.#filter = { ...this.#filter, ...changes };
    this.#write(source);
    this.#onChange(this.#filter);
    clearTimeout(this.#said);
    this.#said = setTimeout(() => announce(this.#count.textContent), 700);
  }

  /** What stands in the controls; not in the one that is being typed in. */
  #write(source = null) {
    const { threshold, top, concepts } = this.#filter;
    this.#range.value = threshold;
    this.#range.style.setProperty("--fill", `${threshold * 100}%`);
    if (source !== this.#number) this.#number.value = threshold.toFixed(2);
    if (source !== this.#top) this.#top.value = top || "";
    this.#concepts.firstChild.textContent = concepts.size ? `${plural(concepts.size, "concept")}` : "All concepts";
    this.#reset.hidden = !isOn(this.#filter);
    for (const item of this.#list.children) item.ariaPressed = String(concepts.has(item.dataset.name));
  }

  #fillList() {
    if (!this.#tally || !this.#menu.matches(":popover-open")) return;
    const typed = this.#search.value.trim();
    const wanted = typed.toLowerCase();
    this.#list.dataset.foundFor = typed; // Enter takes the first one
    const all = [...this.#tally.concepts].sort(([, a], [, b]) => b.best - a.best);
    this.#search.hidden = all.length < SEARCHED;
    const found = all.filter(([name]) => name.toLowerCase().includes(wanted)).slice(0, LISTED);
    this.#list.replaceChildren(...found.map(([name, facts]) => this.#item(name, facts)));
    if (!found.length) this.#list.append(make("p", "muted", "No such concept."));
  }

  #item(name, { count, best, key }) {
    const swatch = make("span", "swatch");
    swatch.style.setProperty("--hue", hueOf(key));
    const meta = make("span", "filters__meta", count > 1 ? figure(count) : best < 0 ? "" : shown(best));
    const item = make("button", "menu__item filters__item", icon("check", "icon--small"), swatch, make("span", "truncate", name), meta);
    Object.assign(item, { type: "button", ariaPressed: String(this.#filter.concepts.has(name)) });
    item.dataset.name = name;
    item.addEventListener("click", () => {
      const concepts = new Set(this.#filter.concepts);
      if (!concepts.delete(name)) concepts.add(name);
      this.#change({ concepts });
    });
    return item;
  }
}

function within(text, most) {
  const number = Number.parseFloat(text);
  return number > 0 ? Math.min(number, most) : 0;
}
