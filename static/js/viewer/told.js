/* How the newest run on the input stands, in words: where it was served, what failed, and what one can do about it. */
import { alarm } from "../announce.js";
import { button, icon, make } from "../dom.js";
import { drawOutcome } from "../draw/outcome.js";
import { age, duration } from "../format.js";
import { drawFailure, hasFailed, isBare, nameOf } from "./layers.js";

export class ToldPart {
  #viewer;
  #acts;
  #told = null; // what the notice is about: a run, or the facts of a prediction

  /** `acts`: {again(), change()}. */
  constructor(viewer, acts) {
    this.#viewer = viewer;
    this.#acts = acts;
  }

  #part(name) {
    return this.#viewer.querySelector(`[data-${name}]`);
  }

  clear() {
    this.#told = null;
    this.#part("outcome").replaceChildren();
  }

  /** Something was not done: `title` says what, `more` why and what is left. `acts` are buttons and links. */
  refuse(title, { more = "", acts = [] } = {}) {
    const words = more ? [make("p", "notice__title", title), make("p", "", more)] : [title];
    const row = acts.length ? [make("div", "notice__acts", ...acts)] : [];
    this.#part("outcome").replaceChildren(make("div", "notice notice--bad", icon("alert"), make("div", "notice__body", ...words, ...row)));
    alarm([title, more].filter(Boolean).join(" "));
  }

  /** `entry` is {run, key, target} of the newest run on this input; `layer` what is laid over it. */
  drawOutcome(entry, layer) {
    const run = entry?.run;
    if (run && !run.isOver && run.waiting) return this.#drawWaiting(run);
    if (run?.isOver && run.state !== "finished" && !run.isMixed) return this.#tell(run, () => this.#drawEnd(run));
    if ((!run || run.isOver) && layer && hasFailed(layer.facts)) return this.#tell(layer.facts, () => drawFailure(layer.facts, this.#acts.again));
    const isOver = !run || run.isOver;
    if (isOver && layer && isBare(layer.answer)) return this.#tell(layer.facts, () => make("p", "muted", layer.facts.shape?.type === "str" ? "Finished without an output." : `${layer.facts.name} found nothing here.`));
    if (!entry && !this.#told) return;
    const isEmpty = run?.state === "finished" && !run.outputs.length;
    if (isEmpty) return this.#tell(run, () => make("p", "muted", "Finished without an output."));
    if (this.#told) this.clear();
  }

  #tell(about, draw) {
    if (this.#told === about) return;
    this.#told = about;
    this.#part("outcome").replaceChildren(...[draw()].filter(Boolean));
  }

  #drawWaiting(run) {
    const { state, reason } = run.waiting;
    const words = `${run.asked.label || "It"} is ${state}${reason ? `: ${reason}` : ""}. Your call goes on by itself when it is ready.`;
    this.#told = run.waiting;
    this.#part("outcome").replaceChildren(make("div", "notice notice--wait", icon("clock"), make("div", "notice__body", words)));
  }

  /** What is not there any more no second try mends: another is chosen. */
  #drawEnd(run) {
    const notice = drawOutcome(run, this.#acts);
    const press = run.error?.name === "NotFoundError" && notice?.querySelector(".notice__acts .button");
    if (press) press.replaceWith(button("Choose another", this.#acts.change, "button--small"));
    return notice;
  }

  /** One line: by whom it was served, in what time, when. `run` is the one that goes on, or null. */
  drawRoute(layer, run, target, { isOther, isAny }) {
    const part = this.#part("route");
    part.hidden = !layer && !run && !target;
    part.classList.remove("viewer__route--differs");
    if (run) return part.replaceChildren(make("span", "state state--live", `Predicting ${run.served ? `on ${nameOf(run.served)}` : "…"}`));
    if (!layer) return part.replaceChildren(target ? make("span", "faint", isAny ? "Nothing predicted with this yet." : "Nothing predicted on this input yet.") : "");
    const { kind, served, as_asked, total_ms, created_at, name, asked } = layer.facts;
    const differs = as_asked === false;
    const words = [differs ? `Not as asked: served by ${served || "another"}` : kind === "workflow" ? name : isOther ? `${name} on ${asked}` : `Served by ${served || "–"}`, duration(total_ms), age(new Date(created_at), this.#viewer.now)];
    const isBad = differs || hasFailed(layer.facts);
    part.replaceChildren(icon(isBad ? "alert" : "check", "icon--small"), words.join(" · "));
    part.classList.toggle("viewer__route--differs", isBad);
  }
}
