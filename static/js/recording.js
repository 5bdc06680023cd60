/* A picture or film from the camera, a sound from the microphone: asked for, shown while it is taken, given as a file. */
import { button, make } from "./dom.js";
import { duration } from "./format.js";
import { toWav } from "./state/wav.js";

const LONGEST = { audio: 300_000, video: 60_000 };
const WANTED = {
  image: { video: { width: { ideal: 1280 }, height: { ideal: 720 } } },
  video: { video: { width: { ideal: 1280 }, height: { ideal: 720 } }, audio: true },
  audio: { audio: true },
};

export class Recording {
  #kind;
  #panel;
  #stream = null;
  #recorder = null;
  #timer = 0;
  #done = () => {};
  #fail = () => {};
  #isClosed = false;

  /** `file` is what was taken; null when it was given up. Draws itself into `panel`. */
  constructor(kind, panel) {
    this.#kind = kind;
    this.#panel = panel;
    this.file = new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#fail = reject;
    }).finally(() => this.#release());
    this.#open();
  }

  close() {
    this.#isClosed = true;
    this.#done(null);
  }

  get #device() {
    return this.#kind === "audio" ? "microphone" : "camera";
  }

  async #open() {
    const cancel = button("Cancel", () => this.close());
    this.#panel.replaceChildren(make("p", "", `Waiting for the ${this.#device}. The browser asks whether this page may use it.`), cancel);
    cancel.focus();
    try {
      this.#stream = await this.#ask();
    } catch (error) {
      this.#fail(new Error(whyNot(error, this.#device)));
      return;
    }
    if (this.#isClosed) this.#release();
    else this.#draw(cancel);
  }

  async #ask() {
    const devices = navigator.mediaDevices;
    if (!devices) throw Object.assign(new Error(), { name: "InsecureError" });
    try {
      return await devices.getUserMedia(WANTED[this.#kind]);
    } catch (error) {
      if (this.#kind !== "video" || error.name !== "NotFoundError") throw error;
      return devices.getUserMedia(WANTED.image); // a camera without a microphone films without sound
    }
  }

  #draw(cancel) {
    const words = { image: "Take picture", video: "Record", audio: "Record" }[this.#kind];
    const act = button(words, () => (this.#kind === "image" ? this.#snap() : this.#press(act)), "button--small");
    act.dataset.shutter = "";
    this.#time = make("span", "drop__meta");
    const acts = make("div", "drop__acts", act, cancel, this.#time);
    this.#panel.replaceChildren(...(this.#kind === "audio" ? [] : [this.#showView()]), acts);
    act.focus();
  }

  #time = null;
  #view = null;

  #showView() {
    this.#view = Object.assign(make("video", "drop__view"), { muted: true, autoplay: true, playsInline: true });
    this.#view.srcObject = this.#stream;
    this.#view.ariaLabel = "What the camera sees";
    return this.#view;
  }

  async #snap() {
    const { videoWidth: width, videoHeight: height } = this.#view;
    if (!width) return;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(this.#view, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
    this.#done(new File([blob], "camera.jpg", { type: "image/jpeg" }));
  }

  #press(act) {
    if (this.#recorder) {
      if (this.#recorder.state === "recording") this.#recorder.stop();
      return;
    }
    const pieces = [];
    const began = performance.now();
    this.#recorder = new MediaRecorder(this.#stream);
    this.#recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    this.#recorder.addEventListener("stop", () => this.#finish(pieces));
    this.#recorder.start(1000);
    act.textContent = "Stop";
    act.classList.add("button--stop");
    this.#timer = setInterval(() => {
      const passed = performance.now() - began;
      this.#time.textContent = duration(passed);
      if (passed > LONGEST[this.#kind] && this.#recorder.state === "recording") this.#recorder.stop();
    }, 200);
  }

  async #finish(pieces) {
    if (this.#isClosed) return;
    const blob = new Blob(pieces, { type: pieces[0]?.type });
    try {
      this.#done(this.#kind === "audio" ? await toWav(blob, "microphone.wav") : new File([blob], "camera.webm", { type: "video/webm" }));
    } catch {
      this.#fail(new Error("The recording cannot be read. Record it again, a little longer."));
    }
  }

  #release() {
    clearInterval(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#panel.replaceChildren();
  }
}

export function whyNot(error, device) {
  if (error.name === "NotAllowedError") return `The browser does not let this page use the ${device}.`;
  if (error.name === "NotFoundError") return `No ${device} was found.`;
  if (error.name === "NotReadableError") return `The ${device} is in use by another program.`;
  if (error.name === "InsecureError") return `A ${device} needs a page over https, or on this very machine.`;
  return `The ${device} cannot be used: ${error.message || error.name}.`;
}
