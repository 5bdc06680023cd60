/* What this page sends into a run's stream: each input with a key, counted, and no more under way than comes back in
   good time. Live inputs that find no room are dropped and counted; others wait for theirs. */
const AHEAD = 32;
const PATIENCE = 400;
const BACKLOG = 2_000_000;
const SILENCE = 1000;
const GOOD = 200;
const MOST_LIVE = 6;
const LATENCIES = 60;

export class Sender extends EventTarget {
  sent = 0;
  dropped = 0;
  isPaused = false;
  latencies = []; // of the newest live answers, in milliseconds
  #run;
  socket;
  #page = Math.random().toString(36).slice(2, 8);
  #waiting = new Map(); // by key: what was sent and not taken yet
  #live = new Map(); // by the input's number: what was taken, live, and not answered yet
  #answered = 0;
  #number = 0;
  #window = 2;
  #best = Infinity;
  #heardAt = 0;
  #wasFull = false;
  #rooms = [];
  #most = AHEAD;

  constructor(run, socket) {
    super();
    this.#run = run;
    this.socket = socket;
    run.addEventListener("news", this.#heard);
    run.addEventListener("refused-input", this.#refused);
    run.addEventListener("change", this.#changed);
  }

  close() {
    this.#run.removeEventListener("news", this.#heard);
    this.#run.removeEventListener("refused-input", this.#refused);
    this.#run.removeEventListener("change", this.#changed);
    this.#letGo();
  }

  get isOpen() {
    return this.#run.isOpen && !this.#run.isOver;
  }

  set isHeld(value) {
    this.isPaused = value;
    this.#letGo();
  }

  send(value) {
    this.socket.input(this.#run, value, this.#key({}));
  }

  /** Room for one more that may wait its turn: resolves to whether the stream is still open then. The model is kept a
      little ahead of; further where it takes much before it says anything. */
  async room() {
    while (this.isOpen && (this.isPaused || this.#ahead >= this.#most)) {
      const since = this.#run.taken;
      await new Promise((resolve) => {
        this.#rooms.push(resolve);
        setTimeout(resolve, PATIENCE);
      });
      if (!this.isPaused && this.#run.taken === since && this.#ahead >= this.#most) this.#most *= 2;
    }
    return this.isOpen;
  }

  get #ahead() {
    return this.#run.inputCount + this.#waiting.size - this.#run.taken;
  }

  /** A place for a live input right now, to be filled with `fill`; null when it has to be dropped, or is not wanted. */
  place(at) {
    if (!this.isOpen || this.isPaused) return null;
    const isSilent = performance.now() - this.#heardAt > SILENCE; // it may want several before it answers
    this.#wasFull = this.#underWay >= Math.floor(this.#window) && !isSilent;
    if (this.#wasFull || this.socket.backlog > BACKLOG) {
      this.dropped += 1;
      return null;
    }
    this.#heardAt = performance.now();
    return { at, number: this.#number++ };
  }

  fill(place, value, bytes, about) {
    const key = this.#key({ ...place, isLive: true, about });
    if (this.isOpen && this.socket.live(this.#run, value, bytes, key)) return;
    this.#waiting.delete(key);
    this.sent -= 1;
    this.dropped += 1;
    this.#answered += 1;
  }

  /** What came of a live input: {at, about}, by its number in the run. */
  sentAs(index) {
    return this.#live.get(index);
  }

  get #underWay() {
    return this.#number - this.#answered;
  }

  #key(entry) {
    const key = `${this.#page}:${this.sent}`;
    this.sent += 1;
    this.#waiting.set(key, entry);
    return key;
  }

  #heard = ({ detail }) => {
    if (detail.kind === "input") this.#taken(detail);
    else if (detail.kind === "output") this.#answer(detail.of);
    if (this.#ahead < this.#most) this.#letGo();
  };

  #taken({ key, i }) {
    const entry = this.#waiting.get(key);
    if (!entry) return;
    this.#waiting.delete(key);
    if (entry.isLive) this.#live.set(i, entry);
    if (this.#live.size > 400) this.#live.delete(this.#live.keys().next().value);
  }

  #answer(index) {
    const entry = this.#live.get(index);
    if (!entry || entry.isAnswered) return;
    entry.isAnswered = true;
    this.#heardAt = performance.now();
    const skipped = entry.number + 1 - this.#answered;
    this.#answered = Math.max(this.#answered, entry.number + 1);
    if (skipped > 1) this.#window = Math.max(this.#window, Math.min(skipped + 1, 64)); // one answer for several
    else this.#adapt(this.#heardAt - entry.at);
  }

  /** More under way while that makes nothing later, fewer where answers come late. */
  #adapt(latency) {
    this.#best = Math.min(this.#best * 1.01, latency);
    if (latency > Math.max(1.9 * this.#best, GOOD)) this.#window = Math.max(1, this.#window - 0.25);
    else if (this.#wasFull && latency < Math.min(1.4 * this.#best + 10, GOOD)) this.#window = Math.min(MOST_LIVE, this.#window + 0.1);
  }

  #refused = ({ detail }) => {
    const entry = this.#waiting.get(detail.key);
    if (!entry) return;
    this.#waiting.delete(detail.key);
    if (entry.isLive) this.#answered += 1;
    if (detail.name === "ConflictError") this.#run.isOpen = false;
    this.dispatchEvent(new CustomEvent("refused", { detail }));
    this.#letGo();
  };

  #changed = () => {
    if (!this.isOpen) this.#letGo();
  };

  #letGo() {
    for (const resolve of this.#rooms.splice(0)) resolve();
  }

  /** A live answer is on the screen. */
  seen(index) {
    const entry = this.#live.get(index);
    if (!entry || entry.isSeen) return;
    entry.isSeen = true;
    this.latencies.push(performance.now() - entry.at);
    if (this.latencies.length > LATENCIES) this.latencies.shift();
  }

  /** The middle of the newest times from picture to drawing. */
  get latency() {
    const sorted = [...this.latencies].sort((a, b) => a - b);
    return sorted.length ? sorted[sorted.length >> 1] : null;
  }
}
