/* Compare: two to six targets asked the same, side by side; what differs, and whether one is faster. */
import { alarm, announce } from "../announce.js";
import { Over } from "../compare/over.js";
import { Pane } from "../compare/pane.js";
import { Together } from "../compare/together.js";
import { csrfToken, make } from "../dom.js";
import { plural } from "../format.js";
import { bring } from "../parts.js";
import { mediaUrl } from "../state/media.js";
import { Run, newRunId } from "../state/run.js";
import { RunSocket } from "../transport/socket.js";

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
const FIGURES_AFTER = 250;
const KEPT_AFTER = 700;
const SLID_AFTER = 90;
const LONGEST_ADDRESS = 6000;

class ComparePage extends HTMLElement {
  #socket;
  #panes = [];
  #isRunning = false;
  #round = 0;
  #figuresTimer = 0;
  #figuresTurn = 0;
  #keepTimer = 0;
  #slideTimer = 0;
  #tick = 0;
  #view = "answers";
  #found = null;
  #foundTurn = 0;
  #over = null;
  #together = null;
  #shown = "";
  #rest = null;
  #from = new URLSearchParams(location.search).get("from");

  async connectedCallback() {
    await bring(this); // its field is asked for its value
    if (!this.isConnected) return;
    this.#socket = new RunSocket(this.dataset.socket);
    this.#panes = [...this.querySelectorAll("[data-pane]")].map((element) => this.#paneOf(element));
    this.#round = Number(this.dataset.round);
    this.addEventListener("click", this.#clicked);
    this.addEventListener("input", this.#typed);
    this.addEventListener("change", this.#changed);
    this.addEventListener("field-change", this.#given);
    document.addEventListener("keydown", this.#keys);
    if (isApple) for (const keys of this.querySelectorAll("[data-run-keys]")) keys.textContent = "⌘ ⏎";
    this.#over = new Over(this.#part("over"), {
      picture: () => this.#picture,
      shown: { mode: new URLSearchParams(location.search).get("show") ?? "Both" },
      onTurn: () => this.#writeAddress(),
    });
    this.#together = new Together(this.#part("panes"));
    this.#readAddress();
    this.#arrange();
    this.setAttribute("data-begun", "");
    this.#begin();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#keys);
    clearInterval(this.#tick);
    this.#over?.close();
    this.#socket?.close();
  }

  get #isOwn() {
    return "own" in this.dataset;
  }

  get #kind() {
    return this.dataset.kind;
  }

  get #reference() {
    return this.#panes.find((pane) => pane.id === this.dataset.reference) ?? this.#panes[0];
  }

  get #field() {
    return this.querySelector("[data-field] play-field");
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  #address(name, query = {}) {
    const { key, past } = this.dataset;
    const words = new URLSearchParams({ ...query, ...(past ? { round: past } : {}), ...(key ? { key } : {}) }).toString();
    return `${this.dataset.page}${this.dataset.id}/${name}${words ? `?${words}` : ""}`;
  }

