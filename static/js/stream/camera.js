/* A camera as a source of pictures: shown, and caught as JPEG at a rate at most. */
import { whyNot } from "../recording.js";

const LONG_SIDE = 640;
const QUALITY = 0.75;

export class Camera {
  stream = null;
  rate = 15;
  #view;
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  #caughtAt = 0;
  #take;

  /** `take(at, catchIt)` is called for each picture that is due; `catchIt()` gives it as {bytes, about}. */
  constructor(view, take) {
    this.#view = view;
    this.#take = take;
  }

  async start() {
    if (!navigator.mediaDevices) throw new Error(whyNot({ name: "InsecureError" }, "camera"));
    try {
      const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 }, facingMode: "environment" };
      this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
    } catch (error) {
      throw new Error(whyNot(error, "camera"));
    }
    this.#view.srcObject = this.stream;
    await this.#view.play().catch(() => {});
    this.#next();
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.#view.srcObject = null;
  }

  #next() {
    this.#view.requestVideoFrameCallback((now, { captureTime }) => this.#seen(captureTime ?? now));
  }

  #seen(at) {
    if (!this.stream) return;
    this.#next();
    const now = performance.now();
    if (now - this.#caughtAt < 1000 / this.rate - 4) return;
    this.#caughtAt = now;
    this.#take(Math.min(at, now), () => this.#catch());
  }

  async #catch() {
    const { videoWidth: width, videoHeight: height } = this.#view;
    const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
    const canvas = this.#canvas;
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    this.#context.drawImage(this.#view, 0, 0, wide, high);
    const bytes = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return { bytes, about: `${wide} × ${high}` };
  }
}
