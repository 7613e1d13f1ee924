// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Rules of security groups, put together by whom they name: ports of one protocol are one text.

const NUMBERS = /^\d+$/;
const ORDER = ["tcp", "udp", "icmp"];
const ANYWHERE = { "0.0.0.0/0": "anywhere", "::/0": "anywhere (IPv6)" };

// The name of a peer of a rule, as the page calls it.
export function peerName(rule) {
  if (!rule.group) return ANYWHERE[rule.peer] ?? rule.peer ?? "";
  return rule.peer || "a group that is gone";
}

export function isAnywhere(rule) {
  return !rule.group && rule.peer in ANYWHERE;
}

// The rules of one direction: one entry for each peer, with a text such as "tcp 22, 80 · icmp".
export function bundles(rules, out) {
  const peers = new Map();
  for (const rule of rules.filter((one) => one.out === out)) {
    const key = rule.group || `cidr ${rule.peer}`;
    if (!peers.has(key)) peers.set(key, { key, rule, name: peerName(rule), rules: [] });
    peers.get(key).rules.push(rule);
  }
  return Array.from(peers.values(), (one) => ({ ...one, text: portsOf(one.rules) }));
}

export function portsOf(rules, most = 8) {
  const protocols = new Map();
  for (const { protocol, ports } of rules) {
    const name = NUMBERS.test(protocol) ? `protocol ${protocol}` : protocol === "all" ? "all protocols" : protocol;
    protocols.set(name, (protocols.get(name) ?? new Set()).add(ports));
  }
  const place = (name) => ORDER.indexOf(name) + 1 || ORDER.length + 1;
  const sorted = Array.from(protocols).sort(([one], [other]) => place(one) - place(other));
  return Array.from(sorted, ([name, ports]) => [name, portList(ports, most)].filter(Boolean).join(" ")).join(" · ");
}

function portList(ports, most) {
  if (ports.has("")) return "";
  const sorted = Array.from(ports).sort((one, other) => parseInt(one) - parseInt(other) || (one < other ? -1 : 1));
  const shown = sorted.slice(0, most).join(", ");
  return sorted.length > most ? `${shown} and ${sorted.length - most} more` : shown;
}
