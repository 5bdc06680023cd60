/* The one socket of a page: starts runs, attaches to them, and after a loss goes on behind the last event of each. */
const SIGNED_OUT = 4401;
const FIRST_WAIT = 400;
const LONGEST_WAIT = 10_000;
const SAY_OFFLINE_AFTER = 1200;

export class RunSocket extends EventTarget {
  #address;
  #socket = null;
  #runs = new Map();
  #waiting = [];
  #wait = FIRST_WAIT;
  #retry = 0;
  #offline = 0;

  constructor(path) {
    super();
    const address = new URL(path, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.#address = address.href;
    addEventListener("online", () => this.#retryNow());
  }

  /** Begin a run: `message` is repeated after a loss until its first event has come. */
  start(run, message) {
    this.#runs.set(run.id, { run, message });
    this.#sendOrOpen(message);
  }

  attach(run) {
    this.#runs.set(run.id, { run, message: null });
    this.#sendOrOpen(attachTo(run));
  }

  /** No more events of this run are wanted; the run itself goes on. */
  leave(run) {
    if (!this.#runs.delete(run.id) || run.isOver) return;
    if (this.#isOpen) this.#send({ type: "detach", run: run.id });
  }

  stop(run) {
    this.#command({ type: "stop", run: run.id });
  }

  input(run, value, key) {
    this.#command({ type: "input", run: run.id, value, key });
  }

  /** Live bytes as an input, which `value` names as "live". Nothing waits for a lost socket: false then. */
  live(run, value, bytes, key) {
    if (!this.#isOpen) return false;
    const head = new TextEncoder().encode(JSON.stringify({ run: run.id, value, key }));
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, head.length);
    this.#socket.send(new Blob([length, head, bytes]));
    return true;
  }

  /** How many bytes wait on this side. */
  get backlog() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  closeInput(run) {
    this.#command({ type: "close_input", run: run.id });
  }

  close() {
    this.#runs.clear();
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  get #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #sendOrOpen(message) {
    if (this.#isOpen) this.#send(message);
    else this.#open();
  }

  #command(message) {
    if (this.#isOpen) this.#send(message);
    else {
      this.#waiting.push(message);
      this.#open();
    }
  }

  #open() {
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#resume());
    socket.addEventListener("message", (event) => this.#receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#lost(event.code);
    });
  }

  #resume() {
    this.#wait = FIRST_WAIT;
    this.#sayOnline();
    for (const { run, message } of this.#runs.values()) {
      if (run.isOver) continue;
      this.#send(message && run.cursor === 0 ? message : attachTo(run));
    }
    for (const message of this.#waiting.splice(0)) this.#send(message);
  }

  #receive(message) {
    const entry = this.#runs.get(message.run);
    if (message.type === "events") entry?.run.take(message.events);
    else if (message.type === "refused") {
      if (entry) entry.run.refuse(message.error, message.key);
      else this.dispatchEvent(new CustomEvent("refused", { detail: message.error }));
    }
    if (entry?.run.isOver) this.#runs.delete(message.run);
  }

  #lost(code) {
    this.#socket = null;
    if (code === SIGNED_OUT) {
      for (const { run } of this.#runs.values()) {
        run.refuse({ name: "AccessError", message: "You are signed out. Sign in again; the run goes on meanwhile." });
      }
      return;
    }
    if (!this.#runs.size && !this.#waiting.length) return;
    this.#offline ||= setTimeout(() => this.#say(false), SAY_OFFLINE_AFTER);
    this.#retry = setTimeout(() => this.#open(), this.#wait * (0.75 + Math.random() / 2));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  #retryNow() {
    if (this.#socket || !this.#runs.size) return;
    this.#wait = FIRST_WAIT;
    this.#open();
  }

  #sayOnline() {
    clearTimeout(this.#offline);
    this.#offline = 0;
    this.#say(true);
  }

  #say(isOnline) {
    this.dispatchEvent(new CustomEvent("connection", { detail: { isOnline } }));
  }
}

/** `key` is that of the link to another's run. */
function attachTo({ id, cursor, key }) {
  return { type: "attach", run: id, after: cursor, ...(key ? { key } : {}) };
}
