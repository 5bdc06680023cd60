/* Small ways to make nodes. Text enters by textContent alone. */

/** An element with classes and children; strings become text. */
export function make(tag, classes = "", ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function makeSvg(tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** A drawing of the sprite. */
export function icon(name, classes = "") {
  const svg = makeSvg("svg", { class: `icon ${classes}`, "aria-hidden": "true" });
  svg.append(makeSvg("use", { href: `${document.body.dataset.icons}#${name}` }));
  return svg;
}

/** A small button with a word. */
export function button(label, onClick, classes = "button--small") {
  const element = make("button", `button ${classes}`, label);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

/** A part that folds: its title, its body. */
export function fold(title, body, isOpen = false) {
  const details = make("details", "fold", make("summary", "", icon("chevron-right"), title), body);
  details.open = isOpen;
  return details;
}

export function csrfToken() {
  return JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
}
