// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// The page: takes what the emulator tells, and shows what is chosen of it.

import { Model, isThere } from "./model.js";
import { Picture } from "./picture.js";
import { MOST, siteOf } from "./site.js";
import { Stream } from "./stream.js";
import { arrange } from "./tables.js";
import { Views } from "./views.js";
import { element, visible } from "./words.js";

const LIVE = { live: "live", lost: "no connection, trying again" };
const STATES = ["Running", "Starting", "Stopping", "Migrating", "Stopped", "Error", "Destroyed", "Expunging"];
const CHOICES = ["filter", "state", "account"];

const NOTHING = `No group has a VM or a rule yet. The API is at ${location.origin}/client/api`;
const LIFTED = 8; // px above the filter that stay when the head goes
const isNarrow = matchMedia("(max-width: 760px)"); // as in page.css

const part = (id) => document.getElementById(id);
const model = new Model();
const views = new Views(model);
const picture = new Picture(part("picture"), part("fit"));
const waiting = new Set();
let frame = null;

// Draws soon what has changed, once for all changes until then.
function draw(kinds) {
  kinds.forEach((kind) => waiting.add(kind));
  frame ??= requestAnimationFrame(() => {
    frame = null;
    const due = new Set(waiting);
    waiting.clear();
    views.draw(due);
    if (due.has("vm")) drawStates();
    if (due.has("account") || due.has("vm") || due.has("group")) drawAccounts();
    if (due.has("vm") || due.has("group")) drawSite();
    document.body.dataset.ready = "yes";
  });
}

const drawAll = () => draw(Object.keys(model.rows));

function drawSite() {
  const { filter, state } = model.choice;
  const vms = model.of("vm").filter((row) => model.hasState(row));
  const groups = model.of("group").filter((row) => model.isUsed(row));
  // A group is shown if it is what is looked for, or one of its VMs is.
  const held = new Set(vms.filter((row) => model.matches(row)).flatMap((row) => row.groups.map((group) => group.id)));
  const shown = groups
    .filter((row) => (!filter && !state) || held.has(row.id) || (filter && model.matches(row)))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const alone = (row) => row.groups.length || model.matches(row);
  const graph = siteOf(shown.slice(0, MOST), vms.filter(alone), model.hasSeveralOwners);
  picture.show(graph, Math.max(0, shown.length - MOST), groups.length ? "No group matches the filter." : NOTHING);
}

function drawStates() {
  const counts = new Map();
  for (const row of model.of("vm")) counts.set(row.state, (counts.get(row.state) ?? 0) + 1);
  if (model.choice.state && !counts.has(model.choice.state)) counts.set(model.choice.state, 0);
  const there = model.of("vm").filter(isThere).length;
  const names = [
    ...STATES.filter((name) => counts.has(name)),
    ...Array.from(counts.keys()).filter((name) => !STATES.includes(name)),
  ];
  const wanted = [["", there === 1 ? "VM" : "VMs", there], ...names.map((name) => [name, name, counts.get(name)])];
  const place = part("states");
  const old = new Map(Array.from(place.children, (node) => [node.value, node]));
  const buttons = [];
  for (const [value, label, number] of wanted) {
    const button =
      old.get(value) ??
      element(
        "button",
        { type: "button", value },
        element("b"),
        " ",
        element("span", { class: value ? "state" : "", "data-state": value }),
      );
    button.setAttribute("aria-pressed", String(model.choice.state === value));
    button.firstElementChild.textContent = number.toLocaleString("en");
    button.lastElementChild.textContent = visible(label);
    buttons.push(button);
  }
  arrange(place, buttons);
}

function drawAccounts() {
  const names = Array.from(model.rows.account.values(), (row) => row.name);
  const place = part("account");
  const there = Array.from(place.options, (option) => option.value).slice(1);
  if (JSON.stringify(there) !== JSON.stringify(names)) {
    place.replaceChildren(place.options[0], ...names.map((name) => element("option", { value: name }, visible(name))));
    if (!names.includes(model.choice.account)) model.choice.account = "";
    place.value = model.choice.account;
  }
  document.body.classList.toggle("one-account", !model.hasSeveralOwners);
}

function choose(change) {
  Object.assign(model.choice, change);
  const chosen = CHOICES.filter((name) => model.choice[name]).map((name) => [name, model.choice[name]]);
  const query = new URLSearchParams(chosen).toString();
  history.replaceState(null, "", (query ? `?${query}` : location.pathname) + location.hash);
  drawAll();
}

function listen() {
  const filter = part("filter");
  filter.addEventListener("input", () => choose({ filter: filter.value }));
  part("account").addEventListener("change", (event) => choose({ account: event.target.value }));
  part("tools").addEventListener("submit", (event) => event.preventDefault());
  part("states").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) choose({ state: model.choice.state === button.value ? "" : button.value });
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, select, textarea");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      filter.focus();
      filter.select();
    }
    if (event.key === "Escape" && event.target === filter && filter.value) {
      filter.value = "";
      choose({ filter: "" });
    }
  });
  new ResizeObserver(() => document.body.dataset.ready && drawSite()).observe(part("picture"));
  const head = document.querySelector(".head");
  new ResizeObserver(() => {
    const lift = isNarrow.matches ? part("tools").offsetTop - LIFTED : 0;
    document.documentElement.style.setProperty("--lift", `${lift}px`);
    document.documentElement.style.setProperty("--head", `${head.offsetHeight - lift}px`);
  }).observe(head);
}

function begin() {
  const given = new URLSearchParams(location.search);
  for (const name of CHOICES) model.choice[name] = given.get(name) ?? "";
  part("filter").value = model.choice.filter;
  listen();
  const tell = (message) => {
    model.apply(message).forEach((kind) => waiting.add(kind));
    if (message.about) part("about").textContent = `CloudStack ${model.about.version}`;
    if (!message.more) draw([]);
  };
  const live = (how) => {
    part("live").dataset.live = how;
    part("live").textContent = LIVE[how];
  };
  return new Stream("/_emulator/page/changes", tell, live);
}

begin();
