/* A log that arrives or is swapped shows its end. */
function showEnds(root) {
  for (const log of root.querySelectorAll("[data-scroll-end]")) log.scrollTop = log.scrollHeight;
}

document.addEventListener("htmx:afterSwap", (event) => showEnds(event.target.parentElement ?? document));
showEnds(document);
