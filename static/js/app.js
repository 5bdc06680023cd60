/* The one entry: the elements of every page, then those of this one. */
import "./elements/ask-dialog.js";
import "./elements/copy-button.js";
import "./elements/local-time.js";
import "./elements/menu-popover.js";
import "./elements/relative-time.js";
import "./elements/theme-switch.js";
import "./keys.js";
import "./logs.js";
import { bring } from "./parts.js";

await bring(document);
// It asks its parts for their values the moment it stands.
if (document.querySelector("play-page")) import("./elements/play-page.js");
if (document.querySelector("input-viewer")) import("./elements/input-viewer.js");
for (const kind of ["htmx:load", "parts-added"]) {
  document.addEventListener(kind, (event) => event.target !== document.body && bring(event.target.parentNode ?? document));
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-new-deployment]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { openDialog } = await import("./elements/new-deployment.js");
  openDialog(link);
});
