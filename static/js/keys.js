/* The keys of every page. Those without Ctrl act outside fields and menus only, and can be switched off. */
import { areLettersOn } from "./state/letters.js";

const ACTS = { "/": search, "?": openSheet };

document.addEventListener("keydown", (event) => {
  const act = Object.hasOwn(ACTS, event.key) && ACTS[event.key];
  if (!act || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], :popover-open, dialog") || !areLettersOn()) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || !event.target.closest("[data-keys]")) return;
  event.preventDefault();
  openSheet();
});

/** The page's own search before that of the top; where both are out of sight, the list of models. */
function search() {
  const fields = ['main input[type="search"]', "[data-search]"].flatMap((one) => [...document.querySelectorAll(one)]);
  const field = fields.find((one) => one.checkVisibility() && !one.closest("dialog:not([open])"));
  if (field) field.select();
  else document.querySelector("[data-search]")?.form.requestSubmit();
  field?.focus();
}

async function openSheet() {
  const { openKeys } = await import("./elements/keys-sheet.js");
  openKeys();
}
