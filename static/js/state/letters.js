/* Whether keys without Ctrl act: kept for this browser. */
const SLOT = "letters";

export function areLettersOn() {
  try {
    return localStorage.getItem(SLOT) !== "off";
  } catch {
    return true;
  }
}

export function setLetters(isOn) {
  try {
    if (isOn) localStorage.removeItem(SLOT);
    else localStorage.setItem(SLOT, "off");
  } catch {
    // Storage is refused: they stay as they are.
  }
}
