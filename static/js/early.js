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

  // What somebody quick does on a model's page before it has begun: it then runs what was asked, and keeps what was typed.
  const waits = () => document.querySelector("play-page:not([data-begun])");
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && waits()) root.dataset.pressed = "";
  });
  addEventListener("click", (event) => {
    if (event.target.closest(".button--run") && waits()) root.dataset.pressed = "";
  });
  addEventListener("input", (event) => {
    if (waits()) event.target.closest("play-field")?.toggleAttribute("data-typed", true);
  });
})();
