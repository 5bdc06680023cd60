/* What a form held when its page was left, as plain arguments and without its secrets: the tab API writes it as code.
   Of the newest few methods, in this browser. */
const SLOT = "asked";
const MOST = 8;
const LARGEST = 500_000;

export function saveAsked(name, asked) {
  const all = { ...readAll() };
  delete all[name]; // so that it stands last
  const kept = Object.entries(all).slice(-(MOST - 1));
  try {
    const text = JSON.stringify(Object.fromEntries([...kept, [name, asked]]));
    localStorage.setItem(SLOT, text.length > LARGEST ? JSON.stringify({ [name]: asked }) : text);
  } catch {
    // Full or refused: then the code shows what the address says.
  }
}

export function readAsked(name) {
  return readAll()[name] ?? null;
}

/** Calls back when another tab of this browser has left something else there. */
export function onAsked(call) {
  const listen = (event) => event.key === SLOT && call();
  addEventListener("storage", listen);
  return () => removeEventListener("storage", listen);
}

function readAll() {
  try {
    return JSON.parse(localStorage.getItem(SLOT)) ?? {};
  } catch {
    return {};
  }
}
