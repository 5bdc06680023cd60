/* How a run ended, where that needs words: stopped, failed, refused, or finished with nothing. */
import { button, fold, icon, make } from "../dom.js";
import { duration, plural } from "../format.js";

/** A notice, or null for a run that simply finished. `acts`: {again()}. */
export function drawOutcome(run, acts) {
  if (run.state === "stopped") return drawStopped(run, acts);
  if (run.state === "failed" || run.state === "refused") return drawFailed(run, acts);
  if (run.state === "finished" && run.isStopping) return notice("", "check", make("p", "", "It had finished first."));
  if (run.state === "finished" && !run.outputs.length) return notice("", "check", make("p", "", "Finished without an output."));
  return null;
}

function notice(variant, iconName, ...parts) {
  return make("div", `notice ${variant}`, icon(iconName), make("div", "notice__body", ...parts));
}

function drawStopped(run, acts) {
  const words = make("p", "", make("b", "", `Stopped after ${duration(run.elapsedMs)}.`), ` ${stopWords(run)}`);
  return notice("", "stop", words, actsRow(acts));
}

/** What became of the computation, as far as its runner says. */
const FATES = {
  stopped: "The model has stopped computing",
  computing: "This runner cannot be stopped: its answer will be thrown away",
  unknown: "Its runner does not say whether the model has stopped: what it still answers is thrown away",
};

export function stopWords(run) {
  const tokens = run.figures?.completion_tokens ?? 0;
  const count = run.outputCount || run.outputs.length; // the pieces of a text that is kept are one
  const kept = tokens ? plural(tokens, "token") : plural(count, "output");
  const isOne = (tokens || count) === 1;
  const tail = run.outputs.length ? `; ${kept} ${isOne ? "was" : "were"} kept.` : ".";
  return `${FATES[run.figures?.fate] ?? FATES.unknown}${tail}`;
}

function drawFailed(run, acts) {
  const error = run.error ?? { message: "The run failed." };
  const parts = [make("p", "notice__title", error.message)];
  if (run.state === "refused" && !error.message.includes("Nothing was run")) parts.push(make("p", "", "Nothing was run."));
  else if (run.outputs.length && !error.message.includes("What arrived is kept")) parts.push(make("p", "", "What arrived is kept."));
  if (error.details && !error.message.includes(error.details)) parts.push(fold("What the model said", log(error.details), true));
  if (error.traceback) parts.push(fold("Traceback", log(error.traceback)));
  parts.push(actsRow(acts), foot(run, error));
  return notice("notice--bad", "alert", ...parts);
}

function log(text) {
  const element = make("pre", "log", text);
  element.tabIndex = 0;
  return element;
}

function actsRow({ again }) {
  return make("div", "notice__acts", button("Run again", again));
}

function foot(run, error) {
  if (!error.request_id) return null;
  const copy = make("copy-button");
  copy.dataset.text = error.request_id;
  const press = button("", () => {}, "button--quiet button--small button--icon");
  press.append(icon("copy", "icon--small"));
  press.setAttribute("aria-label", "Copy the request id");
  copy.append(press);
  const after = run.state === "refused" ? "" : ` · after ${duration(run.elapsedMs)}`;
  return make("p", "notice__foot", "Request ", make("code", "", error.request_id), after, copy);
}
