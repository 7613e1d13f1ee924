// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// What stands in each table and list.

import { isThere } from "./model.js";
import { bundles } from "./rules.js";
import { List, Table } from "./tables.js";
import { count, element, given, milliseconds, state, time, visible } from "./words.js";

const small = (...children) => element("small", {}, ...children);
const lines = (nodes) => nodes.map((node) => element("div", {}, node));
const soft = (text) => small(given(text));

function vm(row) {
  return [
    [
      given(row.name),
      row.shown ? soft(row.shown) : "",
      row.keys.length ? soft(`key pair: ${row.keys.join(", ")}`) : "",
      row.tags.length
        ? element(
            "small",
            { class: "tags" },
            row.tags.map((tag) => given(tag)),
          )
        : "",
    ],
    state(row.state),
    lines(row.addresses),
    [
      lines(row.groups.map((group) => given(group.name))),
      lines(row.affinity.map((name) => soft(`affinity: ${name}`))),
      row.group ? soft(`instance group: ${row.group}`) : "",
    ],
    [given(row.zone), row.host ? soft(row.host) : ""],
    [given(row.plan), soft(row.template)],
    time(row.created * 1000),
    given(row.account),
  ];
}

function group(row) {
  return [
    [
      given(row.name),
      row.text ? soft(row.text) : "",
      row.isOther ? soft(`of ${row.account}`) : "",
      row.locked ? small("locked by a change") : "",
    ],
    row.members || small("none"),
    rules(row, false, "nothing"),
    rules(row, true, "everything"),
    given(row.account),
  ];
}

function rules(row, out, none) {
  const found = bundles(row.rules, out);
  if (!found.length) return small(none);
  return lines(
    found.map((one) =>
      element("span", {}, element("b", {}, visible(one.text)), out ? " to " : " from ", given(one.name)),
    ),
  );
}

function volume(row) {
  const on = row.vm ? [given(row.vm), small(`device ${row.device}`)] : row.state === "Destroy" ? "" : small("nothing");
  const kept = [
    row.snapshots ? count(row.snapshots, "snapshot") : "",
    row.policies ? count(row.policies, "policy", "policies") : "",
  ];
  return [
    given(row.name),
    state(row.state),
    [row.kind, soft(row.offering)],
    `${row.gib.toLocaleString("en")} GiB`,
    on,
    kept.filter(Boolean).join(", "),
    given(row.zone),
    given(row.account),
  ];
}

function account(row) {
  return [
    [given(row.name), row.own ? small("of this emulator") : "", row.asks ? "" : small("has no key, cannot ask")],
    row.kind,
    given(row.domain),
    row.counts.vm,
    row.counts.group,
    row.counts.volume,
    row.pairs,
  ].map((cell) => (typeof cell === "number" ? String(cell) : cell));
}

function job(row) {
  const error = row.error ? element("p", { class: "error" }, row.code ? `${row.code}: ` : "", given(row.error)) : "";
  const times = [
    time(row.created * 1000),
    row.completed ? ` ${milliseconds((row.completed - row.created) * 1000)}` : "",
  ];
  return [
    element("p", {}, element("b", {}, given(row.command)), " ", given(row.about)),
    element("p", { class: "facts" }, state(row.state), element("span", {}, times), owner(row)),
    error,
  ];
}

function request(row) {
  const answer = row.status ? String(row.status) : "no answer";
  const isGood = row.status >= 200 && row.status < 400;
  return [
    element(
      "p",
      {},
      element("b", {}, row.command ? given(row.command) : "no command"),
      " ",
      given(row.params, { class: "params" }),
    ),
    element(
      "p",
      { class: "facts" },
      element("span", { class: isGood ? "good" : "bad" }, answer),
      element("span", {}, milliseconds(row.ms)),
      element("span", {}, time(row.time)),
      owner(row),
      row.fault ? element("span", {}, `fault: ${row.fault}`) : "",
    ),
    row.error ? element("p", { class: "error" }, given(row.error)) : "",
  ];
}

