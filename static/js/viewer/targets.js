/* What is predicted with, kept in this browser from one input to the next: by user and kind of input. */
const PREFIX = "predict-with:";
const SETTINGS = "predict-view";
const kept = new Map();

export function readTarget(user, kind) {
  return read(`${PREFIX}${user}:${kind}`);
}

/** What is typed into a secret is used while the page stands, and stored nowhere. */
export function saveTarget(user, kind, target) {
  const bare = Object.fromEntries(Object.entries(target.arguments).filter(([name]) => !target.secrets.includes(name)));
  kept.set(`${PREFIX}${user}:${kind}`, target);
  store(`${PREFIX}${user}:${kind}`, { ...target, arguments: bare });
}

/** {isOn, isAuto, threshold, opacity, order}: how predictions are looked at. */
export function readView(user) {
  return { isOn: false, isAuto: false, threshold: 0.2, opacity: 1, order: "value", ...read(`${SETTINGS}:${user}`) };
}

export function saveView(user, view) {
  store(`${SETTINGS}:${user}`, view);
}

/** Predictions of the same target, method and deployment asked for stand for one another. */
export function keyOf({ kind, target, method, selector }) {
  return [kind, target, method, ...Object.entries(selector ?? {}).sort().flat()].join(" ");
}

function read(slot) {
  if (kept.has(slot)) return kept.get(slot);
  try {
    return JSON.parse(localStorage.getItem(slot));
  } catch {
    return null;
  }
}

function store(slot, value) {
  try {
    localStorage.setItem(slot, JSON.stringify(value));
  } catch {
    // Full or refused: then it lasts as long as the page.
  }
}
