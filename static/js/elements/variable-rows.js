/* The rows of an environment: added and taken away; what is secret is masked. */
class VariableRows extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.#clicked);
    this.addEventListener("change", this.#changed);
  }

  get #add() {
    return this.querySelector("[data-add-variable]");
  }

  #clicked = (event) => {
    const rows = this.querySelector("[data-variables]");
    if (event.target.closest("[data-add-variable]")) {
      rows.append(document.importNode(this.querySelector("template").content, true));
      rows.lastElementChild.querySelector("input").focus();
    }
    const row = event.target.closest("[data-remove-variable]")?.closest("[data-variable-row]");
    if (!row) return;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (next?.querySelector("input") ?? this.#add).focus();
  };

  #changed = (event) => {
    if (!event.target.matches("[data-kind]")) return;
    const value = event.target.closest("[data-variable-row]").querySelector('[name="variable_value"]');
    value.type = event.target.value === "secret" ? "password" : "text";
  };
}

customElements.define("variable-rows", VariableRows);
