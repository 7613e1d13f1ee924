// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Draws the site as SVG.

import { layout } from "./layout.js";
import { sentences } from "./site.js";
import { count, short, visible } from "./words.js";

const NAME = "http://www.w3.org/2000/svg";
const LETTERS = 26; // of a title that are shown
const WIDEST = 44; // letters of other lines
const MARGIN = 12;
const NARROWEST = 92;
const SENTENCES = 300;

function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS(NAME, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

let pen;
function widthOf(text, font) {
  pen ??= document.createElement("canvas").getContext("2d");
  pen.font = font;
  return pen.measureText(text).width;
}

export class Picture {
  // `fit` is the button that makes a wide picture as small as its place.
  constructor(place, fit) {
    this.place = place;
    this.fit = fit;
    fit.addEventListener("click", () => fit.setAttribute("aria-pressed", String(place.classList.toggle("fit"))));
    this.drawn = "";
    const style = getComputedStyle(place);
    this.fonts = { title: `600 14px ${style.fontFamily}`, line: `12px ${style.fontFamily}` };
  }

  // Draws a graph, if it is another one than the last time. `left` groups have no place in it. `nothing` is the text
  // for an empty one.
  show(graph, left, nothing) {
    const width = this.place.clientWidth - 2 * MARGIN;
    const sign = JSON.stringify([Array.from(graph.nodes.values()), graph.edges, left, nothing, width]);
    if (sign === this.drawn) return;
    this.drawn = sign;
    this.place.replaceChildren();
    const places = graph.nodes.size ? layout(graph, width, (node, coming) => this.measure(node, coming)) : null;
    this.fit.hidden = !places || (places.width <= width && !this.place.classList.contains("fit"));
    if (!places) return this.note(nothing);
    this.place.append(this.picture(graph, places));
    if (left) this.note(`${count(left, "more group is", "more groups are")} not drawn. Use the filter to see others.`);
  }

  note(text) {
    const made = document.createElement("p");
    made.className = "note";
    made.textContent = text;
    this.place.append(made);
  }

  measure(node, coming) {
    const title = widthOf(short(node.title, LETTERS), this.fonts.title);
    const lines = [...node.lines, ...coming.map(slotText)].map(
      (text) => widthOf(short(text, WIDEST), this.fonts.line) + 14,
    );
    return Math.ceil(Math.max(NARROWEST, title + 24, ...lines.map((one) => one + 12)));
  }

  picture(graph, { parts, width, height }) {
    const sizes = { width: width + 2 * MARGIN, height: height + 2 * MARGIN };
    const svg = shape("svg", {
      ...sizes,
      viewBox: `0 0 ${sizes.width} ${sizes.height}`,
      role: "img",
      "aria-labelledby": "picture-title picture-text",
    });
    svg.append(
      shape("title", { id: "picture-title" }, titleOf(graph)),
      shape("desc", { id: "picture-text" }, textOf(graph)),
      tips(),
    );
    for (const part of parts) {
      const lines = part.lines.map((line) => drawnLine(line));
      const boxes = part.boxes.map((box) => this.box(box));
      svg.append(shape("g", { transform: `translate(${part.x + MARGIN} ${part.y + MARGIN})` }, ...lines, ...boxes));
    }
    svg.addEventListener("pointerover", (event) => highlight(svg, event.target.closest?.(".node")?.dataset.key));
    svg.addEventListener("pointerleave", () => highlight(svg));
    return svg;
  }

  box({ key, node, x, y, width, height, slots }) {
    const group = shape("g", { class: `node ${node.kind}`, transform: `translate(${x} ${y})`, "data-key": key });
    group.append(
      shape("title", {}, [node.title, ...node.lines].map(visible).join("\n")),
      shape("rect", { width, height, rx: node.kind === "outside" ? 14 : 6 }),
    );
    group.append(shape("text", { class: "name", x: 12, y: 19 }, short(node.title, LETTERS)));
    node.lines.forEach((line, index) =>
      group.append(shape("text", { class: "line", x: 12, y: 36 + 16 * index }, short(line, WIDEST))),
    );
    if (slots.length) group.append(shape("path", { class: "rule", d: `M0 ${slots[0].y - 10}H${width}` }));
    for (const { edge, side, y: top } of slots) {
      const place = side < 0 ? { x: width - 12, "text-anchor": "end" } : { x: 12 };
      group.append(shape("text", { class: "ports", y: top + 4, ...place }, short(slotText(edge), WIDEST)));
    }
    return group;
  }
}

const slotText = ({ from, to, out, text }) => (from === to ? `↻ each other: ${text}` : out ? `sent: ${text}` : text);

function tips() {
  const tip = (id) =>
    shape(
      "marker",
      { id, class: "tip", viewBox: "0 0 8 8", refX: 7.5, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
      shape("path", { d: "M0 0 8 4 0 8z" }),
    );
  return shape("defs", {}, tip("tip"));
}

function drawnLine({ from, to, step, slot, isLast, edges }) {
  const goesOn = step > 0;
  const isSmall = from.isBend || from.node.kind === "outside";
  const start = { x: goesOn ? from.x + from.width : from.x, y: isSmall ? from.y + from.height / 2 : from.y + 15 };
  const end = { x: goesOn ? to.x : to.x + to.width, y: slot ? to.y + slot.y : to.y + to.height / 2 };
  const half = (start.x + end.x) / 2;
  const through = to.isBend ? `H${goesOn ? to.x + to.width : to.x}` : "";
  const d = `M${start.x} ${start.y}C${half} ${start.y} ${half} ${end.y} ${end.x} ${end.y}${through}`;
  const ends = edges.flatMap((edge) => [edge.from, edge.to]);
  const line = shape("path", {
    class: edges.every((edge) => edge.out) ? "arrow out" : "arrow",
    d,
    ...(isLast ? { "marker-end": "url(#tip)" } : {}),
  });
  line.ends = new Set(ends);
  return line;
}

// Shows which lines end at a node, and leaves the others pale.
function highlight(svg, key) {
  svg.classList.toggle("chosen", Boolean(key));
  for (const line of svg.querySelectorAll(".arrow")) line.classList.toggle("on", Boolean(key) && line.ends.has(key));
}

function titleOf({ nodes, edges }) {
  const groups = Array.from(nodes.values()).filter((node) => node.kind === "group").length;
  return `The site: ${count(groups, "group")}, ${count(edges.length, "way", "ways")} between them and from outside`;
}

function textOf(graph) {
  const all = sentences(graph).map(visible);
  const more = all.length > SENTENCES ? [`${all.length - SENTENCES} more are in the table of groups.`] : [];
  return all.length ? [...all.slice(0, SENTENCES), ...more].join(" ") : "No rule lets anything in.";
}