  #paneOf(element) {
    const pane = new Pane(element, { again: () => this.#runOne(pane) });
    return pane;
  }

  /** What is kept of it is shown; what still runs is followed. */
  async #begin() {
    if (!this.dataset.id || !this.#round) return;
    const answer = await fetch(this.#address("results"), { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return this.#complain("What was compared before cannot be read now. Reload the page to try again.");
    const { panes, left } = await answer.json();
    const following = [];
    for (const pane of this.#panes) {
      const facts = panes[pane.id];
      if (!facts) continue;
      const known = { ...facts, asked: { label: facts.asked, selector: facts.selector }, isFollowed: false };
      if (facts.state !== "running" || !this.#isOwn) {
        const run = new Run({ ...known, cursor: 1, state: facts.state === "running" ? "stopped" : facts.state, lastMs: facts.figures.total_ms ?? 0 });
        pane.show(run);
        continue;
      }
      const run = new Run({ ...known, outputs: [], outputCount: 0, characters: 0, state: "starting", firstMs: null, figures: null, served: null });
      following.push(this.#follow(pane, run));
      this.#socket.attach(run);
    }
    this.#refresh();
    if (following.length) {
      this.#setRunning(true);
      await Promise.all(following);
      this.#setRunning(false);
    }
    if (this.#isOwn) this.#offerRest(left);
  }

  /** A page that was left in the middle of a series left runs that never began: they can still be made. */
  #offerRest(left) {
    const plan = new Map();
    for (const pane of this.#panes) {
      if (left[pane.id] && !pane.reason) plan.set(pane, left[pane.id].map(([turn, id]) => ({ turn, id })));
    }
    const count = [...plan.values()].flat().length;
    this.#rest = count ? plan : null;
    const line = this.#part("left");
    line.hidden = !count;
    this.#part("left-words").textContent = `${plural(count, "run")} of this round ${count === 1 ? "was" : "were"} not begun.`;
  }

  async #goOn() {
    const plan = this.#rest;
    const given = this.#read();
    if (!plan || given === undefined || this.#isRunning) return;
    const last = Math.max(1, ...[...plan.values()].flat().map(({ turn }) => turn));
    this.#setRunning(true);
    await this.#carryOut(plan, last, given);
  }

  // Panes.

  #arrange() {
    const letters = "ABCDEF";
    this.#panes.forEach((pane, number) => {
      if (pane.letter !== letters[number]) pane.letter = letters[number];
      pane.number = number;
      pane.isReference = this.#panes.length > 1 && pane === this.#reference;
      pane.element.style.setProperty("--hue", `var(--concept-${number + 1})`);
    });
    this.#part("panes").dataset.count = this.#panes.length;
    this.dataset.count = this.#panes.length;
    for (const word of this.querySelectorAll("[data-reference-letter]")) word.textContent = this.#reference?.letter ?? "A";
    for (const add of this.querySelectorAll(".compare__acts [data-add]")) add.disabled = this.#panes.length >= Number(this.dataset.most);
    if (this.#isOwn) this.#part("nothing").hidden = this.#panes.length > 0;
    for (const press of this.querySelectorAll("[data-run-press]")) press.disabled = !this.#panes.length;
    for (const item of this.querySelectorAll("[data-for-text]")) item.hidden = this.#kind !== "text";
    this.#part("bar").hidden = this.#panes.length < 2;
    this.#drawTabs();
  }

  #drawTabs() {
    const tabs = this.#part("tabs");
    tabs.hidden = this.#panes.length < 2;
    if (!this.#panes.some((pane) => pane.id === this.#shown)) this.#shown = this.#panes[0]?.id ?? "";
    tabs.replaceChildren(...this.#panes.map((pane) => {
      const name = this.#panes.length < 4 ? `${pane.letter}\u2002${pane.label.split(" ")[0]}` : pane.letter; // more have no room for names
      const tab = make("button", "segmented__item", make("span", "truncate", name));
      Object.assign(tab, { type: "button", title: pane.label, ariaLabel: `${name}: ${pane.label}`, ariaPressed: String(pane.id === this.#shown) });
      tab.dataset.tab = pane.id;
      return tab;
    }));
    for (const pane of this.#panes) pane.element.toggleAttribute("data-current", pane.id === this.#shown);
  }

  async #add() {
    const target = await this.#choose(null);
    if (target) await this.#place(target, null);
  }

  /** The window in which a target is chosen; resolves with {target, secrets}, or null. */
  async #choose(pane) {
    const { openChooser } = await import("./model-chooser.js");
    const facts = pane?.facts ?? this.#panes.at(-1)?.facts;
    const now = facts?.method ? { kind: "model", target: facts.model, method: facts.method, query: new URLSearchParams(facts.place).toString(), arguments: facts.arguments } : null;
    const { chooserUrl, chooserSheets } = this.dataset;
    const title = pane ? `Choose what ${pane.letter} calls` : "Choose a model to compare";
    const chosen = await openChooser(this, { url: chooserUrl, sheets: chooserSheets.split(" "), kind: this.#kind, now, title });
    if (!chosen) return null;
    if (chosen.kind !== "model") {
      alarm("Workflows are not compared here: choose one of their models.");
      return null;
    }
    const kept = Object.entries(chosen.arguments).filter(([name]) => !chosen.secrets.includes(name));
    const query = new URLSearchParams({ method: chosen.method, ...Object.fromEntries(new URLSearchParams(chosen.query)) });
    if (kept.length) query.set("arguments", JSON.stringify(Object.fromEntries(kept)));
    const secrets = Object.fromEntries(Object.entries(chosen.arguments).filter(([name]) => chosen.secrets.includes(name)));
    return { target: `${chosen.target}?${query}`, secrets };
  }

  /** A pane for a target: in another's place, or at the end. */
  async #place({ target, secrets = {} }, old) {
    const number = old ? this.#panes.indexOf(old) : this.#panes.length;
    const ids = this.#panes.map((pane) => Number(pane.id.slice(1)) || 0);
    const id = `p${Math.max(0, ...ids) + 1}`;
    const query = new URLSearchParams({ t: target, kind: this.#kind, number, id });
    const answer = await fetch(`${this.dataset.paneUrl}?${query}`).catch(() => null);
    if (!answer?.ok || answer.redirected) return this.#complain("This target cannot be shown now: the server cannot be reached.");
    const holder = make("template");
    holder.innerHTML = await answer.text();
    const element = holder.content.querySelector("[data-pane]");
    if (old) {
      this.#stop(old);
      old.element.replaceWith(element);
    } else this.#part("panes").append(element);
    const pane = this.#paneOf(element);
    pane.secrets = secrets;
    if (old && this.dataset.reference === old.id) this.dataset.reference = id;
    this.#panes.splice(number, old ? 1 : 0, pane);
    this.#shown = id;
    const twin = this.#panes.find((other) => other !== pane && other.target === pane.target);
    if (twin) pane.note = `The same target as ${twin.letter}: what differs is chance.`;
    this.#arrange();
    this.#changedState();
    announce(`${pane.letter}: ${pane.label}${pane.reason ? `. ${pane.reason}` : ""}`);
    element.querySelector("[data-menu]").focus();
    return pane;
  }

  #remove(pane) {
    this.#stop(pane);
    pane.close();
    this.#panes = this.#panes.filter((other) => other !== pane);
    if (this.dataset.reference === pane.id) this.dataset.reference = "";
    this.#arrange();
    this.#changedState();
    announce(`${plural(this.#panes.length, "pane")} left.`);
    this.#part("add").focus();
  }

  // What is pressed and typed.

  #clicked = (event) => {
    const hit = (name) => event.target.closest(`[data-${name}]`);
    const element = event.target.closest("[data-pane]");
    const pane = element && this.#panes.find((one) => one.element === element);
    if (event.target.closest("[data-delete-dialog]")) return this.#answered(event.target);
    if (event.target.closest("dialog")) return;
    if (hit("add")) this.#add();
    else if (hit("run-press")) this.#press();
    else if (hit("stop")) this.#stop(pane);
    else if (hit("act")) this.#act(hit("act"), pane);
    else if (hit("view")) this.#turn(hit("view").dataset.view);
    else if (hit("tab")) this.#showTab(hit("tab").dataset.tab);
    else if (hit("kind-choice")) this.#turnKind(hit("kind-choice").dataset.kindChoice);
    else if (hit("take")) this.#take(hit("take"));
    else if (hit("share")) this.#share();
    else if (hit("format")) hit("format").href = this.#address("export", { format: hit("format").dataset.format, other: this.#over.shown.other ?? "", ...this.#filter });
    else if (hit("delete")) this.#askToDelete(hit("delete"));
    else if (hit("repeat-ten")) this.#repeatTen();
    else if (hit("go-on")) this.#goOn();
  };

  #act(item, pane) {
    item.closest("[popover]").hidePopover();
    const acts = {
      change: () => this.#choose(pane).then((chosen) => chosen && this.#place(chosen, pane)),
      reference: () => this.#refer(pane),
      prompt: () => this.#ownPrompt(pane),
      again: () => this.#runOne(pane),
      double: () => this.#panes.length < Number(this.dataset.most) && this.#place({ target: pane.target, secrets: pane.secrets }, null),
      version: () => this.#place({ target: withVersion(pane.target, item.dataset.version), secrets: pane.secrets }, pane),
      remove: () => this.#remove(pane),
    };
    acts[item.dataset.act]();
  }

  #refer(pane) {
    this.dataset.reference = pane.id;
    this.#arrange();
    for (const one of this.#panes) one.alike = null;
    announce(`${pane.letter} is the reference now.`);
    this.#changedState().then(() => this.#refresh());
  }

  #ownPrompt(pane) {
    const box = pane.part("own-prompt");
    box.hidden = !box.hidden;
    const prompt = pane.part("prompt");
    if (!box.hidden && !prompt.value) prompt.value = this.#field.raw ?? "";
    if (!box.hidden) prompt.focus();
    this.#changedState();
  }

