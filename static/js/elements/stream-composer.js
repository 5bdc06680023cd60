/* The inputs of a stream: one by one, from files, from a camera or a microphone, sent while answers come. */
import { announce } from "../announce.js";
import { duration, figure, plural, rate } from "../format.js";
import { Sender } from "../stream/sender.js";

const GAUGE_GAP = 250;
const PACE_SPAN = 3000;
const LIVE_WORDS = { camera: "camera", microphone: "microphone" };

class StreamComposer extends HTMLElement {
  #run = null;
  #sender = null;
  #source = "one";
  #device = null; // the camera or microphone that is on
  #files = null; // {count, items, sent} of what was chosen
  #uploads = null;
  #drawnAt = 0;
  #timer = 0;
  #marks = []; // [time, answered], to tell the pace

  connectedCallback() {
    this.addEventListener("click", this.#clicked);
    this.addEventListener("keydown", this.#keys);
    this.addEventListener("change", this.#set);
    this.addEventListener("input", this.#set);
    this.#part("files")?.addEventListener("change", this.#chosen);
  }

  disconnectedCallback() {
    this.#stopDevice();
    this.#uploads?.abort();
    this.#leave();
  }

  get field() {
    return this.querySelector("play-field");
  }

  /** What stands in the control as the first input: [value], [] when it is empty, or null when it does not fit. */
  takeFirst() {
    if (this.#source !== "one" || this.field.isEmpty) return [];
    const result = this.field.check();
    if (result.error) return null;
    this.#clear();
    return "value" in result ? [result.value] : [];
  }

  /** Send to this run from now on. */
  follow(run, socket) {
    this.#leave();
    this.#run = run;
    this.#sender = run.sender = new Sender(run, socket);
    this.#sender.addEventListener("refused", ({ detail }) => this.#say(detail.message));
    run.addEventListener("change", this.#changed);
    this.#marks = [];
    this.#say("");
    this.#part("pause").setAttribute("aria-pressed", "false");
    this.#part("pause").textContent = "Pause";
    this.#part("gauge").hidden = false;
    this.#showLive();
    this.#changed();
    this.#sendFiles();
    if (this.#isOpen && this.offsetParent && this.#source === "one") this.field.reveal();
  }

  #leave() {
    this.#run?.removeEventListener("change", this.#changed);
    this.#sender?.close();
    this.#sender = null;
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  get #isOpen() {
    return Boolean(this.#sender?.isOpen);
  }

  #say(message) {
    const element = this.#part("trouble");
    element.querySelector("span").textContent = message;
    element.hidden = !message;
  }

  /** A text makes room for the next; what was chosen or filled in stays, to be sent again with changes. */
  #clear() {
    if (typeof this.field.raw === "string") this.field.raw = "";
  }

  #clicked = (event) => {
    const act = event.target.closest("[data-source], [data-send], [data-choose-files], [data-live], [data-pause], [data-close-input]");
    if (!act) return;
    if (act.dataset.source) this.#choose(act.dataset.source);
    else if ("send" in act.dataset) this.#send();
    else if ("chooseFiles" in act.dataset) this.#part("files").click();
    else if ("live" in act.dataset) this.#toggleDevice();
    else if ("pause" in act.dataset) this.#pause();
    else this.#end();
  };

  #choose(source) {
    if (source !== this.#source) this.#stopDevice();
    this.#source = source;
    for (const item of this.querySelectorAll("[data-source]")) item.setAttribute("aria-pressed", String(item.dataset.source === source));
    for (const panel of this.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== source;
    this.#part("send").hidden = source !== "one";
    this.#say("");
  }

  #keys = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (!event.target.matches("[data-input]") || event.target.closest("play-field").isPart) return;
    if (["json", "array"].includes(this.field.spec.kind)) return; // there Enter begins a line
    event.preventDefault();
    if (this.#isOpen) this.#send();
    else this.dispatchEvent(new CustomEvent("run-asked", { bubbles: true }));
  };

  #send() {
    if (!this.#isOpen || this.field.isEmpty) return;
    const result = this.field.check();
    if (!("value" in result)) return;
    this.#say("");
    this.#sender.send(result.value);
    this.#clear();
    this.field.reveal();
    this.#changed();
  }

  #pause() {
    const isPaused = !this.#sender.isPaused;
    this.#sender.isHeld = isPaused;
    this.#part("pause").setAttribute("aria-pressed", String(isPaused));
    this.#part("pause").textContent = isPaused ? "Go on" : "Pause";
    announce(isPaused ? "Paused: nothing is sent." : "Sending goes on.");
    this.#changed();
  }

  #end() {
    if (!this.#isOpen) return;
    this.#run.isOpen = false;
    this.#sender.socket.closeInput(this.#run);
    this.#stopDevice();
    announce("The input is closed. Answers still come.");
    this.#changed();
  }

  // Files, and lines of files.

  #chosen = async (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    event.stopPropagation();
    if (!files.length) return;
    this.#say("");
    this.#uploads?.abort();
    this.#uploads = new AbortController();
    const { readFiles } = await import("../stream/lines.js");
    const options = { url: this.closest("play-page").dataset.uploadsUrl, signal: this.#uploads.signal };
    try {
      this.#files = { ...(await readFiles(files, this.field.spec, options)), sent: 0, name: files.length > 1 ? `${files.length} files` : files[0].name };
    } catch (error) {
      this.#say(error.message);
      return;
    }
    this.#showFiles();
    this.#sendFiles();
  };

  async #sendFiles() {
    const [files, sender] = [this.#files, this.#sender];
    if (!files || !this.#isOpen || files.isGoing) return;
    files.isGoing = true;
    while (await sender.room()) {
      const { value: item, done } = await files.items.next();
      if (done || files !== this.#files) break;
      if (item.error) this.#say(item.error);
      else {
        sender.send(item.value);
        files.sent += 1;
      }
      this.#showFiles();
      this.#changed();
    }
    files.isGoing = false;
    if (files === this.#files && files.sent) this.#files = null;
  }

  #showFiles() {
    const { name, count, sent } = this.#files ?? {};
    if (name === undefined) return;
    const all = `${name}: ${plural(count, "input")}`;
    const words = sent ? `${name}: ${figure(sent)} of ${figure(count)} sent` : this.#isOpen ? all : `${all}, sent as soon as Run opens the stream`;
    this.#part("files-words").textContent = words;
  }

  // A camera, or a microphone.

  async #toggleDevice() {
    const act = this.querySelector(`[data-panel="${this.#source}"] [data-live]`);
    if (this.#device) {
      this.#stopDevice();
      return;
    }
    act.disabled = true;
    this.#say("");
    try {
      this.#device = this.#source === "camera" ? await this.#startCamera() : await this.#startMicrophone();
    } catch (error) {
      this.#say(error.message);
    }
    act.disabled = false;
    if (!this.isConnected) this.#stopDevice();
    this.#showDevice();
    this.#showLive();
  }

  async #startCamera() {
    const { Camera } = await import("../stream/camera.js");
    const camera = new Camera(this.#part("view"), (at, catchIt) => this.#frame(at, catchIt));
    camera.rate = Number(this.#part("rate").value);
    await camera.start();
    return camera;
  }

  async #frame(at, catchIt) {
    const sender = this.#sender;
    const place = sender?.place(at);
    this.#drawSoon();
    if (!place) return;
    const { bytes, about } = await catchIt();
    sender.fill(place, { media: "live" }, bytes, about);
  }

  async #startMicrophone() {
    const { Microphone } = await import("../stream/microphone.js");
    const microphone = new Microphone(this.dataset.worklet, (at, wav, { seconds, peak }) => this.#piece(at, wav, seconds, peak));
    await microphone.start(Number(this.#part("seconds").value));
    return microphone;
  }

  #piece(at, wav, seconds, peak) {
    this.#part("level").value = peak;
    const place = this.#sender?.place(at);
    if (place) this.#sender.fill(place, { media: "live" }, wav, `${seconds.toFixed(2)} s of sound`);
    this.#drawSoon();
  }

  #stopDevice() {
    this.#device?.stop();
    this.#device = null;
    this.#showDevice();
  }

  #showDevice() {
    const isOn = this.#device !== null;
    for (const [source, name] of Object.entries(LIVE_WORDS)) {
      const label = this.querySelector(`[data-panel="${source}"] [data-live-label]`);
      if (label) label.textContent = isOn ? `Stop ${name}` : `Start ${name}`;
    }
    const view = this.#part("view");
    if (view) view.hidden = !isOn;
    if (isOn || !this.#run?.live) return;
    this.#run.live.isOver = true;
    this.#run.dispatchEvent(new CustomEvent("news", { detail: { kind: "live" } }));
  }

  /** The run's drawing shows what the camera sees, with what was found in it. */
  #showLive() {
    if (this.#source !== "camera" || !this.#device || !this.#isOpen) return;
    this.#run.live = { view: this.#part("view") };
    this.#run.dispatchEvent(new CustomEvent("news", { detail: { kind: "live" } }));
  }

  #set = (event) => {
    if (event.target.matches("[data-rate]")) {
      this.#part("rate-words").textContent = `${event.target.value} a second`;
      if (this.#device) this.#device.rate = Number(event.target.value);
    } else if (event.target.matches("[data-seconds]") && this.#device) this.#device.seconds = Number(event.target.value);
    else return;
    event.stopPropagation();
  };

  // How it goes.

  #changed = () => {
    const isOpen = this.#isOpen;
    for (const name of ["send", "close-input", "pause"]) this.#part(name).disabled = !isOpen;
    this.#drawSoon();
    if (!isOpen && this.#run?.isOver) this.#showFiles();
  };

  #drawSoon() {
    if (this.#timer) return;
    const wait = Math.max(0, this.#drawnAt + GAUGE_GAP - performance.now());
    this.#timer = setTimeout(() => this.#draw(), wait);
  }

  #draw() {
    this.#timer = 0;
    this.#drawnAt = performance.now();
    const [run, sender] = [this.#run, this.#sender];
    if (!run || !sender) return;
    const sent = Math.max(run.inputCount, run.sent.length + sender.sent);
    const counts = { sent, taken: run.taken, answered: run.outputCount, dropped: sender.dropped };
    for (const [name, count] of Object.entries(counts)) this.querySelector(`[data-count="${name}"]`).textContent = figure(count);
    this.#part("dropped-part").hidden = !sender.dropped && !this.#device;
    const most = Math.max(sent, counts.answered, 1);
    for (const name of ["taken", "answered"]) this.querySelector(`[data-bar="${name}"]`).style.setProperty("inline-size", `${(100 * counts[name]) / most}%`);
    this.#drawPace(counts.answered);
  }

  #drawPace(answered) {
    const now = performance.now();
    this.#marks.push([now, answered]);
    while (now - this.#marks[0][0] > PACE_SPAN) this.#marks.shift();
    const [from, before] = this.#marks[0];
    const pace = now - from > 500 && !this.#run.isOver ? ((answered - before) * 1000) / (now - from) : 0;
    const { latency } = this.#sender;
    const words = [];
    if (pace >= 0.05) words.push(`${rate(pace)} answers a second`);
    if (latency !== null) words.push(`${duration(latency)} from input to answer`);
    if (this.#run.isPassing) words.push("what comes now is shown and not kept");
    this.#part("pace").textContent = words.join(" · ");
  }
}

customElements.define("stream-composer", StreamComposer);
