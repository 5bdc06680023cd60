/* What one does with the chosen inputs: label, dataset, metadata, delete; each with a way back. */
import { alarm, announce } from "../announce.js";
import { figure, plural } from "../format.js";
import { actOn, takeBack } from "../inputs/acts.js";
import { readMetadata, words } from "../inputs/csv.js";
import { offerUndo } from "../table/acts.js";
import { ask } from "../viewer/ask.js";
import { readView, saveView } from "../viewer/targets.js";

const ASKED_FROM = 1000;

class InputActs extends HTMLElement {
  #stopped = false;

  connectedCallback() {
    this.addEventListener("click", (event) => {
      const act = event.target.closest("[data-act]")?.dataset.act;
      if (act) this.act(act);
    });
    this.querySelector("[data-export-chosen]").addEventListener("submit", (event) => {
      event.target.elements.chosen.value = JSON.stringify(this.#manager.chosen);
      event.target.closest("menu-popover").hidePopover();
    });
    for (const dialog of this.#dialogs) {
      dialog.addEventListener("submit", this.#submit);
      dialog.addEventListener("click", this.#clickIn);
    }
  }

  get #manager() {
    return this.closest("inputs-manager");
  }

  get #dialogs() {
    return this.#manager.querySelectorAll("dialog[data-act-dialog]");
  }

  /** How many are chosen, as words. */
  get #many() {
    const count = this.#manager.selection.count(this.#manager.total);
    return count === null ? "all inputs that match" : plural(count, "input");
  }

  act(name) {
    if (name === "stop") {
      this.#stopped = true;
      return;
    }
    if (name === "predict") {
      this.#predict();
      return;
    }
    const count = this.#manager.selection.count(this.#manager.total);
    if (name === "delete" && count !== null && count < ASKED_FROM && !this.#manager.selection.isAll) {
      this.#run({ delete: true }, "deleted");
      return;
    }
    const dialog = this.#manager.querySelector(`dialog[data-act-dialog="${name}"]`);
    dialog.querySelector("form").reset();
    this.#say(dialog, "");
    for (const place of dialog.querySelectorAll("[data-many]")) place.textContent = this.#many;
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  }

  /** In the viewer, on the first that is chosen; its arrows lead on through the rest, or through all that match. */
  async #predict() {
    const { user, app, walkUrl } = this.dataset;
    const { ids } = this.#manager.chosen;
    saveView(user, { ...readView(user), isOn: true });
    if (!ids) return location.assign(this.#manager.firstChosen);
    try {
      const { url } = await ask(walkUrl, { method: "POST", json: { app, ids, query: location.search.slice(1) } });
      location.assign(url);
    } catch (error) {
      alarm(error.message);
      this.#show(error.message);
    }
  }

  #clickIn = (event) => {
    const dialog = event.currentTarget;
    if (event.target.closest("[data-close]") || event.target === dialog) dialog.close();
    if (event.target.closest("[data-remove]")) this.#send(dialog, true);
    const name = event.target.closest("[data-name]")?.dataset.name;
    if (!name) return;
    const field = dialog.querySelector("[data-names]");
    field.value = [...words(field.value), name].join(", ");
    field.focus();
  };

  #submit = (event) => {
    event.preventDefault();
    this.#send(event.currentTarget, false);
  };

  async #send(dialog, isAway) {
    let edit;
    try {
      edit = readEdit(dialog.dataset.actDialog, new FormData(dialog.querySelector("form")), isAway);
    } catch (error) {
      this.#say(dialog, capital(error.message));
      return;
    }
    dialog.close();
    await this.#run(edit.change, edit.said);
  }

  #say(dialog, text) {
    const place = dialog.querySelector("[data-problem]");
    if (place) place.textContent = text;
  }

  async #run(change, said) {
    const address = this.dataset.url;
    this.#stopped = false;
    this.toggleAttribute("data-busy", true);
    const isDeletion = "delete" in change;
    const { done, undo, problem } = await actOn(address, { ...this.#manager.chosen, app: this.dataset.app }, change, (count) => {
      this.querySelector("[data-progress]").textContent = `${figure(count)} so far`;
      return !this.#stopped;
    });
    this.removeAttribute("data-busy");
    this.querySelector("[data-progress]").textContent = "";
    if (problem) alarm(problem);
    const text = `${plural(done, "input")} ${said}.`;
    if (done) announce(text);
    if (done || isDeletion) this.#tell(isDeletion);
    if (problem) this.#show(problem);
    if (undo.length && done) {
      offerUndo(text, async () => {
        const refusal = await takeBack(address, undo);
        if (refusal) alarm(refusal);
        else announce("As it was before.");
        this.#tell(false);
      });
    }
  }

  #tell(isGone) {
    this.dispatchEvent(new CustomEvent("inputs-changed", { detail: { isGone }, bubbles: true }));
  }

  /** A refusal stands where all can read it until the next act. */
  #show(problem) {
    const dialog = this.#manager.querySelector('dialog[data-act-dialog="problem"]');
    this.#say(dialog, problem);
    dialog.showModal();
  }
}

/** What a dialog's form asks for, and how that is said once it is done. Throws an Error in words. */
function readEdit(kind, values, isAway) {
  const text = String(values.get("names") ?? "");
  const names = words(text);
  if (kind === "delete") return { change: { delete: true }, said: "deleted" };
  if (kind === "metadata") return { change: { metadata: readMetadata(text) }, said: "changed" };
  if (!names.length) throw new Error(kind === "label" ? "at least one concept is needed." : "the name of a dataset is needed.");
  const list = names.map((name) => `“${name}”`).join(", ");
  const field = kind === "label" ? "concepts" : "datasets";
  if (kind === "label") return { change: { [isAway ? `remove_${field}` : `add_${field}`]: names }, said: isAway ? `no longer labelled ${list}` : `labelled ${list}` };
  return { change: { [isAway ? `remove_${field}` : `add_${field}`]: names }, said: isAway ? `taken out of ${list}` : `added to ${list}` };
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

customElements.define("input-acts", InputActs);
