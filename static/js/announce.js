/* Says things to those who listen: politely, or at once for failures. Each thing once. */
function say(kind, text) {
  const region = document.querySelector(`[data-announcer="${kind}"]`);
  if (!region) return;
  region.textContent = "";
  setTimeout(() => {
    region.textContent = text;
  }, 60);
}

export function announce(text) {
  say("polite", text);
}

export function alarm(text) {
  say("assertive", text);
}
