/* How many tiles a frame of a scroll has time for. On a slow machine, or a very fast scroll, some stay blank until the
   next frame, so that frames come in time. */

const FRAME_MS = 11; // of a frame's 16.7: the rest is others'
const EASY_MS = 7;
const LEAST = 4;
const MOST = 400;
const PAUSE_MS = 120;

export class Pace {
  #budget = MOST;
  #last = 0;
  #channel = new MessageChannel();
  #began = 0;
  #taken = 0;

  constructor() {
    this.#channel.port1.onmessage = () => this.#measured();
  }

  /** How many of `wanted` may be drawn now: all, but in the midst of a scroll. Called once in a frame, before it is
      laid out. */
  take(wanted, isJump) {
    const now = performance.now();
    const isScrolling = !isJump && now - this.#last < PAUSE_MS;
    this.#last = now;
    if (!isScrolling || !wanted) return wanted;
    this.#taken = Math.min(wanted, Math.floor(this.#budget));
    this.#began = now;
    this.#channel.port2.postMessage(null); // comes once the frame is laid out and painted
    return this.#taken;
  }

  #measured() {
    const took = performance.now() - this.#began;
    if (took > FRAME_MS) this.#budget = Math.max(LEAST, this.#taken * Math.max(FRAME_MS / took, 0.5));
    else if (took < EASY_MS) this.#budget = Math.min(MOST, this.#budget * 1.05 + 0.25);
  }
}
