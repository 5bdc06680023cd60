/* What cannot wait for the modules; a classic script, so that it runs at once. */
(() => {
  const root = document.documentElement;

  // The chosen theme, before the first paint.
  let theme = null;
  try {
    theme = localStorage.getItem("theme");
  } catch {
    // Storage is refused: the system's theme it is.
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  // What somebody quick does before its element has begun is done then; what was typed is kept.
  const PAGES = ["play-page", "compare-page", "workflow-page", "input-viewer"];
  const PATIENCE = 15_000;
  const waiting = [];
  const isBegun = (element) => element.matches(":defined") && (!PAGES.includes(element.localName) || "begun" in element.dataset);
  const waits = (element) => {
    for (let around = element; around; around = around.parentElement) if (!isBegun(around)) return true;
    return false;
  };
  const replay = () => {
    while (waiting.length && (!waits(waiting[0].button) || performance.now() > waiting[0].until)) {
      const { button } = waiting.shift();
      if (button.isConnected && !waits(button)) button.click();
    }
    if (waiting.length) setTimeout(replay, 20);
  };
  const keep = (button) => {
    if (waiting.some((other) => other.button === button)) return;
    waiting.push({ button, until: performance.now() + PATIENCE });
    if (waiting.length === 1) setTimeout(replay, 20);
  };
  addEventListener("keydown", (event) => {
    const press = event.key === "Enter" && (event.ctrlKey || event.metaKey) && document.querySelector("[data-run-press]");
    if (press && waits(press)) keep(press);
  });
  addEventListener("click", (event) => {
    const button = event.target.closest("button[type=button]:not([popovertarget])");
    if (event.isTrusted && button && waits(button)) keep(button);
  });
  addEventListener("input", (event) => {
    const field = event.target.closest("play-field");
    if (field && waits(field)) field.toggleAttribute("data-typed", true);
  });
})();