  #showTab(id) {
    this.#shown = id;
    this.#drawTabs();
    this.querySelector(`[data-tab="${CSS.escape(id)}"]`).focus();
  }

  async #turnKind(kind) {
    if (kind === this.#kind || this.#isRunning) return;
    const answer = await fetch(`${this.dataset.fieldUrl}?kind=${kind}`).catch(() => null);
    if (!answer?.ok) return this.#complain("The server cannot be reached.");
    const text = await answer.text();
    this.dataset.kind = kind;
    for (const choice of this.querySelectorAll("[data-kind-choice]")) choice.ariaPressed = String(choice.dataset.kindChoice === kind);
    this.#part("field").innerHTML = text;
    await bring(this.#part("field"));
    for (const pane of [...this.#panes]) await this.#place({ target: pane.target, secrets: pane.secrets }, pane);
    this.querySelector(`[data-kind-choice="${kind}"]`).focus();
    this.#changedState();
  }

  /** One of the user's inputs becomes what all are asked. */
  async #take(item) {
    item.closest("[popover]").hidePopover();
    const answer = await fetch(item.dataset.take, { headers: { Accept: "application/json" } }).catch(() => null);
    const given = answer?.ok ? (await answer.json()).given : null;
    if (given === null) return this.#complain("This input cannot be asked about: it is gone, or longer than 2 MB of text.");
    this.#field.raw = given;
    this.#field.showError("");
    this.#changedState();
    announce(`Chosen: ${item.textContent.trim()}`);
  }

  #typed = (event) => {
    const { target } = event;
    if (target.matches("[data-threshold], [data-same], [data-concept]")) this.#slide();
    else if (target.matches("[data-prompt], [data-name]")) this.#changedState();
  };

  #changed = (event) => {
    if (event.target.matches("[data-together]")) this.#together.isOn = event.target.checked;
    if (!event.target.matches("[data-repeat]")) return;
    const count = Math.round(Number(event.target.value)) || 1;
    event.target.value = Math.min(Math.max(count, 1), 50);
    if (Number(event.target.value) === 2) event.target.value = 3; // two say no more than one
  };

  #given = (event) => {
    if (event.target === this.#field) this.#changedState();
  };

  #keys = (event) => {
    if (!(event.ctrlKey || event.metaKey) || !this.#isOwn || document.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && !this.#isRunning) {
      event.preventDefault();
      this.#runAll();
    } else if (event.key === "." && this.#isRunning) {
      event.preventDefault();
      this.#stopAll();
    }
  };

  // What is asked, in the address and kept.

  get #plain() {
    const result = this.#field?.peek?.() ?? {};
    return {
      id: this.dataset.id || null,
      name: this.#part("name")?.value ?? "",
      kind: this.#kind,
      given: "value" in result ? result.value : null,
      reference: this.dataset.reference,
      panes: this.#panes.map((pane) => ({ id: pane.id, target: pane.target })),
    };
  }

  #readAddress() {
    const query = new URLSearchParams(location.search);
    this.#view = query.get("view") === "differences" ? "differences" : "answers";
    for (const name of ["threshold", "same", "concept"]) if (query.get(name)) this.#part(name).value = query.get(name);
    this.#writeSlides();
  }

  #writeAddress() {
    const query = new URLSearchParams();
    if (this.dataset.key) query.set("key", this.dataset.key);
    if (this.dataset.past) query.set("round", this.dataset.past);
    if (this.#from) query.set("from", this.#from);
    if (!this.dataset.id) {
      for (const pane of this.#panes) query.append("t", pane.target);
      query.set("kind", this.#kind);
      const { given } = this.#plain;
      if (typeof given === "string" && given.length < 1500) query.set("text", given);
    }
    if (this.#view !== "answers") query.set("view", this.#view);
    if (Number(this.#part("threshold").value)) query.set("threshold", this.#part("threshold").value);
    if (Number(this.#part("same").value) !== 0.5) query.set("same", this.#part("same").value);
    if (this.#part("concept").value.trim()) query.set("concept", this.#part("concept").value.trim());
    if (this.#over.hasModes && this.#over.shown.mode !== "Both") query.set("show", this.#over.shown.mode);
    const words = query.toString();
    const path = this.dataset.id ? `${this.dataset.page}${this.dataset.id}/` : this.dataset.page;
    if (words.length < LONGEST_ADDRESS) history.replaceState(null, "", words ? `${path}?${words}` : path);
  }

  /** What is held against what, and from where on: for what differs, and for files of it. */
  get #filter() {
    const [same, threshold, concept] = ["same", "threshold", "concept"].map((name) => this.#part(name).value);
    return { reference: this.#reference?.id ?? "", same, threshold, concept };
  }

  /** The address says it at once; what is kept follows when no more changes. */
  #changedState() {
    if (!this.#isOwn) return Promise.resolve();
    this.#writeAddress();
    clearTimeout(this.#keepTimer);
    const isNamed = Boolean(this.#part("name").value.trim());
    if (!this.#panes.length || (!this.dataset.id && !isNamed)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#keepTimer = setTimeout(() => this.#keep().then(resolve), KEPT_AFTER);
    });
  }

  /** Keeps it as it stands, with the runs that are about to begin; false where that did not work. */
  async #keep(runs = [], round = null) {
    clearTimeout(this.#keepTimer);
    const answer = await fetch(this.dataset.keepUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" },
      body: JSON.stringify({ ...this.#plain, runs, round }),
    }).catch(() => null);
    if (!answer?.ok) {
      const told = await answer?.json?.().catch(() => null);
      this.#complain(told?.error?.message ?? told?.message ?? "This cannot be kept now: the server cannot be reached.");
      return false;
    }
    const { id, round: number } = await answer.json();
    this.dataset.id = id;
    this.#from = "";
    if (runs.length) this.#round = number;
    for (const name of ["share", "export"]) this.#part(name).hidden = false;
    this.#part("problem").hidden = true;
    this.#writeAddress();
    return true;
  }

  #complain(words) {
    this.#part("problem").hidden = false;
    this.#part("problem-words").textContent = words;
    alarm(words);
  }

  // Running.

  #press() {
    if (this.#isRunning) this.#stopAll();
    else this.#runAll();
  }

  #stopAll() {
    for (const pane of this.#panes) this.#stop(pane);
    announce("Stopping…");
  }

  #stop(pane) {
    pane.isCancelled = true;
    if (!pane.isRunning || pane.run.isStopping) return;
    pane.run.stopping();
    this.#socket.stop(pane.run);
  }

  #repeatTen() {
    this.#part("repeat").value = 10;
    this.#runAll();
  }

  /** The input as a value; undefined, with the message beside the field, where it does not fit. */
  #read() {
    const needs = this.#panes.some((pane) => pane.prompt === null);
    if (!needs) return "";
    const result = this.#field.check();
    if ("value" in result && result.value !== null && result.value !== "") return result.value;
    this.#field.showError(result.error || "What shall all be asked? An input is needed.");
    this.#field.reveal();
    announce("Nothing was run: the input is missing.");
    return undefined;
  }

  async #runAll() {
    const able = this.#panes.filter((pane) => !pane.reason);
    if (!able.length || this.#isRunning) {
      if (this.#panes.length && !able.length) alarm("None of these targets can be run as it is.");
      return;
    }
    const given = this.#read();
    if (given === undefined) return;
    const repeats = Number(this.#part("repeat").value) || 1;
    const turns = repeats > 1 ? Array.from({ length: repeats + 1 }, (_, turn) => turn) : [1];
    const plan = new Map(able.map((pane) => [pane, turns.map((turn) => ({ turn, id: newRunId() }))]));
    const runs = [...plan].flatMap(([pane, entries]) => entries.map(({ turn, id }) => ({ pane: pane.id, turn, run: id })));
    this.#setRunning(true);
    if (!(await this.#keep(runs))) return this.#setRunning(false);
    for (const foot of this.querySelectorAll("[data-foot]")) foot.replaceChildren();
    this.#part("verdict").hidden = true;
    this.#closeOver();
    await this.#carryOut(plan, repeats, given);
  }

  async #carryOut(plan, repeats, given) {
    const able = [...plan.keys()];
    this.#part("left").hidden = true;
    for (const pane of able) Object.assign(pane, { isCancelled: false, planned: repeats, alike: null });
    announce(`${plural(able.length, "pane")} started${repeats > 1 ? `, ${repeats} times each` : ""}.`);
    const isInTurn = this.#part("mode").value === "turn";
    await (isInTurn ? this.#inTurn(plan, given) : Promise.all([...plan].map(([pane, entries]) => this.#series(pane, entries, given))));
    this.#setRunning(false);
    const failed = able.filter((pane) => ["failed", "refused"].includes(pane.run?.state)).length;
    announce(failed ? `Finished; ${failed} of ${able.length} failed.` : "All have finished.");
    this.#refresh();
  }

  async #series(pane, entries, given) {
    for (const entry of entries) {
      if (pane.isCancelled) return;
      const run = await this.#start(pane, entry, given);
      if (run.state === "refused") return;
    }
  }

  /** One after the other, so that they do not share the machine; one that is cold holds up no other. */
  async #inTurn(plan, given) {
    const pending = new Map();
    const most = Math.max(...[...plan.values()].map((entries) => entries.length));
    for (let turn = 0; turn < most; turn += 1) {
      for (const [pane, entries] of plan) {
        await pending.get(pane);
        if (!entries[turn] || pane.isCancelled || (turn && pane.run?.state === "refused")) continue;
        const over = this.#start(pane, entries[turn], given);
        pending.set(pane, over);
        await Promise.race([over, this.#isCold(pane)]);
      }
    }
    await Promise.all(pending.values());
  }

  #isCold(pane) {
    const { run } = pane;
    return new Promise((resolve) => run.addEventListener("change", () => run.waiting && resolve()));
  }

  /** A pane alone, in the same round: what the others gave stays. */
  async #runOne(pane) {
    if (pane.isRunning || pane.reason) return;
    const given = this.#read();
    if (given === undefined) return;
    const entry = { turn: Math.max(pane.planned, pane.turn) + 1, id: newRunId() };
    pane.isCancelled = false;
    if (!(await this.#keep([{ pane: pane.id, turn: entry.turn, run: entry.id }], this.#round || null))) return;
    await this.#start(pane, entry, given);
  }

  /** Begins a run in a pane; resolves with it when it is over. */
  #start(pane, { turn, id }, given) {
    const { facts } = pane;
    const value = pane.prompt ?? given;
    const kept = { ...facts.arguments, [facts.argument]: facts.is_list ? [value] : value };
    const run = new Run({
      id,
      method: facts.method,
      arguments: kept,
      selector: facts.selector,
      asked: { label: pane.label, selector: facts.selector },
      shape: facts.shape,
      isStream: false,
      isFollowed: true,
    });
    pane.turn = turn;
    const over = this.#follow(pane, run);
    this.#socket.start(run, {
      type: "start",
      run: id,
      model: facts.model,
      version: facts.version,
      method: facts.method,
      arguments: { ...kept, ...pane.secrets },
      selector: facts.selector,
      open_input: false,
    });
    return over;
  }

  #follow(pane, run) {
    if (pane.run && !pane.run.isOver) this.#socket.leave(pane.run);
    pane.show(run);
    this.#tick ||= setInterval(() => this.#panes.forEach((one) => one.tick()), 100);
    document.body.dispatchEvent(new CustomEvent("runs-changed"));
    return new Promise((resolve) => {
      run.addEventListener("change", () => {
        if (!run.isOver) return;
        clearTimeout(this.#figuresTimer);
        this.#figuresTimer = setTimeout(() => this.#refresh(), FIGURES_AFTER);
        resolve(run);
      });
    });
  }

  #setRunning(isRunning) {
    this.#isRunning = isRunning;
    for (const press of this.querySelectorAll("[data-run-press]")) {
      press.classList.toggle("button--primary", !isRunning);
      press.classList.toggle("button--stop", isRunning);
      press.querySelector("use").setAttribute("href", `${document.body.dataset.icons}#${isRunning ? "stop" : "retry"}`);
      press.querySelector("[data-run-label]").textContent = isRunning ? "Stop all" : "Run all";
    }
    for (const keys of this.querySelectorAll("[data-run-keys]")) keys.hidden = isRunning;
    if (isRunning) return;
    clearInterval(this.#tick);
    this.#tick = 0;
    document.body.dispatchEvent(new CustomEvent("runs-changed"));
  }

  // Figures and differences, once something has ended.

  async #refresh() {
    if (!this.dataset.id) return;
    const turn = ++this.#figuresTurn;
    const answer = await fetch(this.#address("figures"), { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok || turn !== this.#figuresTurn) return;
    const { panes, verdict, rounds } = await answer.json();
    if (!this.querySelector("#compare-rounds:popover-open")) this.#part("rounds").innerHTML = rounds;
    for (const pane of this.#panes) {
      const foot = pane.part("foot");
      const isOpen = foot.querySelector("details")?.open;
      foot.innerHTML = panes[pane.id] ?? "";
      if (isOpen && foot.querySelector("details")) foot.querySelector("details").open = true;
    }
    const line = this.#part("verdict");
    line.innerHTML = verdict;
    line.hidden = !line.textContent.trim();
    if (!this.#isOwn) line.querySelector("[data-repeat-ten]")?.remove();
    await this.#compare();
  }

  #slide() {
    this.#writeSlides();
    this.#writeAddress();
    clearTimeout(this.#slideTimer);
    this.#slideTimer = setTimeout(() => this.#compare(), SLID_AFTER);
  }

  #writeSlides() {
    for (const name of ["threshold", "same"]) {
      const slide = this.#part(name);
      const share = (slide.value - slide.min) / (slide.max - slide.min);
      slide.style.setProperty("--fill", `${share * 100}%`);
      this.#part(`${name}-value`).textContent = Number(slide.value).toFixed(2);
    }
  }

  async #compare() {
    const turn = ++this.#foundTurn;
    const ended = this.#panes.filter((pane) => pane.run?.outputs.length);
    if (ended.length < 2) return this.#drawView();
    const press = this.querySelector('[data-view="differences"]');
    press.ariaBusy = "true";
    const answer = await fetch(this.#address("differences", this.#filter), { headers: { Accept: "application/json" } }).catch(() => null);
    if (turn !== this.#foundTurn) return;
    press.ariaBusy = "false";
    if (!answer?.ok) return;
    this.#found = await answer.json();
    const { kind, panes } = this.#found;
    if (kind === "text") panes[this.#reference.id] = { parts: [["=", this.#reference.text]], is_cut: false };
    for (const pane of this.#panes) {
      if (pane === this.#reference) continue;
      const isDone = !pane.isRunning && !this.#reference.isRunning;
      pane.alike = isDone ? this.#found.panes?.[pane.id]?.alike ?? (this.#panes.length === 2 ? this.#found.alike : null) : null;
      const strange = this.#found.strange?.[pane.id];
      if (strange) pane.note = `${pane.letter} gives ${strange}, ${this.#reference.letter} does not: the two cannot be held against each other.`;
    }
    this.#drawView();
  }

  #turn(view) {
    this.#view = view;
    this.#writeAddress();
    this.#drawView();
  }

  #drawView() {
    for (const choice of this.querySelectorAll("[data-view]")) choice.ariaPressed = String(choice.dataset.view === this.#view);
    const found = this.#found;
    const isOn = this.#view === "differences" && Boolean(found?.kind);
    const isOver = isOn && found.kind !== "text";
    this.#part("legend").hidden = !(isOn && found.kind === "text");
    this.#part("filter").hidden = !["regions", "concepts"].includes(found?.kind);
    this.#part("same-part").hidden = !(isOn && found.kind === "regions");
    this.#part("together-part").hidden = this.#panes.length < 2 || isOver;
    for (const item of this.querySelectorAll("[data-format='png']")) item.hidden = !["regions", "pictures"].includes(found?.kind);
    this.classList.toggle("compare--over", isOver);
    for (const pane of this.#panes) {
      const diff = isOn && found.kind === "text" && !pane.isRunning ? found.panes[pane.id] : null;
      pane.showDiff(diff ?? null);
      pane.filter = this.#filter;
    }
    if (!isOver) return this.#closeOver();
    const panes = [this.#reference, ...this.#panes.filter((pane) => pane !== this.#reference)].map(({ id, letter, number }) => ({ id, letter, number }));
    this.#over.show(found, panes);
  }

  /** Where the picture is that was asked about; "" where there is none. */
  get #picture() {
    const given = this.#isOwn ? this.#plain.given : JSON.parse(this.dataset.given);
    return given?.media ? mediaUrl(given.media) : (given?.url ?? "");
  }

  #closeOver() {
    this.#over.close();
    this.classList.remove("compare--over");
  }

  // Others.

  async #share() {
    const answer = await fetch(this.#address("share")).catch(() => null);
    if (!answer?.ok) return this.#complain("The server cannot be reached.");
    const holder = make("template");
    holder.innerHTML = await answer.text();
    const dialog = holder.content.querySelector("dialog");
    this.append(dialog);
    globalThis.htmx?.process(dialog);
    dialog.addEventListener("click", (event) => event.target.closest("[data-close]") && dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  }

  #askToDelete(item) {
    item.closest("[popover]").hidePopover();
    this.#part("delete-dialog").showModal();
  }

  #answered(target) {
    if (target.closest("[data-close]")) this.#part("delete-dialog").close();
    else if (target.closest("[data-delete-now]")) this.#delete();
  }

  async #delete() {
    this.#part("delete-dialog").close();
    const answer = await fetch(this.#address("delete"), { method: "POST", headers: { "X-CSRFToken": csrfToken() } }).catch(() => null);
    if (answer?.ok) location.assign(this.dataset.page);
    else this.#complain("It could not be deleted: the server cannot be reached.");
  }
}

function withVersion(target, version) {
  const [model, words = ""] = target.split("?");
  const query = new URLSearchParams(words);
  if (version) query.set("version", version);
  else query.delete("version");
  return `${model}?${query}`;
}

customElements.define("compare-page", ComparePage);
