/* What was typed, kept in this browser for its user, model and method: a few dozen of the newest, none of them large. */
const PREFIX = "draft:";
const MOST = 40;
const LARGEST = 200_000;
const kept = new Map();

export function saveDraft(name, draft) {
  const key = PREFIX + name;
  kept.set(key, draft);
  const text = JSON.stringify({ ...draft, at: Date.now() });
  try {
    if (text.length > LARGEST) {
      localStorage.removeItem(key);
      return;
    }
    localStorage.setItem(key, text);
    forgetOldest();
  } catch {
    // Full or refused: then it lasts as long as the page.
  }
}

export function readDraft(name) {
  const key = PREFIX + name;
  if (kept.has(key)) return kept.get(key);
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function forgetOldest() {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  if (keys.length <= MOST) return;
  const ages = keys.map((key) => [key, ageOf(key)]).sort((one, other) => one[1] - other[1]);
  for (const [key] of ages.slice(0, keys.length - MOST)) localStorage.removeItem(key);
}

function ageOf(key) {
  try {
    return JSON.parse(localStorage.getItem(key))?.at ?? 0;
  } catch {
    return 0;
  }
}
