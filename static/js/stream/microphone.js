/* A microphone as a source of sounds: one WAV file after another, without a gap between them. */
import { whyNot } from "../recording.js";
import { encode } from "../state/wav.js";

const RATE = 16_000;

export class Microphone {
  #context = null;
  #stream = null;
  #node = null;
  #module;
  #take;

  /** `module` is the address of pieces-worklet.js; `take(at, wav, seconds)` is called with each piece. */
  constructor(module, take) {
    this.#module = module;
    this.#take = take;
  }

  async start(seconds) {
    if (!navigator.mediaDevices) throw new Error(whyNot({ name: "InsecureError" }, "microphone"));
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      throw new Error(whyNot(error, "microphone"));
    }
    this.#context = new AudioContext({ sampleRate: RATE });
    await this.#context.audioWorklet.addModule(this.#module);
    if (!this.#stream) return; // stopped meanwhile
    this.#node = new AudioWorkletNode(this.#context, "pieces");
    this.seconds = seconds;
    this.#node.port.onmessage = ({ data }) => this.#piece(data);
    this.#context.createMediaStreamSource(this.#stream).connect(this.#node);
  }

  set seconds(value) {
    this.#node?.port.postMessage(Math.round(value * RATE));
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#node?.disconnect();
    this.#context?.close();
    this.#context = null;
  }

  #piece(samples) {
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    this.#take(performance.now(), new Blob([encode(samples, RATE)], { type: "audio/wav" }), { seconds: samples.length / RATE, peak });
  }
}
