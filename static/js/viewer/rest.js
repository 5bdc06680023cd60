/* What a model says that lies on no input: texts, and everything that is no region and no concept. */
import { make } from "../dom.js";
import { TextFlow } from "../draw/text.js";

let kit = null;
/** What draws any output comes when there is one that is no region and no concept. */
async function bringKit() {
  const [value, markdown] = await Promise.all([import("../draw/value.js"), import("../draw/markdown.js")]);
  return { ...value, ...markdown };
}

export class RestPart {
  #viewer;
  #part;
  #drawn = null;
  #flow = null;
  #nodes = new Map(); // of a workflow that runs, by name: {flow, length} of those that give text

  constructor(viewer) {
    this.#viewer = viewer;
    this.#part = viewer.querySelector("[data-rest]");
  }

  /** What is drawn next is drawn anew. */
  forget() {
    this.#drawn = null;
  }

  /** `run` is the one that goes on, or null. */
  draw(layers, run) {
    const rest = layers.flatMap(({ key, answer, facts }) => (answer.text || answer.rest.length ? [{ key, answer, facts }] : []));
    this.#part.classList.toggle("viewer__rest--first", rest.some(({ answer }) => answer.text || answer.rest.some(({ value }) => typeof value === "string")));
    if (run && rest.some(({ answer }) => answer.text)) return this.#stream(run);
    const mark = rest.map(({ key, facts }) => `${key} ${facts.id ?? facts.run} ${facts.outputs.length}`).join();
    if (this.#drawn === mark) return;
    this.#drawn = mark;
    this.#flow = null;
    if (!run) this.#nodes.clear();
    this.#drawParts(rest, mark, run);
  }

  #stream(run) {
    if (this.#flow?.run !== run) {
      this.#flow = { run, flow: new TextFlow(), drawn: 0 };
      this.#flow.flow.isStreaming = true;
      this.#part.replaceChildren(this.#flow.flow.element);
    }
    this.#flow.flow.append(run.outputs.slice(this.#flow.drawn).join(""));
    this.#flow.drawn = run.outputs.length;
  }

  async #drawParts(rest, mark, run) {
    if (!rest.length) return this.#part.replaceChildren();
    kit ??= await bringKit();
    if (this.#drawn !== mark) return;
    const { preview, original, kind, name } = this.#viewer.input;
    const context = { mediaUrl: this.#viewer.mediaUrl, pictures: kind === "image" ? [preview || original] : [], films: kind === "video" ? [original] : [], name };
    const drawn = rest.map(({ answer, facts }) => {
      const parts = answer.text ? [this.#drawText(answer.text, mark)] : [];
      for (const [place, { name: label, value, shape }] of answer.rest.entries()) {
        const one = run && facts.run === run.id ? this.#drawGrowing(run, `${label} ${place}`, value, shape, context) : kit.drawValue(shape, value, context);
        parts.push(make("div", "stack", label ? make("h3", "viewer__label", label) : "", one));
      }
      return make("div", "stack", rest.length > 1 ? make("h3", "viewer__label", `${facts.name} · ${facts.asked}`) : "", ...parts);
    });
    this.#part.replaceChildren(...drawn);
  }

  /** Of a workflow that goes on: a node's text grows, and what is whole is drawn once. */
  #drawGrowing(run, name, value, shape, context) {
    const known = this.#nodes.get(name);
    if (typeof value !== "string") {
      if (known?.value === value) return known.element;
      const element = kit.drawValue(shape, value, context);
      this.#nodes.set(name, { value, element });
      return element;
    }
    const grown = known?.run === run && known.flow ? known : { run, flow: new TextFlow(), length: 0 };
    grown.flow.append(value.slice(grown.length));
    grown.length = value.length;
    this.#nodes.set(name, grown);
    return grown.flow.element;
  }

  #drawText(text, mark) {
    const flow = new TextFlow();
    flow.append(text);
    const holder = make("div", "", flow.element);
    const { markdown } = this.#viewer.dataset;
    if (kit.looksFormatted(text)) {
      kit.drawMarkdown(text, markdown).then((formatted) => formatted && this.#drawn === mark && holder.replaceChildren(formatted));
    }
    return holder;
  }
}
