import { byId, element, setText } from "./element.js";

export interface Cell {
  text: string;
  attributes?: Record<string, string>;
}

/** A table whose rows keep their place by id. On narrow screens each row becomes a card with its own headings. */
export class KeyedTable {
  readonly #body: HTMLTableSectionElement;
  readonly #blank: HTMLElement;
  readonly #rows = new Map<string, HTMLTableRowElement>();

  constructor(id: string) {
    this.#body = byId(id, HTMLTableSectionElement);
    this.#blank = byId(`${id}-blank`);
  }

  show(rows: { id: string; cells: Cell[] }[], blank: string): void {
    setText(this.#blank, blank);
    this.#blank.hidden = rows.length > 0;
    const ids = new Set(rows.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    rows.forEach(({ id, cells }, place) => {
      const row = this.#fill(id, cells);
      // Moving a row that is in its place would close a selection in it.
      const there = this.#body.rows[place];
      if (there !== row) this.#body.insertBefore(row, there ?? null);
    });
  }

  #fill(id: string, cells: Cell[]): HTMLTableRowElement {
    const row = this.#rows.get(id) ?? this.#append(id);
    cells.forEach(({ text, attributes = {} }, i) => {
      const value = row.cells[i]?.firstElementChild;
      if (value) setText(value, text, attributes);
    });
    return row;
  }

  #append(id: string): HTMLTableRowElement {
    const headings = this.#body.parentElement?.querySelectorAll("th") ?? [];
    const cells = [...headings].map(({ textContent, className }) =>
      element(
        "td",
        { "data-label": textContent.trim(), class: className },
        element("span"),
      ),
    );
    const row = element("tr", {}, ...cells);
    this.#rows.set(id, row);
    this.#body.append(row);
    return row;
  }
}
