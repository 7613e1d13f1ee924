// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// The site as a graph: groups with their VMs, who is outside, and who may send what to whom.

import { isThere } from "./model.js";
import { bundles, isAnywhere } from "./rules.js";
import { byGroup, summary } from "./views.js";
import { count } from "./words.js";

const FEW = 3; // VMs that are named
export const MOST = 80; // groups that are drawn

// Nodes by key, and edges between them. An edge has the text of its ports. It is `out` if a rule for what goes out made
// it.
export function siteOf(groups, vms, withOwners) {
  const members = byGroup(vms);
  const nodes = new Map(groups.map((row) => [row.id, groupNode(row, members.get(row.id) ?? [], withOwners)]));
  const edges = new Map();
  for (const row of groups) {
    for (const out of [false, true]) {
      for (const bundle of bundles(row.rules, out)) {
        const peer = peerOf(nodes, bundle, row, out);
        const [from, to] = out ? [row.id, peer] : [peer, row.id];
        edges.set(`${from} > ${to} ${out}`, { from, to, out, text: bundle.text });
      }
    }
  }
  const alone = vms.filter((row) => !row.groups.length && isThere(row));
  if (alone.length) nodes.set("alone", node("alone", "group", "without a group", [named(alone)]));
  return { nodes, edges: Array.from(edges.values()) };
}

function node(key, kind, title, lines) {
  return { key, kind, title, lines };
}

function groupNode(row, vms, withOwners) {
  const owner = withOwners ? [`of ${row.account}`] : [];
  return node(row.id, "group", row.name, [named(vms), ...owner]);
}

// Few VMs by their names, many by their number and states.
function named(vms) {
  if (!vms.length) return "no VM";
  if (vms.length <= FEW && vms.every((row) => row.state === "Running")) return vms.map((row) => row.name).join(", ");
  const states = new Set(vms.map((row) => row.state));
  return states.size === 1 ? `${count(vms.length, "VM")}, ${vms[0].state}` : summary(vms);
}

// The key of the node that a rule names. A node outside stands beside one group or part of the site, see the layout.
function peerOf(nodes, { rule, name, key }, row, out) {
  if (rule.group) {
    if (!nodes.has(rule.group))
      nodes.set(rule.group, node(rule.group, "other", name, [rule.owner ? `group of ${rule.owner}` : "group"]));
    return rule.group;
  }
  const outside = `${out ? "to" : "from"} ${key}`;
  if (!nodes.has(outside))
    nodes.set(outside, node(outside, "outside", name, [isAnywhere(rule) ? rule.peer : "outside"]));
  return outside;
}

// What the picture shows, in sentences.
export function sentences({ nodes, edges }) {
  const title = (key) => nodes.get(key).title;
  return edges.map(({ from, to, out, text }) =>
    from === to
      ? `VMs of ${title(from)} may reach each other by ${text}.`
      : `${title(from)} may ${out ? "send to" : "reach"} ${title(to)} by ${text}.`,
  );
}