function owner(row) {
  return row.account ? element("span", { class: "owner" }, given(row.account)) : element("span", {}, "no account");
}

const section = (id) => document.getElementById(id);

// Shows each kind of object that has changed.
export class Views {
  constructor(model) {
    this.model = model;
    const table = (id, columns, cells) => new Table(section(id), `${id}-title`, columns, cells);
    this.views = {
      vm: table("vms", ["Name", "State", "Address", "Groups", "Zone", "Plan", "Created", "Account"], vm),
      group: table("groups", ["Name", "VMs", "Lets in", "Lets out", "Account"], group),
      volume: table(
        "volumes",
        ["Name", "State", "Kind", "Size", "Attached to", "Snapshots", "Zone", "Account"],
        volume,
      ),
      account: table("accounts", ["Name", "Kind", "Domain", "VMs", "Groups", "Volumes", "Key pairs"], account),
      job: new List(section("jobs"), "jobs-title", job, 6),
      request: new List(section("requests"), "requests-title", request, 25),
    };
  }

  draw(kinds) {
    // Groups and accounts tell how many VMs and volumes they have.
    const all = new Set(kinds);
    if (all.has("vm")) all.add("group");
    if (all.has("vm") || all.has("group") || all.has("volume")) all.add("account");
    for (const kind of all) {
      const rows = this.model.shown(kind).map(this.told(kind));
      this.views[kind].show(rows, this.model.of(kind).length ? "Nothing matches the filter." : NOTHING[kind]);
      this.count(kind, rows.length);
    }
  }

  count(kind, shown) {
    const there = this.model.of(kind).length;
    const text =
      shown === there ? there.toLocaleString("en") : `${shown.toLocaleString("en")} of ${there.toLocaleString("en")}`;
    for (const node of document.querySelectorAll(`[data-count="${kind}"]`)) node.textContent = text;
  }

  // What a row tells besides what it was told. Such a row has a version, by which it is known again.
  told(kind) {
    if (kind === "group") {
      const members = byGroup(this.model.of("vm"));
      const own = Array.from(this.model.rows.account.values()).find((row) => row.own)?.name;
      return (row) => {
        const text = summary(members.get(row.id) ?? []);
        return versioned({ ...row, members: text, isOther: row.account !== own }, [row, text, own]);
      };
    }
    if (kind === "account") {
      const counts = Object.fromEntries(["vm", "group", "volume"].map((one) => [one, byAccount(this.model.rows[one])]));
      return (row) => {
        const own = Object.fromEntries(Object.entries(counts).map(([one, found]) => [one, found.get(row.name) ?? 0]));
        return versioned({ ...row, counts: own }, [row, own]);
      };
    }
    return (row) => row;
  }
}

const NOTHING = {
  vm: "No VM yet.",
  group: "No security group yet.",
  volume: "No volume yet.",
  job: "No job yet.",
  account: "No account.",
  request: "No request yet.",
};

function versioned(row, parts) {
  return Object.assign(row, { version: JSON.stringify(parts), flashes: false });
}

function byAccount(rows) {
  const found = new Map();
  for (const row of rows.values()) if (isThere(row)) found.set(row.account, (found.get(row.account) ?? 0) + 1);
  return found;
}

// The VMs of each group, by its id. Those that are destroyed are left out.
export function byGroup(vms) {
  const found = new Map();
  for (const row of vms.filter(isThere)) {
    for (const { id } of row.groups) found.set(id, [...(found.get(id) ?? []), row]);
  }
  return found;
}

// How many VMs there are, by state.
export function summary(vms) {
  const states = new Map();
  for (const row of vms) states.set(row.state, (states.get(row.state) ?? 0) + 1);
  return Array.from(states, ([name, number]) => `${number.toLocaleString("en")} ${name}`)
    .sort()
    .join(", ");
}
