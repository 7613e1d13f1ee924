// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// What the emulator has told, and which of it is shown.

const KINDS = ["vm", "group", "volume", "job", "account", "request"];
const GONE = new Set(["Destroyed", "Expunging", "Destroy"]);

export class Model {
  constructor() {
    this.rows = Object.fromEntries(KINDS.map((kind) => [kind, new Map()]));
    this.about = {};
    this.choice = { filter: "", state: "", account: "" };
  }

  // Takes in a message; returns the kinds of which something is new.
  apply({ about, set, gone }) {
    const kinds = new Set([...Object.keys(set), ...Object.keys(gone)]);
    this.named = null;
    if (about) {
      this.about = about;
      for (const kind of KINDS) this.rows[kind].clear();
      KINDS.forEach((kind) => kinds.add(kind));
    }
    for (const [kind, rows] of Object.entries(set)) {
      for (const [id, row] of Object.entries(rows)) {
        this.rows[kind].set(id, Object.assign(row, { id, words: leaves(row).join(" ").toLowerCase() + " " + id }));
      }
    }
    for (const [kind, ids] of Object.entries(gone)) ids.forEach((id) => this.rows[kind].delete(id));
    return kinds;
  }

  // All rows of a kind of the chosen account.
  of(kind) {
    const { account } = this.choice;
    const rows = Array.from(this.rows[kind].values());
    return account ? rows.filter((row) => row.account === account) : rows;
  }

  // The rows of a kind that are shown, in their order.
  shown(kind) {
    const rows = this.of(kind).filter((row) => this.matches(row) && (kind !== "vm" || this.hasState(row)));
    return rows.sort(ORDER[kind]);
  }

  hasState(row) {
    return !this.choice.state || row.state === this.choice.state;
  }

  matches(row) {
    const words = this.choice.filter.toLowerCase().split(/\s+/).filter(Boolean);
    return words.every((word) => row.words.includes(word));
  }

  // Whether a group has VMs or rules, or a rule that names it. Each account has a group that often has none.
  isUsed(group) {
    return group.rules.length > 0 || this.namedGroups.has(group.id);
  }

  // The ids of the groups that VMs are in and that rules name.
  get namedGroups() {
    this.named ??= new Set([
      ...Array.from(this.rows.vm.values())
        .filter(isThere)
        .flatMap((row) => row.groups.map((group) => group.id)),
      ...Array.from(this.rows.group.values()).flatMap((row) => row.rules.map((rule) => rule.group)),
    ]);
    return this.named;
  }

  // Whether what is shown belongs to more than one account.
  get hasSeveralOwners() {
    if (this.choice.account) return false;
    const groups = Array.from(this.rows.group.values()).filter((row) => this.isUsed(row));
    const owners = [...this.rows.vm.values(), ...this.rows.volume.values(), ...groups].map((row) => row.account);
    return new Set(owners).size > 1;
  }
}

export function isThere(row) {
  return !GONE.has(row.state);
}

function leaves(value) {
  if (value === null || value === undefined || value === false) return [];
  if (typeof value !== "object") return [String(value)];
  return Object.values(value).flatMap(leaves);
}

const text = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
const newest = (one, other) => other.serial - one.serial;
const under = (row) => (row.completed === null ? 0 : 1);
const ORDER = {
  vm: (one, other) => isThere(other) - isThere(one) || newest(one, other),
  volume: (one, other) => isThere(other) - isThere(one) || newest(one, other),
  group: (one, other) => text(one.account, other.account) || text(one.name, other.name) || one.serial - other.serial,
  job: (one, other) => under(one) - under(other) || other.created - one.created,
  account: (one, other) => other.own - one.own || text(one.name, other.name),
  request: (one, other) => Number(other.id) - Number(one.id),
};
