/* One run as this page knows it: folds the server's numbered events, each once, and tells who listens. */
const OVER = new Set(["finished", "failed", "stopped", "refused"]);
const INPUTS = 1000;
const EXCHANGES = 200;

export function newRunId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Run extends EventTarget {
  cursor = 0;
  state = "starting";
  outputs = [];
  waiting = null;
  served = null;
  asAsked = null;
  figures = null;
  error = null;
  firstMs = null;
  lastMs = 0;
  characters = 0;
  tokens = 0;
  isStopping = false;
  inputs = new Map(); // of a stream, the newest as the call took them, by their number
  exchanges = []; // its newest outputs: {i, of, value}, where `of` is the number of the input that each answers
  inputCount = 0; // on their way to the model
  taken = 0; // by the model, as its answers tell
  outputCount = 0;
  isPassing = false;
  #heardAt = performance.now();
  #beganAt = performance.now();

  /** `facts`: {id, method, arguments, asked, selector, shape, isStream, isOpen}. */
  constructor(facts) {
    super();
    Object.assign(this, facts);
  }

  get isOver() {
    return OVER.has(this.state);
  }

  /** Milliseconds so far: by the server's clock where it has spoken, going on by ours. */
  get elapsedMs() {
    if (this.figures?.total_ms !== undefined && this.figures.total_ms !== null) return this.figures.total_ms;
    if (this.isOver) return this.lastMs;
    if (!this.cursor) return performance.now() - this.#beganAt;
    return this.lastMs + performance.now() - this.#heardAt;
  }

  take(events) {
    const kinds = new Set();
    for (const event of events) {
      if (event.n && event.n <= this.cursor) continue;
      this.cursor = event.n || this.cursor; // what is shown and not kept has no number
      this.lastMs = event.t;
      this.#heardAt = performance.now();
      kinds.add(event.kind);
      this.#fold(event);
      if (this.isStream) this.dispatchEvent(new CustomEvent("news", { detail: event }));
    }
    if (kinds.size) this.#tell(kinds);
  }

  /** `key` is that of an input that was refused; else the whole run was. */
  refuse(error, key) {
    if (this.isOver) return;
    if (key !== undefined) {
      this.dispatchEvent(new CustomEvent("refused-input", { detail: { ...error, key } }));
      return;
    }
    if (this.cursor && error.name === "ConflictError") {
      this.dispatchEvent(new CustomEvent("notice", { detail: error }));
      return;
    }
    this.state = "refused";
    this.error = error;
    this.#tell(new Set(["refused"]));
  }

  stopping() {
    this.isStopping = true;
    this.#tell(new Set(["stopping"]));
  }

  #fold(event) {
    if (event.kind === "started") this.state = "running";
    else if (event.kind === "deploying") this.waiting = event;
    else if (event.kind === "stopping") this.isStopping = true;
    else if (event.kind === "routed") {
      this.served = event.served_by;
      this.asAsked = event.as_asked;
      this.waiting = null;
    } else if (event.kind === "input") this.#input(event);
    else if (event.kind === "passing") this.isPassing = true;
    else if (event.kind === "output") this.#output(event);
    else this.#end(event);
  }

  #input(event) {
    this.inputCount = event.i + 1;
    this.inputs.set(event.i, event);
    if (this.inputs.size > INPUTS) this.inputs.delete(this.inputs.keys().next().value);
  }

  #output(event) {
    this.firstMs ??= event.t;
    this.waiting = null;
    this.outputCount = event.i + 1;
    if (this.isStream) this.#exchange(event);
    if (event.n) this.outputs.push(event.value);
    this.tokens = event.tokens ?? this.tokens;
    if (typeof event.value === "string") this.characters += event.value.length;
  }

  /** Where the runner does not say which input an output answers, they are paired in order. */
  #exchange(event) {
    event.of ??= Math.min(event.i, this.inputCount - 1);
    this.taken = Math.max(this.taken, event.of + 1);
    this.exchanges.push(event);
    if (this.exchanges.length > EXCHANGES) this.exchanges.shift();
  }

  #end(event) {
    if (!OVER.has(event.kind)) return;
    this.state = event.kind;
    this.figures = event;
    this.firstMs = event.first_output_ms ?? this.firstMs;
    this.error = event.error ?? null;
    this.waiting = null;
  }

  #tell(kinds) {
    this.dispatchEvent(new CustomEvent("change", { detail: kinds }));
  }

  /** The outputs' count as the page shows it: {label, count, unit, perSecond}. */
  get counts() {
    const tokens = this.figures?.completion_tokens || this.tokens;
    const outputs = this.outputCount;
    if (tokens) return { label: "Tokens", count: tokens, unit: "tokens/s", perSecond: this.#speed(tokens) };
    if (outputs > 1) return { label: "Outputs", count: outputs, unit: "outputs/s", perSecond: this.#speed(outputs) };
    const perSecond = this.isOver ? this.#speed(this.characters) : null;
    return { label: "Outputs", count: outputs, unit: "chars/s", perSecond };
  }

  /** Per second since the first output where several came; else over the whole run. */
  #speed(count) {
    if (!count || this.firstMs === null || this.isStream) return null;
    const since = this.outputs.length > 1 ? this.firstMs : 0;
    const until = this.isOver ? this.elapsedMs : this.lastMs;
    return until - since > 20 ? (count * 1000) / (until - since) : null;
  }

  /** Everything at hand, for Raw. */
  get raw() {
    const isText = this.outputs.length > 1 && this.outputs.every((value) => typeof value === "string");
    return {
      run: this.id,
      method: this.method,
      arguments: this.arguments,
      selector: this.selector,
      served_by: this.served,
      state: this.state,
      outputs: isText ? [this.outputs.join("")] : this.outputs,
      pieces: this.outputs.length,
      ...(this.error ? { error: this.error } : {}),
      ...(this.figures ? { figures: pick(this.figures) } : {}),
    };
  }
}

function pick({ total_ms, first_output_ms, outputs, prompt_tokens, completion_tokens, characters }) {
  return { total_ms, first_output_ms, outputs, prompt_tokens, completion_tokens, characters };
}
