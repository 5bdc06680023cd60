/* What was typed, kept for this tab: it survives a reload, and goes with the tab. */
const PREFIX = "draft:";

export function saveDraft(model, method, draft) {
  try {
    sessionStorage.setItem(`${PREFIX}${model}:${method}`, JSON.stringify(draft));
  } catch {
    // Full or refused: a draft is a comfort, not a promise.
  }
}

export function readDraft(model, method) {
  try {
    return JSON.parse(sessionStorage.getItem(`${PREFIX}${model}:${method}`));
  } catch {
    return null;
  }
}
