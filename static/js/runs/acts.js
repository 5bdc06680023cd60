/* What one does with kept runs, from a list or from an open one. `runs` is the address of the list, /runs/. */
import { alarm, announce } from "../announce.js";
import { figure, plural } from "../format.js";
import { askAgain } from "../state/again.js";
import { act, offerUndo, openDialog } from "../table/acts.js";

/** The dialog with the run's link; `done` is called when it closes. */
export async function shareRun(address, done = () => {}) {
  await openDialog(`${address}/share`, done);
  const dialog = document.querySelector("dialog[open]");
  if (!dialog) return;
  dialog.addEventListener("htmx:afterSettle", () => {
    const field = dialog.querySelector("#share-link");
    (field ?? dialog.querySelector(".button--primary")).focus();
    field?.select();
    announce(field ? "The link is made." : "The link is withdrawn.");
  });
  dialog.addEventListener("close", done);
}

/** Deletes runs by their ids and offers a way back; `done` is told what was deleted, again after an undo. */
export async function deleteRuns(runs, ids, done) {
  const problem = await act(`${runs}delete`, values(ids));
  if (problem) {
    alarm(problem);
    return problem;
  }
  const said = `${plural(ids.length, "run")} deleted.`;
  announce(said);
  done();
  offerUndo(said, async () => {
    const refusal = await act(`${runs}restore`, values(ids));
    if (refusal) alarm(refusal);
    else announce(`${figure(ids.length)} brought back.`);
    done();
  });
  return null;
}

function values(ids) {
  const form = new FormData();
  for (const id of ids) form.append("run", id);
  return form;
}

/** Opens a run's page, which asks the same again. */
export function runAgain(id, address) {
  askAgain(id);
  location.assign(address);
}
