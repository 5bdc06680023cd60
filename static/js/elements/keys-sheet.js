/* The sheet of keys: in a dialog over any page, with the switch for those without Ctrl. */
import { announce } from "../announce.js";
import { icon, make } from "../dom.js";
import { areLettersOn, setLetters } from "../state/letters.js";

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

class KeysSheet extends HTMLElement {
  connectedCallback() {
    const label = this.querySelector("[data-letters]");
    const input = label.querySelector("input");
    label.hidden = false;
    input.checked = areLettersOn();
    input.addEventListener("change", () => {
      setLetters(input.checked);
      announce(input.checked ? "Single letters are on." : "Single letters are off.");
    });
    if (!isApple) return;
    for (const key of this.querySelectorAll('[data-key="Ctrl"]')) key.textContent = "⌘";
  }
}

customElements.define("keys-sheet", KeysSheet);

export async function openKeys() {
  const { keysUrl, keysCss } = document.querySelector("[data-keys]").dataset;
  const there = document.querySelector("[data-keys-dialog]");
  if (there?.open) return;
  const dialog = there ?? (await makeDialog(keysUrl, keysCss));
  dialog.showModal();
}

async function makeDialog(url, css) {
  const [answer] = await Promise.all([fetch(url, { headers: { "HX-Request": "true" } }), loadStyle(css)]);
  if (!answer.ok || answer.redirected) return location.assign(url);
  const title = make("h2", "", "Keys");
  title.id = "keys-title";
  const close = make("button", "button button--quiet button--icon", icon("close"));
  Object.assign(close, { type: "button", title: "Close" });
  close.setAttribute("aria-label", "Close");
  const body = make("div", "dialog__body");
  body.innerHTML = await answer.text();
  const dialog = make("dialog", "dialog", make("div", "dialog__head", title, close), body);
  dialog.dataset.keysDialog = "";
  dialog.style.setProperty("--dialog-width", "50rem");
  dialog.setAttribute("aria-labelledby", title.id);
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  return dialog;
}

/** Its sheet of styles, which no page needs before. */
function loadStyle(href) {
  return new Promise((resolve) => {
    const link = make("link");
    Object.assign(link, { rel: "stylesheet", href, onload: resolve, onerror: resolve });
    document.head.append(link);
  });
}
