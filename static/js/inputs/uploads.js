/* What is on its way in: files, texts and URLs in a queue, a few at once, that can pause, and be tried again one by one. */
import { csrfToken } from "../dom.js";
import { sendParts } from "../transport/upload.js";

const AT_ONCE = 4;
/** A file of at most this many bytes goes in one request; others go in parts. */
const SMALL = 1_000_000;
const TRIES = 4;
const SPEED_MS = 8000;

export const DONE = new Set(["saved", "here", "failed", "refused"]);

export class Uploads {
  #addresses;
  #limits;
  #app;
  #changed;
  #jobs = [];
  #waiting = [];
  #active = 0;
  #gate = null;
  #controller = new AbortController();
  #marks = [];

  /** `changed(job)` hears of each step of each. `limits` are bytes by kind: image, video, audio, text. */
  constructor({ addresses, limits, app, changed }) {
    this.#addresses = addresses;
    this.#limits = limits;
    this.#app = app;
    this.#changed = changed;
  }

  get jobs() {
    return this.#jobs;
  }

  get isBusy() {
    return this.#active > 0 || this.#waiting.length > 0;
  }

  get isPaused() {
    return this.#gate !== null;
  }

  /** Takes items like {file} | {text} | {url}, with name, concepts, datasets and metadata where given. */
  add(items) {
    const jobs = items.map((item) => this.#job(item));
    this.#jobs.push(...jobs);
    this.#waiting.push(...jobs.filter((job) => job.state === "waiting"));
    for (const job of jobs) this.#changed(job);
    this.#pump();
    return jobs;
  }

  pause() {
    if (this.#gate) return;
    let open;
    this.#gate = new Promise((resolve) => (open = resolve));
    this.#gate.open = open;
  }

  resume() {
    const gate = this.#gate;
    this.#gate = null;
    this.#marks = [];
    gate?.open();
    this.#pump();
  }

  /** Those that failed, once more; or those that are here already, added all the same. */
  again(jobs, { onDuplicate } = {}) {
    for (const job of jobs) {
      if (onDuplicate) job.onDuplicate = onDuplicate;
      this.#to(job, "waiting", { error: "", share: 0, isGivenUp: false });
      this.#waiting.push(job);
    }
    this.#pump();
  }

  /** Gives up what has not arrived. */
  cancel() {
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#waiting = [];
    for (const job of this.#jobs) if (!DONE.has(job.state)) this.#to(job, "failed", { error: "Given up.", isGivenUp: true });
    if (this.#gate) this.resume();
  }

  clear() {
    this.#jobs = [];
    this.#marks = [];
  }

  /** {total, done, saved, here, failed, bytes, sent, seconds}: seconds are those left, null while nobody knows. */
  get sum() {
    const sum = { total: this.#jobs.length, done: 0, saved: 0, here: 0, failed: 0, bytes: 0, sent: 0, seconds: null };
    for (const job of this.#jobs) {
      if (DONE.has(job.state)) sum.done += 1;
      if (job.state === "saved") sum.saved += 1;
      else if (job.state === "here") sum.here += 1;
      else if (job.state === "failed" || job.state === "refused") sum.failed += 1;
      if (job.state === "refused") continue;
      sum.bytes += job.size;
      sum.sent += DONE.has(job.state) ? job.size : job.size * job.share;
    }
    sum.seconds = this.isPaused ? null : this.#secondsLeft(sum);
    return sum;
  }

  #secondsLeft({ bytes, sent }) {
    const now = performance.now();
    this.#marks.push([now, sent]);
    while (this.#marks.length > 2 && this.#marks[0][0] < now - SPEED_MS) this.#marks.shift();
    const [from, before] = this.#marks[0];
    const speed = (sent - before) / ((now - from) / 1000);
    return now - from > 1500 && speed > 0 ? (bytes - sent) / speed : null;
  }

  #job(item) {
    const size = item.file?.size ?? new Blob([item.text ?? item.url ?? ""]).size;
    const name = item.name || item.file?.name || item.url || item.text.trim().split("\n")[0].slice(0, 80);
    const job = { ...item, name, size, share: 0, state: "waiting", error: "" };
    job.id ||= newId();
    job.onDuplicate = "offer";
    const refusal = this.#refuse(job);
    if (refusal) Object.assign(job, { state: "refused", error: refusal, word: size ? "Too large" : "Empty" });
    return job;
  }

  /** An early no, before a byte is sent: the kind is a guess by name, so the server looks again. */
  #refuse({ file, size, url }) {
    if (url) return "";
    const kind = file ? file.type.split("/")[0] : "text";
    const limit = this.#limits[kind] ?? Math.max(...Object.values(this.#limits));
    if (size <= limit) return size === 0 ? "The file is empty." : "";
    const what = { image: "a picture", video: "a film", audio: "a sound", text: "a text" }[kind] ?? "a file";
    const [found, most] = [megabytes(size), megabytes(limit)];
    if (found === most) return `${size.toLocaleString("en")} bytes; ${what} may have ${limit.toLocaleString("en")}.`;
    return `${found}; ${what} may have ${most}.`;
  }

  #pump() {
    while (!this.#gate && this.#active < AT_ONCE && this.#waiting.length) this.#run(this.#waiting.shift());
  }

  async #run(job) {
    this.#active += 1;
    const { signal } = this.#controller;
    try {
      this.#to(job, "sending");
      const answer = await this.#send(job, signal);
      if (answer.existing) this.#to(job, "here", { link: answer.existing.url, existing: answer.existing.name, error: "" });
      else this.#to(job, "saved", { link: answer.url, key: answer.id, share: 1 });
    } catch (error) {
      if (signal.aborted) return;
      if (error.isFinal) this.#to(job, "refused", { error: error.message, word: "Refused" });
      else this.#to(job, "failed", { error: error.message });
    } finally {
      this.#active -= 1;
      this.#pump();
      if (!this.isBusy) this.#changed(job);
    }
  }

  async #send(job, signal) {
    const facts = {
      app: this.#app,
      id: job.id,
      name: job.name,
      concepts: job.concepts ?? [],
      datasets: job.datasets ?? [],
      metadata: job.metadata ?? {},
      on_duplicate: job.onDuplicate,
    };
    if (!job.file) return this.#ask({ ...facts, text: job.text, url: job.url }, null, signal);
    if (job.file.size <= SMALL) return this.#ask(facts, await readable(job.file), signal);
    job.begun ??= {};
    const upload = await sendParts(job.file, {
      url: this.#addresses.uploads,
      signal,
      begun: job.begun,
      ready: () => this.#gate,
      onProgress: (share) => {
        job.share = share;
        this.#changed(job);
      },
    });
    return this.#ask({ ...facts, upload }, null, signal);
  }

  /** Sends what is to be added; a lost line is tried again, which adds nothing twice. */
  async #ask(facts, file, signal) {
    const body = new FormData();
    body.append("input", JSON.stringify(facts));
    if (file) body.append("file", file);
    for (let attempt = 1; ; attempt += 1) {
      await this.#gate;
      let answer;
      try {
        answer = await fetch(this.#addresses.add, {
          method: "POST",
          body,
          signal,
          headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
        });
      } catch (error) {
        if (signal.aborted || attempt === TRIES) throw signal.aborted ? error : new Error("The server was not reached.");
        await new Promise((resolve) => setTimeout(resolve, 400 * 2 ** attempt));
        continue;
      }
      const said = await answer.json().catch(() => ({}));
      if (answer.ok || said.existing) return said;
      // What is wrong with the file itself no second try mends.
      const words = without(facts.name, said.error?.message ?? `The server refused it (${answer.status}).`);
      throw Object.assign(new Error(words), { isFinal: answer.status === 400 });
    }
  }

  #to(job, state, facts = {}) {
    Object.assign(job, facts, { state });
    this.#changed(job);
  }
}

/** Ours, so that a line that is lost after the input was added adds it no second time. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The file's name stands above its line already. */
function without(name, words) {
  if (!name || !words.startsWith(`${name}: `)) return words;
  const rest = words.slice(name.length + 2);
  return rest[0].toUpperCase() + rest.slice(1);
}

/** Refuses what the browser cannot read (a folder, a file that is gone) in words of ours. */
async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return file;
  } catch {
    throw new Error("The file cannot be read: it was moved or changed since it was chosen.");
  }
}

function megabytes(size) {
  const number = size / 2 ** 20;
  return `${number < 10 ? number.toFixed(1) : Math.round(number)}\u00a0MB`;
}
