/* What a run found is kept beside its input; what was deleted meanwhile keeps nothing, and that is said. */
import { button, make } from "../dom.js";
import { ask, keepPrediction } from "./ask.js";

export class Keeping {
  #viewer;
  #told;
  #targets;
  #unkept = new Map(); // by the input's address: what could not be kept, as it was deleted

  constructor(viewer, { told, targets }) {
    this.#viewer = viewer;
    this.#told = told;
    this.#targets = targets;
  }

  /** Whether it is kept now: `facts` are then as the server has them. */
  async keep(run, input, facts) {
    try {
      const isLost = async () => (await this.isGone(input)) || (await this.#targets.isGone());
      const kept = await keepPrediction(input.predictions_url, run.id, isLost);
      const { id, accept_url, created_at, outputs, nodes } = kept; // outputs as they are stored, by which the server counts
      Object.assign(facts, { id, accept_url, created_at, outputs, nodes });
      return true;
    } catch (error) {
      if (error.status === 404) this.#unkept.set(input.url, { run, facts });
      if (input === this.#viewer.input) this.#sayUnkept(run, input, facts, error);
      return false;
    }
  }

  /** An input is back that was deleted while it was predicted on: what came meanwhile is kept after all. */
  async keepAgain(input) {
    const found = this.#unkept.get(input.url);
    this.#unkept.delete(input.url);
    return found ? this.keep(found.run, input, found.facts) : false;
  }

  /** Whether the input is not there any more, or not for this user. */
  async isGone(input) {
    input.isGone = await ask(input.url).then(() => false, (error) => (error.status === 404 ? true : Boolean(input.isGone)));
    return input.isGone;
  }

  #sayUnkept(run, input, facts, error) {
    if (input.isGone) {
      const { runUrl } = this.#viewer.dataset;
      const link = Object.assign(make("a", "button button--small", "Open the run"), { href: runUrl.replace(/0[0-]+0/, run.id) });
      this.#told.refuse(`${input.name} was deleted meanwhile.`, {
        more: `What ${facts.name} found is shown here, and stands among its runs; beside the input nothing is kept. Who deleted it can bring it back for ten minutes.`,
        acts: [link, ...this.#onward],
      });
    } else if (error.isLost) {
      const more = `${facts.kind === "workflow" ? "A workflow" : "A model"} takes its runs with it: what it found is shown as long as this page stands, and kept nowhere.`;
      this.#told.refuse(`${facts.name} was deleted meanwhile.`, { more, acts: [button("Choose another", () => this.#targets.change())] });
    } else this.#told.refuse(`What was found is shown, but could not be kept: ${error.message}`);
  }

  /** The input is gone before anything was asked. */
  sayGone(input) {
    this.#told.refuse(`${input.name} was deleted, or is not shared with you any more.`, { more: "Nothing was run. Who deleted it can bring it back for ten minutes.", acts: this.#onward });
  }

  get #onward() {
    const { next, previous } = this.#viewer.input;
    const on = next ?? previous;
    return on ? [button(next ? "Next input" : "Previous input", () => this.#viewer.go(on))] : [];
  }
}
