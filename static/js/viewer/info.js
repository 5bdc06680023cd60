/* What is known of an input: its facts, its datasets, and its metadata, which can be edited as JSON. */
import { announce } from "../announce.js";
import { make } from "../dom.js";
import { bytes, duration, figure } from "../format.js";
import { ask } from "./ask.js";

const KINDS = { image: "Picture", text: "Text", audio: "Sound", video: "Film" };

export class InfoPanel {
  #viewer;

  constructor(viewer) {
    this.#viewer = viewer;
    this.#part("metadata-form").addEventListener("submit", this.#save);
    this.#part("metadata-form").addEventListener("input", () => this.#say(""));
  }

  #part(name) {
    return this.#viewer.querySelector(`[data-${name}]`);
  }

  follow() {
    const { input } = this.#viewer;
    this.#part("info-facts").replaceChildren(...factsOf(input).map(([name, ...words]) => make("div", "", make("dt", "", name), make("dd", "", ...words))));
    this.#part("info-datasets").replaceChildren(...input.datasets.map((name) => make("li", "tag", name)));
    this.#part("dataset-part").hidden = !input.datasets.length;
    const field = this.#part("metadata-form").elements.metadata;
    field.value = Object.keys(input.metadata).length ? JSON.stringify(input.metadata, null, 2) : "";
    field.readOnly = !input.may_edit;
    this.#part("metadata-save").hidden = !input.may_edit;
    this.#part("metadata-part").hidden = !input.may_edit && !field.value;
    this.#say("");
  }

  #save = async (event) => {
    event.preventDefault();
    const { input } = this.#viewer;
    const field = event.target.elements.metadata;
    let metadata;
    try {
      metadata = field.value.trim() ? JSON.parse(field.value) : {};
    } catch (error) {
      return this.#wrong(field, `This is no JSON: ${error.message}.`);
    }
    if (typeof metadata !== "object" || Array.isArray(metadata) || metadata === null) return this.#wrong(field, 'An object is needed, like {"place": "harbor"}.');
    try {
      const saved = await ask(input.edit_url, { method: "POST", json: { metadata } });
      input.metadata = saved.metadata;
      field.value = Object.keys(saved.metadata).length ? JSON.stringify(saved.metadata, null, 2) : "";
      announce("Metadata saved.");
      this.#say("Saved.", false);
    } catch (error) {
      this.#wrong(field, error.message);
    }
  };

  #wrong(field, words) {
    this.#say(words, true);
    field.focus();
  }

  #say(words, isWrong = false) {
    const place = this.#part("metadata-words");
    place.textContent = words;
    place.classList.toggle("field__error", isWrong);
    const field = this.#part("metadata-form").elements.metadata;
    if (isWrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

function factsOf(input) {
  const { kind, content_type: type, size, width, height, duration_s: seconds, facts, owner, created_at: added, captured_at: taken } = input;
  const list = [["Kind", `${KINDS[kind] ?? kind}${type ? ` · ${type}` : ""}`]];
  if (width) list.push(["Size", `${figure(width)} × ${figure(height)} px`]);
  if (seconds) list.push(["Length", duration(seconds * 1000)]);
  if (facts.is_unread) list.push(["Length", `Not known: this server does not look into ${kind === "video" ? "films" : "sounds of this kind"}, as its extra “media” is not installed`]);
  if (facts.characters) list.push(["Characters", figure(facts.characters)]);
  if (facts.frames > 1) list.push(["Frames", figure(facts.frames)]);
  if (size) list.push(["File", bytes(size)]);
  if (taken) list.push(["Taken", when(taken)]);
  list.push(["Added", `${when(added)} by ${owner}`]);
  if (facts.colours?.length) list.push(["Colours", coloursOf(facts.colours)]);
  if (input.source_url) list.push(["From", make("span", "viewer__long", input.source_url)]);
  list.push(["Id", make("code", "viewer__long", input.id)]);
  return list;
}

function when(text) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
}

function coloursOf(colours) {
  const words = colours.map(({ hex, share }) => `${hex} ${Math.round(share * 100)} %`).join(", ");
  const strip = make("span", "colours");
  strip.setAttribute("role", "img");
  strip.setAttribute("aria-label", words);
  strip.title = words;
  for (const { hex, share } of colours) {
    const part = make("span", "colours__part");
    part.style.setProperty("background", hex);
    part.style.setProperty("flex-grow", share);
    strip.append(part);
  }
  return strip;
}
