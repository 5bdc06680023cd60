/* In the audio thread: gathers samples into pieces of the length that was asked for. */
class Pieces extends AudioWorkletProcessor {
  #length = 16_000;
  #samples = [];
  #count = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => (this.#length = data);
  }

  process([[channel]]) {
    if (!channel) return true;
    this.#samples.push(channel.slice());
    this.#count += channel.length;
    if (this.#count >= this.#length) this.#pass();
    return true;
  }

  #pass() {
    const piece = new Float32Array(this.#count);
    let at = 0;
    for (const samples of this.#samples) {
      piece.set(samples, at);
      at += samples.length;
    }
    this.#samples = [];
    this.#count = 0;
    this.port.postMessage(piece, [piece.buffer]);
  }
}

registerProcessor("pieces", Pieces);
