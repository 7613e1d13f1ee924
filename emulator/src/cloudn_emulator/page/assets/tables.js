// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Tables and lists that change a row only where it has changed, and show the first rows of many.

import { count, element } from "./words.js";

// A table in a section of the page: `columns` are titles, `cells` gives the contents of a row.
export class Table {
  constructor(section, title, columns, cells, most = 50) {
    this.cells = cells;
    this.columns = columns;
    const head = element(
      "tr",
      { role: "row" },
      columns.map((column) => element("th", { scope: "col", role: "columnheader", "data-column": column }, column)),
    );
    this.body = element("tbody", { role: "rowgroup" });
    const table = element(
      "table",
      { role: "table", "aria-labelledby": title },
      element("thead", { role: "rowgroup" }, head),
      this.body,
    );
    section.append(element("div", { class: "table" }, table));
    this.window = new Window(section, this.body, most, (row) => this.row(row));
  }

  row(row) {
    const cells = this.cells(row).map((cell, number) => {
      const role = number ? "cell" : "rowheader";
      const name = number ? "td" : "th";
      const more = number ? {} : { scope: "row" };
      const column = this.columns[number];
      const isEmpty = [cell].flat(Infinity).every((part) => part === "" || part === null);
      return element(name, { role, ...more, "data-column": column, ...(isEmpty ? { class: "empty" } : {}) }, cell);
    });
    return element("tr", { role: "row" }, cells);
  }

  show(rows, nothing) {
    this.window.show(rows, nothing);
  }
}

export class List {
  constructor(section, title, item, most = 30) {
    const body = element("ol", { class: "feed", "aria-labelledby": title });
    section.append(body);
    this.window = new Window(section, body, most, (row) => element("li", {}, item(row)));
  }

  show(rows, nothing) {
    this.window.show(rows, nothing);
  }
}

// The first rows of many, each made once and again when its `version` has changed.
class Window {
  constructor(section, body, most, make) {
    this.body = body;
    this.step = this.most = most;
    this.make = make;
    this.made = new Map();
    this.nothing = element("p", { class: "note" });
    this.more = element("button", { type: "button", class: "more" });
    this.more.addEventListener("click", () => {
      const first = this.most;
      this.most += this.step;
      this.draw();
      // The button may be gone now. What it has brought comes next.
      if (this.more.hidden) focus(this.body.children[first]);
    });
    section.append(this.nothing, this.more);
    this.rows = [];
  }

  show(rows, nothing) {
    this.rows = rows;
    this.nothing.textContent = nothing;
    this.draw();
  }

  draw() {
    const shown = this.rows.slice(0, this.most);
    const made = new Map();
    const isFirst = !this.made.size;
    for (const row of shown) {
      const old = this.made.get(row.id);
      const version = row.version ?? row;
      if (old && old.version === version) {
        made.set(row.id, old);
      } else {
        const node = this.make(row);
        if (!isFirst && (!old || row.flashes !== false)) node.classList.add("new");
        made.set(row.id, { version, node });
      }
    }
    arrange(
      this.body,
      Array.from(made.values(), (one) => one.node),
    );
    this.made = made;
    const left = this.rows.length - shown.length;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${Math.min(left, this.step)} more of ${count(this.rows.length, "row")}`;
    this.nothing.hidden = this.rows.length > 0;
  }
}

// Puts nodes into a place in their order. It moves only what must be moved, so the focus stays where it is.
export function arrange(place, nodes) {
  const wanted = new Set(nodes);
  for (const node of Array.from(place.children)) if (!wanted.has(node)) node.remove();
  let next = place.firstElementChild;
  for (const node of nodes) {
    if (node === next) next = next.nextElementSibling;
    else place.insertBefore(node, next);
  }
}

function focus(node) {
  if (!node) return;
  node.tabIndex = -1;
  node.focus();
}
