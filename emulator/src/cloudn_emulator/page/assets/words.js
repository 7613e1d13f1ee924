// Copyright: (c) 2026, the cloudn.compute authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Texts as people read them: names without characters that hide, times, sizes, and elements of the page.

// Characters that are not seen, or that change the order of others. They are shown by their number.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}|[\u{e0000}-\u{e007f}]/gu;

export function visible(text) {
  return String(text).replace(UNSEEN, (one) => `\\u${one.codePointAt(0).toString(16).padStart(4, "0")}`);
}

export function short(text, most) {
  const letters = Array.from(visible(text));
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
}

// An element. Texts among its children are shown as texts, whatever is in them.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat(Infinity).filter((child) => child !== "" && child !== null));
  return made;
}

// A name that a user gave. It does not change the direction of what stands around it.
export function given(text, attributes = {}) {
  return text ? element("bdi", attributes, visible(text)) : "";
}

export function state(word) {
  return element("span", { class: "state", "data-state": visible(word) }, visible(word));
}

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

// The time of a moment, with its day unless that is today.
export function time(moment) {
  const date = new Date(moment);
  const day = date.toDateString() === new Date().toDateString() ? "" : `${date.toLocaleDateString("sv")} `;
  return element("time", { datetime: date.toISOString() }, day + TIME.format(date));
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export function milliseconds(number) {
  return number < 10
    ? `${number.toFixed(1)} ms`
    : number < 10000
      ? `${Math.round(number)} ms`
      : `${(number / 1000).toFixed(1)} s`;
}
