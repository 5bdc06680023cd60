/* What was typed, kept for this tab: it survives a reload, and goes with the tab. */
const PREFIX = "draft:";
const kept = new Map();

export function saveDraft(model, method, draft) {
  const key = `${PREFIX}${model}:${method}`;
  kept.set(key, draft);
  try {
    sessionStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // Full or refused: then it lasts as long as the page.
  }
}

export function readDraft(model, method) {
  const key = `${PREFIX}${model}:${method}`;
  if (kept.has(key)) return kept.get(key);
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}
