// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Where the boxes and lines of the picture are: parts of the site side by side, each in columns from who asks to who
// answers.

export const SLOT = 20; // the height of the line of a box that says which ports an arrow is for
const HEAD = 26,
  LINE = 16,
  PAD = 8; // of a box: its title, a line below it, its margin
const GAP = 16,
  BEND = 6; // between boxes, and the height of a place where a line goes through a column
const BETWEEN = 64; // columns
const APART = 32; // parts of the site
const SWEEPS = 8;

// Gives the places of boxes and lines. `measure` gives the width of a node's box, with the texts of its slots.
export function layout({ nodes, edges }, width, measure) {
  const parts = partsOf(nodes, edges).map((part) => placed(part, measure));
  return packed(parts, width);
}

// Groups that rules connect are one part. Each part has nodes outside of its own.
function partsOf(nodes, edges) {
  const parent = new Map(Array.from(nodes.keys(), (key) => [key, key]));
  const root = (key) => {
    while (parent.get(key) !== key) key = parent.get(key);
    return key;
  };
  const isOutside = (key) => nodes.get(key).kind === "outside";
  for (const { from, to } of edges) if (!isOutside(from) && !isOutside(to)) parent.set(root(from), root(to));
  const parts = new Map();
  const partOf = (key) => {
    if (!parts.has(root(key))) parts.set(root(key), { nodes: new Map(), edges: [] });
    return parts.get(root(key));
  };
  for (const [key, node] of nodes) if (!isOutside(key)) partOf(key).nodes.set(key, node);
  for (const edge of edges) {
    const part = partOf(isOutside(edge.from) ? edge.to : edge.from);
    for (const key of [edge.from, edge.to]) part.nodes.set(key, nodes.get(key));
    part.edges.push(edge);
  }
  return Array.from(parts.values()).sort((one, other) => size(other) - size(one));
}

const size = (part) => part.nodes.size + (part.edges.length ? 1000 : 0);

function placed(part, measure) {
  const ranks = ranksOf(part);
  const columns = Array.from({ length: Math.max(...ranks.values()) + 1 }, () => []);
  const boxes = new Map();
  for (const [key, node] of part.nodes) {
    const coming = part.edges.filter((edge) => edge.to === key);
    const height = HEAD + LINE * node.lines.length + PAD + coming.length * SLOT;
    const box = { key, node, coming, width: measure(node, coming), height, rank: ranks.get(key) };
    boxes.set(key, box);
    columns[box.rank].push(box);
  }
  const routes = part.edges.filter((edge) => edge.from !== edge.to).map((edge) => route(edge, boxes, columns));
  const neighbours = neighboursOf(routes);
  untangle(columns, neighbours);
  setAcross(columns);
  setDown(columns, neighbours);
  return { boxes: Array.from(boxes.values()), lines: drawn(routes, boxes), ...extent(columns) };
}

// The column of each node: who is outside first, then each group to the right of those that may reach it.
function ranksOf({ nodes, edges }) {
  const kind = (key) => nodes.get(key).kind;
  const links = edges.filter(({ from, to }) => from !== to && kind(from) !== "outside" && kind(to) !== "outside");
  const before = new Map(Array.from(nodes.keys(), (key) => [key, new Set()]));
  const after = new Map(Array.from(nodes.keys(), (key) => [key, new Set()]));
  for (const { from, to } of links) {
    // A link that would close a circle goes back, to the left.
    const [first, second] = reaches(after, to, from) ? [to, from] : [from, to];
    after.get(first).add(second);
    before.get(second).add(first);
  }
  const least = edges.some(({ from }) => kind(from) === "outside") ? 1 : 0;
  const ranks = new Map();
  const rank = (key) => {
    if (!ranks.has(key)) ranks.set(key, Math.max(least, ...Array.from(before.get(key), (one) => rank(one) + 1)));
    return ranks.get(key);
  };
  const isOutside = (key) => kind(key) === "outside";
  const inside = Array.from(nodes.keys()).filter((key) => !isOutside(key));
  const last = Math.max(...inside.map(rank)) + 1;
  const senders = new Set(edges.map(({ from }) => from));
  for (const key of nodes.keys()) if (isOutside(key)) ranks.set(key, senders.has(key) ? 0 : last);
  return ranks;
}

function reaches(after, from, to) {
  const seen = new Set();
  const open = [from];
  while (open.length) {
    const key = open.pop();
    if (key === to) return true;
    if (!seen.has(key)) {
      seen.add(key);
      open.push(...after.get(key));
    }
  }
  return false;
}

// The boxes and bends that a line goes through. Lines of one box to the same side go together as long as they can.
function route(edge, boxes, columns) {
  const from = boxes.get(edge.from),
    to = boxes.get(edge.to);
  const step = Math.sign(to.rank - from.rank) || 1;
  const places = [from];
  for (let rank = from.rank + step; rank !== to.rank; rank += step) {
    const key = `${edge.from} ${step} ${rank}`;
    let bend = columns[rank].find((one) => one.key === key);
    if (!bend) columns[rank].push((bend = { key, width: 0, height: BEND, rank, isBend: true }));
    places.push(bend);
  }
  places.push(to);
  return { edge, step, places };
}

