/* Markdown once a text is done: the server formats it, and what it sends is drawn in place of the plain text. */
import { csrfToken, icon, make } from "../dom.js";
import { announce } from "../announce.js";
import { copyText } from "../elements/copy-button.js";

const LONGEST = 40_000;
// A heading, list, quote, table, fence; or code, bold, a link within a line.
const MARKS = /^ {0,3}(#{1,6} |[-*+] |\d+[.)] |> |```|~~~|\|.*\|)|`[^`\n]+`|\*\*[^\s*]|\[[^\]\n]+\]\(\S/m;

export function looksFormatted(text) {
  return text.length <= LONGEST && MARKS.test(text);
}

/** The text as formatted by the server, or null where that did not work: it stays readable as it is. */
export async function drawMarkdown(text, address) {
  const asked = { method: "POST", body: text, headers: { "X-CSRFToken": csrfToken(), "Content-Type": "text/plain" }, redirect: "error" };
  const answer = await fetch(address, asked).catch(() => null);
  if (!answer?.ok) return null;
  const element = make("div", "prose answer");
  element.innerHTML = await answer.text(); // sanitised where it was made
  for (const block of element.querySelectorAll("pre")) block.before(codeHead(block));
  return element;
}

function codeHead(block) {
  const language = /language-(\w+)/.exec(block.firstElementChild?.className ?? "")?.[1] ?? "";
  const copy = make("button", "button button--quiet button--small", icon("copy", "icon--small"), "Copy");
  Object.assign(copy, { type: "button" });
  copy.addEventListener("click", async () => {
    await copyText(block.textContent);
    announce("Copied");
  });
  block.setAttribute("aria-label", `Code ${language}`.trim());
  block.setAttribute("role", "region");
  return make("div", "prose__code", make("span", "", language), copy);
}
