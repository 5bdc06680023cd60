/* Predictions as layers over the input: what each found, how it is told, and what of a workflow failed. */
import { icon, make } from "../dom.js";
import { readAnswer, readNodes } from "./answers.js";

export function answerOf(facts) {
  return facts.kind === "workflow" ? readNodes(nodesOf(facts), facts.outputs) : readAnswer(facts.shape, facts.outputs);
}

/** The nodes of a workflow by id: a run has them so; a kept prediction names the places of what each gave. */
function nodesOf({ nodes, outputs }) {
  if (!Array.isArray(nodes)) return nodes ?? new Map();
  return new Map(nodes.map((node) => [node.id, { ...node, pieces: node.outputs.map((place) => outputs[place]) }]));
}

/** What of a workflow failed, as a notice; null where nothing did. `again()` asks once more. */
export function drawFailure(facts, again) {
  const nodes = [...nodesOf(facts).values()];
  const failed = nodes.filter((node) => node.state === "failed");
  if (!failed.length) return null;
  const names = nodes.filter((node) => node.state === "finished").map((node) => node.id);
  const lines = failed.map(({ id, error }) => `${id} failed: ${error?.message ?? error ?? ""}`);
  for (const { id, state, after } of nodes) if (state === "skipped") lines.push(`${id} did not run: it takes from ${after}.`);
  const title = make("p", "notice__title", `Partly failed: ${names.length} of ${nodes.length} nodes answered.`);
  const kept = names.length ? make("p", "", `What ${listed(names)} gave is shown and kept.`) : "";
  const press = Object.assign(make("button", "button", "Predict again"), { type: "button" });
  press.addEventListener("click", again);
  const body = make("div", "notice__body", title, ...lines.map((line) => make("p", "", line)), kept, make("div", "notice__acts", press));
  return make("div", "notice notice--bad", icon("alert"), body);
}

function listed(names) {
  return [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" and ");
}

export function hasFailed(facts) {
  return [...nodesOf(facts).values()].some((node) => node.state === "failed");
}

/** Whether nothing at all was found. */
export function isBare({ regions, concepts, frames, text, rest }) {
  return !regions.length && !concepts.length && !text && !rest.length && frames.every((frame) => !frame.regions.length);
}

export function nameOf(served) {
  return served.is_shared ? "Shared" : served.deployment_id;
}

/** A run as a kept prediction is told. */
export function factsOf(run, target) {
  return {
    kind: target.kind,
    target: target.target,
    name: target.name,
    method: target.method,
    selector: target.selector,
    asked: target.asked,
    served: run.served ? nameOf(run.served) : "",
    as_asked: run.asAsked,
    shape: run.shape,
    outputs: run.outputs,
    nodes: run.nodes,
    run: run.id,
    total_ms: run.elapsedMs,
    created_at: new Date().toISOString(),
  };
}

export function within(region, layer) {
  region.layer = layer;
  return region;
}

export function merge(layers) {
  const of = (name) => layers.flatMap(({ answer }) => answer[name]);
  return { regions: of("regions"), concepts: of("concepts"), frames: of("frames") };
}

export function layerRow(key, name, meta, shown) {
  const box = Object.assign(make("input", "check"), { type: "checkbox", value: key, checked: shown.includes(key) });
  const place = shown.length > 1 && shown.includes(key) ? make("span", "tag", "AB"[shown.indexOf(key)]) : "";
  return make("label", "menu__item", box, make("span", "menu__text", make("span", "", name), make("span", "menu__meta", meta)), place);
}