function neighboursOf(routes) {
  const found = new Map();
  const link = (one, other) => found.set(one, (found.get(one) ?? new Set()).add(other));
  for (const { places } of routes) {
    for (let at = 1; at < places.length; at++) {
      link(places[at - 1], places[at]);
      link(places[at], places[at - 1]);
    }
  }
  return found;
}

// Sorts each column by the means of the neighbours' places, so that few lines cross.
function untangle(columns, neighbours) {
  const at = new Map();
  const number = (column) => column.forEach((place, index) => at.set(place, (index + 0.5) / column.length));
  columns.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const forward = sweep % 2 === 0;
    for (const column of forward ? columns : columns.slice().reverse()) {
      const means = new Map();
      for (const place of column) {
        const near = Array.from(neighbours.get(place) ?? []).filter((one) =>
          forward ? one.rank < place.rank : one.rank > place.rank,
        );
        means.set(place, near.length ? near.reduce((sum, one) => sum + at.get(one), 0) / near.length : at.get(place));
      }
      column.sort((one, other) => means.get(one) - means.get(other));
      number(column);
    }
  }
}

function setAcross(columns) {
  let left = 0;
  for (const column of columns) {
    const width = Math.max(0, ...column.map((place) => place.width));
    for (const place of column) {
      place.x = left;
      if (place.isBend || place.node.kind !== "outside") place.width = width;
      else if (place.rank === 0) place.x = left + width - place.width; // outside, towards the site
    }
    left += width + BETWEEN;
  }
}

// Puts each place as near to the height of its neighbours as the others of its column let it.
function setDown(columns, neighbours) {
  for (const column of columns) {
    let top = 0;
    for (const place of column) {
      place.y = top;
      top += place.height + GAP;
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const column of sweep % 2 ? columns : columns.slice().reverse()) level(column, neighbours);
  }
  const first = Math.min(...columns.flat().map((place) => place.y));
  for (const place of columns.flat()) place.y -= first;
}

function level(column, neighbours) {
  const wanted = column.map((place) => {
    const near = Array.from(neighbours.get(place) ?? []);
    return near.length ? near.reduce((sum, one) => sum + middle(one), 0) / near.length - place.height / 2 : place.y;
  });
  let top = -Infinity;
  column.forEach((place, index) => {
    place.y = Math.max(wanted[index], top);
    top = place.y + place.height + GAP;
  });
  // Where they push each other down, they all go up by as much.
  const push = column.reduce((sum, place, index) => sum + place.y - wanted[index], 0) / (column.length || 1);
  for (const place of column) place.y -= push;
}

const middle = (place) => place.y + place.height / 2;

function extent(columns) {
  const places = columns.flat();
  const right = (place) => place.x + place.width;
  return { width: Math.max(...places.map(right)), height: Math.max(...places.map((place) => place.y + place.height)) };
}

// The lines, as paths from box to box. The part that several lines share is drawn once.
function drawn(routes, boxes) {
  for (const box of boxes.values()) {
    const sides = new Map(routes.filter(({ edge }) => edge.to === box.key).map((one) => [one.edge, one]));
    const height = (edge) => (sides.has(edge) ? middle(sides.get(edge).places.at(-2)) : Infinity);
    box.coming.sort((one, other) => height(one) - height(other) || 0);
    box.slots = box.coming.map((edge, index) => ({
      edge,
      side: sides.has(edge) ? sides.get(edge).step : 0,
      y: box.height - PAD / 2 - (box.coming.length - index - 0.5) * SLOT,
    }));
  }
  const lines = new Map();
  for (const { edge, step, places } of routes) {
    for (let at = 1; at < places.length; at++) {
      const [from, to] = [places[at - 1], places[at]];
      const isLast = at === places.length - 1;
      const key = isLast ? edge : to;
      if (!lines.has(key))
        lines.set(key, {
          from,
          to,
          step,
          edges: [],
          isLast,
          slot: isLast ? boxes.get(to.key).slots.find((one) => one.edge === edge) : null,
        });
      lines.get(key).edges.push(edge);
    }
  }
  return Array.from(lines.values());
}

// Puts the parts side by side, in rows that are no wider than `width` if that can be.
function packed(parts, width) {
  let x = 0,
    y = 0,
    high = 0,
    wide = 0;
  for (const part of parts) {
    if (x && x + part.width > width) {
      y += high + APART;
      x = high = 0;
    }
    Object.assign(part, { x, y });
    x += part.width + APART;
    high = Math.max(high, part.height);
    wide = Math.max(wide, x - APART);
  }
  return { parts, width: wide, height: y + high };
}
