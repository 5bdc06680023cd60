/* What lies on the input: concepts by value and regions, filtered, hidden one by one, and accepted. */
import { announce } from "../announce.js";
import { figure, plural } from "../format.js";
import { canBeBox, frameAt, passes, tally } from "./answers.js";
import { ask } from "./ask.js";
import { merge, within } from "./layers.js";
import { ConceptList, RegionRows } from "./lists.js";

export class FoundPart {
  #viewer;
  #changed;
  #refuse;
  #layers = []; // those that are laid over the input, the chosen one first
  #chosen = new Set(); // concepts, by name
  #framesShown = [];
  #concepts = new ConceptList((name) => this.#choose(name));
  #rows = new RegionRows((region) => this.#viewer.setHot(region));

  /** `changed()` hears when it must be drawn again; `refuse(words)` when something was not accepted. */
  constructor(viewer, { changed, refuse }) {
    this.#viewer = viewer;
    this.#changed = changed;
    this.#refuse = refuse;
    this.#part("concepts").append(this.#concepts.element);
    this.#part("region-rows").append(this.#rows.element);
    this.#part("accept-all").addEventListener("click", () => this.acceptAll());
  }

  #part(name) {
    return this.#viewer.querySelector(`[data-${name}]`);
  }

  get #input() {
    return this.#viewer.input;
  }

  get #filter() {
    return { threshold: this.#viewer.view.threshold, chosen: this.#chosen };
  }

  #choose(name) {
    if (!this.#chosen.delete(name)) this.#chosen.add(name);
    this.#changed();
  }

  showAllConcepts() {
    if (document.activeElement === this.#part("all-concepts")) this.#concepts.element.querySelector("button")?.focus(); // it goes
    this.#chosen.clear();
    this.#changed();
  }

  // Drawing.

  /** These lie over the input now: a concept that none of them has is not chosen any more. */
  take(layers) {
    this.#layers = layers;
    if (!this.#chosen.size) return;
    const names = new Set(tally(merge(layers)).map(({ name }) => name));
    for (const name of this.#chosen) if (!names.has(name)) this.#chosen.delete(name);
  }

  draw(layers) {
    this.take(layers);
    const all = merge(layers);
    const concepts = this.#sorted(tally(all));
    this.#part("found").hidden = !concepts.length && !all.regions.length && !all.frames.length;
    this.#part("concept-part").hidden = !concepts.length;
    this.#part("all-concepts").hidden = !this.#chosen.size;
    this.#concepts.show(concepts, this.#filter);
    this.#drawRegions(all);
    this.#framesShown = this.#framesNow;
  }

  #sorted(concepts) {
    return this.#viewer.view.order === "name" ? [...concepts].sort((a, b) => a.name.localeCompare(b.name)) : concepts;
  }

  #drawRegions(all) {
    const [layers, filter] = [this.#layers, this.#filter];
    const regions = this.#regionsNow(layers);
    const shown = regions.filter((region) => passes(region, filter));
    const listed = [...shown].sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
    const acceptable = this.#acceptable(layers[0]);
    const hint = this.#part("accept-hint");
    hint.textContent = this.#input.may_edit ? hintOf(shown) : "";
    hint.hidden = !hint.textContent;
    this.#part("region-part").hidden = !regions.length;
    const word = regions.length || !all.concepts.length ? "region" : "concept";
    const counted = word === "region" ? [shown, regions] : [all.concepts.filter((concept) => passes(concept, filter)), all.concepts];
    this.#part("count").textContent = `${figure(counted[0].length)} of ${plural(counted[1].length, word)}`;
    const accept = this.#part("accept-all");
    accept.hidden = !this.#input.may_edit || !acceptable.length || !layers[0]?.facts.id;
    this.#part("accept-words").textContent = `Accept ${figure(acceptable.length)}`;
    this.#rows.show(listed, {
      size: this.#viewer.canvas.size,
      isHidden: (region) => this.#layerOf(region)?.hidden.has(markOf(region)),
      press: { label: "Show it on the picture", act: (region) => this.#viewer.showRegion(region) },
      acts: (region) => this.#actsOf(region),
    });
  }

  #layerOf(region) {
    return this.#layers.find(({ key }) => key === region.layer);
  }

  #actsOf(region) {
    const layer = this.#layerOf(region);
    const isHidden = layer.hidden.has(markOf(region));
    const acts = [[isHidden ? "eye-off" : "eye", isHidden ? "Show" : "Hide", this.toggle]];
    if (this.#input.may_edit && layer.facts.id && canBeBox(region) && !region.isFramed) acts.unshift(["check", "Accept", () => this.#accept(layer, [region])]);
    return acts;
  }

  /** The region on which the picture's keys act, or a row's button: hide it, or show it again. */
  toggle = (region) => {
    const layer = region?.layer && this.#layerOf(region);
    if (!layer) return;
    if (!layer.hidden.delete(markOf(region))) layer.hidden.add(markOf(region));
    this.#changed();
  };

  set hot(region) {
    this.#rows.hot = region;
  }

  reveal(region) {
    this.#rows.reveal(region, true);
  }

  // What lies over the input now.

  #frameOf({ answer }) {
    return answer.frames.length ? frameAt(answer.frames, this.#viewer.time, this.#viewer.duration) : null;
  }

  get #framesNow() {
    return this.#layers.map((layer) => this.#frameOf(layer));
  }

  /** Regions of the layers; of a film, those of the frame on screen. */
  #regionsNow(layers) {
    return layers.flatMap((layer) => [
      ...layer.answer.regions.map((region) => within(region, layer.key)),
      ...(this.#frameOf(layer)?.regions ?? []).map((region) => Object.assign(within(region, layer.key), { isFramed: true })),
    ]);
  }

  /** [{key, lines, opacity, mark, regions}]. */
  overlays(layers) {
    this.#layers = layers;
    const filter = this.#filter;
    return layers.map((layer, place) => ({
      key: layer.key,
      lines: place ? "other" : "model",
      opacity: this.#viewer.view.opacity,
      mark: layers.length > 1 ? "AB"[place] : "",
      regions: this.#regionsNow([layer]).filter((region) => passes(region, filter) && !layer.hidden.has(markOf(region))),
    }));
  }

  /** A film shows another picture: where another frame's regions belong to it, these are drawn. Whether they are. */
  moved(layers) {
    if (!layers.some(({ answer }) => answer.frames.length)) return false;
    this.#layers = layers;
    const frames = this.#framesNow;
    if (frames.every((frame, place) => frame === this.#framesShown[place])) return false;
    this.#framesShown = frames;
    this.#drawRegions(merge(layers));
    return true;
  }

  // Accepting: what a model said becomes what a person says.

  /** Regions that have an extent, and concepts of the whole, that the threshold and the choice of concepts let through. */
  #acceptable(layer) {
    if (!layer) return [];
    const filter = this.#filter;
    const { regions, concepts } = layer.answer;
    const isWanted = (entry) => passes(entry, filter) && !layer.hidden.has(markOf(entry));
    return [...regions.filter((region) => canBeBox(region) && isWanted(region)), ...concepts.filter((concept) => passes(concept, filter))];
  }

  acceptAll() {
    const [layer] = this.#layers;
    const wanted = this.#acceptable(layer);
    if (!wanted.length || !this.#input.may_edit) return announce("There is nothing to accept.");
    if (!layer.facts.id) return announce("What was found is not kept yet: accept it in a moment.");
    this.#accept(layer, wanted);
  }

  async #accept(layer, wanted) {
    const input = this.#input;
    const found = wanted.map(({ number }) => number);
    try {
      const { annotations, added } = await ask(layer.facts.accept_url, { method: "POST", json: { findings: found } });
      input.annotations = annotations;
      const { offerUndo } = await import("../table/acts.js");
      const words = `Accepted ${added.length === 1 && wanted.length === 1 ? wanted[0].name : plural(added.length, "annotation")}.`;
      announce(words);
      if (added.length) offerUndo(words, () => this.#viewer.unannotate(input, added));
    } catch (error) {
      this.#refuse(error.message);
    }
    if (input === this.#input) this.#viewer.changed();
  }
}

/** By what it is hidden: in a film the same thing on all of its frames. */
function markOf({ isFramed, track, number }) {
  return isFramed && track ? `track ${track}` : number;
}

/** Why some of what is shown cannot be accepted. */
function hintOf(regions) {
  if (regions.some((region) => region.isFramed)) return "What is found in a film's frames is not accepted: an annotation speaks of the whole film.";
  const isPoint = (region) => region.point && !canBeBox(region);
  return regions.some(isPoint) ? "Points are not accepted: an annotation is a box, or a concept of the whole." : "";
}
