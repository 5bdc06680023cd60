/* The film strip: what stands around the input in the manager's order, each a link. One tab stop for each is enough. */
import { icon, make } from "../dom.js";

const ICONS = { text: "file", audio: "sound", video: "film", image: "image" };

export class Strip {
  #element;
  #onGo;

  constructor(element, onGo) {
    this.#element = element;
    this.#onGo = onGo;
    element.addEventListener("click", this.#clicked);
  }

  show(entries, address) {
    const known = new Map([...this.#element.children].map((link) => [link.getAttribute("href"), link]));
    const hadFocus = this.#element.contains(document.activeElement);
    const links = entries.map((entry) => known.get(entry.url) ?? makeLink(entry));
    for (const link of links) {
      if (link.getAttribute("href") === address) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.#element.replaceChildren(...links);
    this.#element.parentElement.hidden = entries.length < 2;
    const current = this.#element.querySelector("[aria-current]");
    if (!current) return;
    const { offsetLeft, offsetWidth } = current;
    this.#element.scrollLeft = offsetLeft + offsetWidth / 2 - this.#element.clientWidth / 2;
    if (hadFocus) current.focus({ preventScroll: true });
  }

  #clicked = (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#onGo(link.getAttribute("href"));
  };
}

function makeLink({ url, name, kind, thumbnail }) {
  const link = make("a", "film__item");
  Object.assign(link, { href: url, title: name, ariaLabel: name });
  const picture = thumbnail ? Object.assign(make("img"), { src: thumbnail, alt: "", loading: "lazy", draggable: false }) : null;
  picture?.addEventListener("error", () => picture.replaceWith(icon(ICONS[kind])));
  link.append(picture ?? icon(ICONS[kind] ?? "file"));
  return link;
}
