/* A table as one tab stop: arrows move within, Space chooses a row, Shift extends, Enter opens, Shift F10 is the menu. */
const PAGE = 10;

/** What takes the focus in a cell: its one control, else the cell. */
function target(cell) {
  return cell.querySelector("button, input, a") ?? cell;
}

export class Grid {
  #root;
  #at = { row: null, column: 1 };
  #anchor = null;
  #open;
  #changed;
  chosen;

  /** `open` is told a row to open; `changed` hears that the chosen rows are others. */
  constructor(root, { chosen, open, changed }) {
    this.#root = root;
    this.chosen = new Set(chosen);
    this.#open = open;
    this.#changed = changed;
    root.addEventListener("keydown", this.#key);
    root.addEventListener("focusin", this.#focused);
    root.addEventListener("click", this.#clicked);
  }

  get #rows() {
    return [...this.#root.querySelectorAll("thead tr:last-child, tbody tr")];
  }

  get #body() {
    return [...this.#root.querySelectorAll("tbody tr")];
  }

  /** After the rows have changed: one tab stop again, and what is chosen shown as such. */
  settle() {
    const rows = this.#rows;
    if (!rows.length) return;
    this.#root.querySelector(".table-region").tabIndex = -1;
    const row = rows.find((one) => one.id === this.#at.row) ?? rows[1] ?? rows[0];
    for (const one of rows) {
      for (const [column, cell] of [...one.cells].entries()) {
        const index = one === row && column === Math.min(this.#at.column, one.cells.length - 1) ? 0 : -1;
        const element = target(cell);
        if (element.tabIndex !== index || !element.hasAttribute("tabindex")) element.tabIndex = index;
      }
    }
    this.#showChosen();
  }

  choose(key, isOn = !this.chosen.has(key)) {
    if (isOn) this.chosen.add(key);
    else this.chosen.delete(key);
    this.#showChosen();
    this.#changed();
  }

  chooseNone() {
    this.chosen.clear();
    this.#showChosen();
    this.#changed();
  }

  #showChosen() {
    const rows = this.#body;
    for (const row of rows) {
      const isOn = this.chosen.has(row.dataset.key);
      row.setAttribute("aria-selected", String(isOn));
      row.querySelector("[data-choose]").checked = isOn;
    }
    const all = this.#root.querySelector("[data-choose-all]");
    if (!all) return;
    const count = rows.filter((row) => this.chosen.has(row.dataset.key)).length;
    all.checked = count > 0 && count === rows.length;
    all.indeterminate = count > 0 && count < rows.length;
  }

  #focused = (event) => {
    const cell = event.target.closest("td, th");
    const row = cell?.parentElement;
    if (!row || !this.#rows.includes(row)) return;
    const before = this.#rows.find((one) => one.id === this.#at.row) ?? this.#rows[1] ?? this.#rows[0];
    const was = before?.cells[Math.min(this.#at.column, before.cells.length - 1)];
    if (was) target(was).tabIndex = -1;
    this.#at = { row: row.id, column: cell.cellIndex };
    target(cell).tabIndex = 0;
  };

  #clicked = (event) => {
    if (event.target.closest("[data-choose-all]")) {
      const isOn = event.target.checked;
      for (const row of this.#body) this.#set(row, isOn);
      this.#showChosen();
      this.#changed();
      return;
    }
    const box = event.target.closest("[data-choose]");
    if (!box) return;
    const row = box.closest("tr");
    if (event.shiftKey && this.#anchor) this.#extendTo(row);
    else this.choose(row.dataset.key, box.checked);
    this.#anchor = row.id;
  };

  #set(row, isOn) {
    if (isOn) this.chosen.add(row.dataset.key);
    else this.chosen.delete(row.dataset.key);
  }

  #extendTo(row) {
    const rows = this.#body;
    const ends = [rows.findIndex((one) => one.id === this.#anchor), rows.indexOf(row)].sort((a, b) => a - b);
    for (const one of rows.slice(Math.max(ends[0], 0), ends[1] + 1)) this.#set(one, true);
    this.#showChosen();
    this.#changed();
  }

  #key = (event) => {
    const cell = event.target.closest("td, th");
    const row = cell?.parentElement;
    const rows = this.#rows;
    const at = rows.indexOf(row);
    if (at < 0 || event.altKey || event.metaKey) return;
    const isButton = event.target.localName === "button";
    if (event.key === "F10" && event.shiftKey) this.#menu(event, row);
    else if (event.key === "ContextMenu") this.#menu(event, row);
    else if (event.key === " " && !isButton && row.dataset.key) this.#chooseBySpace(event, row);
    else if (event.key === "Enter" && !isButton && row.dataset.key) this.#openRow(event, row);
    else this.#move(event, rows, at, cell.cellIndex);
  };

  #menu(event, row) {
    event.preventDefault();
    row.querySelector("[data-menu]")?.click();
  }

  #chooseBySpace(event, row) {
    event.preventDefault();
    this.choose(row.dataset.key);
    this.#anchor = row.id;
  }

  #openRow(event, row) {
    event.preventDefault();
    this.#open(row);
  }

  #move(event, rows, at, column) {
    const last = rows[at].cells.length - 1;
    const steps = {
      ArrowDown: [at + 1, column],
      ArrowUp: [at - 1, column],
      ArrowRight: [at, column + 1],
      ArrowLeft: [at, column - 1],
      Home: [event.ctrlKey ? 0 : at, 0],
      End: [event.ctrlKey ? rows.length - 1 : at, last],
      PageDown: [at + PAGE, column],
      PageUp: [at - PAGE, column],
    };
    const to = steps[event.key];
    if (!to) return;
    event.preventDefault();
    const row = rows[Math.min(Math.max(to[0], 0), rows.length - 1)];
    const cell = row.cells[Math.min(Math.max(to[1], 0), last)];
    if (event.shiftKey && row.dataset.key && event.key.startsWith("Arrow")) {
      this.#anchor ??= rows[at].id;
      this.#extendTo(row);
    } else if (!event.shiftKey) {
      this.#anchor = row.id;
    }
    target(cell).focus();
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}
