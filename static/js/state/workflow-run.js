/* A run of a workflow as this page knows it: beside what every run has, each node with its state and what it gave. */
import { Run } from "./run.js";

export class WorkflowRun extends Run {
  nodes = new Map(); // in their order, by id: {id, model, acts, shape, inputs, state, ms, pieces, …}
  #heard = 0;

  take(events) {
    for (const event of events) {
      if (!event.n || event.n <= this.#heard) continue;
      this.#heard = event.n;
      this.#hear(event);
    }
    super.take(events);
  }

  #hear(event) {
    if (event.kind === "started") for (const node of event.nodes ?? []) this.nodes.set(node.id, { ...node, state: "waiting", pieces: [] });
    const node = this.nodes.get(event.node);
    if (!node) return;
    if (event.kind === "deploying") node.waiting = event;
    else if (event.kind === "output") {
      node.waiting = null;
      node.pieces.push(event.value);
    } else if (event.kind === "node") this.#mark(node, event);
  }

  #mark(node, { state, ms, error, after, served_by: served, as_asked: asAsked, t }) {
    node.state = { started: "running" }[state] ?? state;
    node.waiting = null;
    if (state === "started") node.begun = t;
    else Object.assign(node, { ms, error, after, served, asAsked });
    if (asAsked === false) this.asAsked = false;
  }

  /** How a node stands: of a run that is over, one that never ended was cut. */
  stateOf(node) {
    return this.isOver && ["waiting", "running"].includes(node.state) ? "stopped" : node.state;
  }

  /** Milliseconds of a node so far. */
  timeOf(node) {
    if (node.ms !== undefined && node.state !== "running") return node.ms;
    return node.begun === undefined ? null : Math.max(0, this.elapsedMs - node.begun);
  }

  get isMixed() {
    return this.state === "failed" && [...this.nodes.values()].some((node) => node.state === "finished");
  }

  get raw() {
    const nodes = [...this.nodes.values()].map((node) => ({
      node: node.id,
      state: this.stateOf(node),
      ms: node.ms,
      ...(node.pieces.length ? { output: valueOf(node) } : {}),
      ...(node.served ? { served_by: node.served } : {}),
      ...(node.error ? { error: node.error } : {}),
      ...(node.after ? { after: node.after } : {}),
    }));
    const { run, arguments: given, state, error, figures } = super.raw;
    return { run, arguments: given, state, nodes, ...(error ? { error } : {}), ...(figures ? { figures } : {}) };
  }
}

/** What a node gave so far: texts and lists joined, else the last. */
export function valueOf({ pieces }) {
  if (pieces.length < 2) return pieces[0];
  if (pieces.every((piece) => typeof piece === "string")) return pieces.join("");
  return pieces.every(Array.isArray) ? pieces.flat() : pieces.at(-1);
}
