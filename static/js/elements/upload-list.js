/* The uploads at the foot of the page: in all, and each; paused, tried again, or added although it is here already. */
import { alarm, announce } from "../announce.js";
import { button, icon, make } from "../dom.js";
import { bytes, figure, plural } from "../format.js";
import { DONE, Uploads } from "../inputs/uploads.js";

const SHOWN = 4;
const QUARTERS = [25, 50, 75];

class UploadList extends HTMLElement {
  #uploads = null;
  #rows = new Map();
  #changed = new Set();
  #frame = 0;
  #said = 0;
  #isAll = false;

  /** `saved(job)` hears of each that was added. */
  begin({ saved, ...rest }) {
    this.saved = saved;
    this.#uploads = new Uploads({ ...rest, changed: this.#jobChanged });
    this.addEventListener("click", this.#click);
    addEventListener("beforeunload", (event) => this.#uploads.isBusy && event.preventDefault());
  }

  add(items) {
    if (!items.length) return;
    if (!this.#uploads.isBusy) this.#clear();
    const jobs = this.#uploads.add(items);
    const refused = jobs.filter((job) => job.state === "refused").length;
    announce(`${plural(jobs.length - refused, "upload")} begun.`);
    if (refused) alarm(`${plural(refused, "file")} refused, before anything was sent.`);
  }

  get #panel() {
    return this.querySelector("[data-panel]");
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  #jobChanged = (job) => {
    this.#changed.add(job);
    if (job.state === "saved" && !job.isTold) {
      job.isTold = true;
      this.saved(job);
    }
    this.#frame ||= setTimeout(this.#draw, 60);
  };

  #draw = () => {
    this.#frame = 0;
    const sum = this.#uploads.sum;
    this.hidden = sum.total === 0;
    this.#drawHead(sum);
    this.#drawRows();
    this.#drawFoot(sum);
    this.#say(sum);
    this.dispatchEvent(new CustomEvent("uploads", { detail: { isShown: !this.hidden }, bubbles: true }));
  };

  #drawHead(sum) {
    const isBusy = this.#uploads.isBusy;
    const isPaused = this.#uploads.isPaused && isBusy;
    const left = sum.seconds === null ? "" : ` · about ${span(sum.seconds)} left`;
    this.#part("title").textContent = isBusy
      ? `${isPaused ? "Paused at" : "Uploading"} ${figure(sum.done)} of ${figure(sum.total)}`
      : sum.failed || sum.here
        ? `${figure(sum.saved)} of ${figure(sum.total)} added`
        : `${plural(sum.saved, "input")} added`;
    this.#part("meta").textContent = isBusy ? `${bytes(Math.round(sum.sent))} of ${bytes(sum.bytes)}${left}` : bytes(sum.bytes);
    const progress = this.#part("progress");
    progress.hidden = !isBusy;
    progress.value = sum.bytes ? sum.sent / sum.bytes : 0;
    const pause = this.#part("pause");
    pause.hidden = !isBusy;
    pause.setAttribute("aria-label", isPaused ? "Go on" : "Pause");
    pause.title = isPaused ? "Go on" : "Pause";
    if (pause.dataset.is !== String(isPaused)) pause.replaceChildren(icon(isPaused ? "play" : "pause"));
    pause.dataset.is = String(isPaused);
    this.#part("close").setAttribute("aria-label", isBusy ? "Give up what is left" : "Close the list of uploads");
    this.#part("close").title = isBusy ? "Give up what is left" : "Close";
  }

