/* A run that is to be asked again on its own page: said here, so that no link can start a run. */
const AGAIN = "run-again";

export function askAgain(id) {
  try {
    sessionStorage.setItem(AGAIN, id);
  } catch {
    // Refused: then its page opens, filled in.
  }
}

/** Whether this run was asked for again; true once. */
export function takeAgain(id) {
  try {
    if (sessionStorage.getItem(AGAIN) !== id) return false;
    sessionStorage.removeItem(AGAIN);
    return true;
  } catch {
    return false;
  }
}