  /** A few, those that are moving or went wrong before those that are done; all where that is asked. */
  #drawRows() {
    const jobs = this.#uploads.jobs;
    const rank = (job) => (job.state === "sending" ? 0 : job.state === "failed" || job.state === "refused" ? 1 : job.state === "here" ? 2 : job.state === "saved" ? 3 : 4);
    const shown = this.#isAll ? jobs : [...jobs].sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN);
    const list = this.#part("list");
    let at = list.firstElementChild;
    const wanted = new Set(shown);
    for (const [job, row] of this.#rows) {
      if (wanted.has(job)) continue;
      if (row === at) at = at.nextElementSibling;
      row.remove();
      this.#rows.delete(job);
    }
    for (const job of shown) {
      let row = this.#rows.get(job);
      if (!row || this.#changed.has(job)) {
        const fresh = this.#row(job, row);
        this.#rows.set(job, fresh);
        row = fresh;
      }
      if (row === at) at = at.nextElementSibling;
      else list.insertBefore(row, at);
    }
    this.#changed.clear();
  }

  #row(job, row = make("li", "uploads__row")) {
    if (row.dataset.state === job.state && job.state === "sending") {
      row.querySelector("progress").value = job.share;
      row.querySelector(".uploads__state").textContent = percent(job.share);
      return row;
    }
    row.dataset.state = job.state;
    const name = Object.assign(make("span", "uploads__name", job.name), { title: job.name });
    // The file's name is its tile's link; here the word leads to it.
    const state = job.link ? Object.assign(make("a", "uploads__state", words(job)), { href: job.link }) : make("span", "uploads__state", words(job));
    row.replaceChildren(name, state);
    if (job.state === "sending") row.append(Object.assign(make("progress", "progress"), { max: 1, value: job.share, ariaLabel: job.name }));
    if (job.state === "here") row.append(make("span", "uploads__why", "The same bytes as ", make("b", "", job.existing || "an input of yours"), ". "));
    else if (job.error) row.append(make("span", "uploads__why", job.error));
    if (job.state === "failed") row.append(this.#act("Retry", () => this.#uploads.again([job])));
    if (job.state === "here") row.append(this.#act("Add anyway", () => this.#uploads.again([job], { onDuplicate: "keep" })));
    return row;
  }

  #act(label, act) {
    return button(label, act, "button--small button--quiet uploads__act");
  }

  #drawFoot(sum) {
    const jobs = this.#uploads.jobs;
    const failed = jobs.filter((job) => job.state === "failed");
    const here = jobs.filter((job) => job.state === "here");
    const refused = jobs.length && jobs.filter((job) => job.state === "refused").length;
    const said = [];
    if (refused) said.push(make("span", "uploads__bad", `${figure(refused)} refused`));
    if (failed.length) said.push(make("span", "uploads__bad", `${figure(failed.length)} failed`));
    if (here.length) said.push(make("span", "", `${figure(here.length)} ${here.length === 1 ? "is" : "are"} here already`));
    this.#part("said").replaceChildren(...said.flatMap((part, at) => (at ? [" · ", part] : [part])));
    const isBusy = this.#uploads.isBusy;
    this.#show("retry", failed.length > 1 && !isBusy);
    this.#show("keep", here.length > 1 && !isBusy);
    this.#show("choose", sum.saved > 0 && !isBusy);
    this.#show("all", sum.total > SHOWN);
    this.#part("all").textContent = this.#isAll ? "Show fewer" : `See all ${figure(sum.total)}`;
    this.#part("foot").hidden = !this.#part("foot").querySelector(":scope > :not([hidden], [data-said]:empty)");
  }

  #show(name, isShown) {
    this.#part(name).hidden = !isShown;
  }

  #click = (event) => {
    const { dataset } = event.target.closest("button") ?? {};
    if (!dataset) return;
    const jobs = this.#uploads.jobs;
    if ("pause" in dataset) {
      if (this.#uploads.isPaused) this.#uploads.resume();
      else this.#uploads.pause();
      this.#draw();
    } else if ("fold" in dataset) this.#fold(event.target.closest("button"));
    else if ("close" in dataset) this.#close();
    else if ("retry" in dataset) this.#uploads.again(jobs.filter((job) => job.state === "failed"));
    else if ("keep" in dataset) this.#uploads.again(jobs.filter((job) => job.state === "here"), { onDuplicate: "keep" });
    else if ("choose" in dataset) this.dispatchEvent(new CustomEvent("choose-added", { detail: jobs.flatMap((job) => job.key ?? []), bubbles: true }));
    else if ("all" in dataset) {
      this.#isAll = !this.#isAll;
      this.#draw();
    }
  };

  #fold(by) {
    const isOpen = this.toggleAttribute("data-folded") === false;
    by.setAttribute("aria-expanded", String(isOpen));
    this.#draw();
  }

  #close() {
    if (this.#uploads.isBusy) this.#uploads.cancel();
    else this.#clear();
    this.#draw();
  }

  #clear() {
    this.#uploads.clear();
    this.#rows.clear();
    this.#part("list").replaceChildren();
    this.#isAll = false;
    this.#said = 0;
  }

  #say(sum) {
    if (!sum.total) return;
    const share = (sum.done / sum.total) * 100;
    const quarter = QUARTERS.findLast((one) => share >= one) ?? 0;
    if (!this.#uploads.isBusy) {
      if (this.#said !== 100) {
        const rest = [sum.here && `${figure(sum.here)} here already`, sum.failed && `${figure(sum.failed)} not`].filter(Boolean);
        announce(`Uploads finished: ${[`${figure(sum.saved)} added`, ...rest].join(", ")}.`);
      }
      this.#said = 100;
    } else {
      if (quarter > this.#said && this.#said !== 100) announce(`Uploads: ${quarter} % done.`);
      this.#said = this.#said === 100 ? 0 : Math.max(quarter, this.#said);
    }
  }
}

function words(job) {
  if (job.state === "sending") return percent(job.share);
  if (job.state === "refused") return job.word;
  return { waiting: "Waits", saved: "Saved", here: "Here already", failed: job.isGivenUp ? "Given up" : "Failed" }[job.state];
}

function percent(share) {
  return `${Math.floor(share * 100)}\u00a0%`;
}

function span(seconds) {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))}\u00a0s`;
  return `${Math.round(seconds / 60)}\u00a0min`;
}

customElements.define("upload-list", UploadList);
