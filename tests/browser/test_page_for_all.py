# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's page for everybody: contrast, small windows, and the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from cloudn_emulator import Emulator
from cloudn_emulator.models import Job
from page_sites import HOSTILE, group, three_tiers
from waiting import soon

pytestmark = pytest.mark.xdist_group("browser")

TAB, ENTER, ESCAPE = "\ue004", "\ue007", "\ue00c"
# The contrast of each text that is shown. Half of the rows look as if they had just changed.
CONTRASTS = """
  const luminance = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const solid = (colour) => { const [, , , alpha = 1] = numbers(colour); return alpha === 1; };
  const ratio = (one, other) => {
    const [light, dark] = [luminance(numbers(one)), luminance(numbers(other))].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  document.querySelectorAll("tbody tr, .feed li").forEach((row, at) => {
    if (at % 2) row.animate([{backgroundColor: getComputedStyle(document.documentElement).getPropertyValue("--mark")}],
      {duration: 1e9, fill: "both"});
  });
  const back = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const colour = one.tagName === "g" && one.querySelector("rect") ? getComputedStyle(one.querySelector("rect")).fill
        : getComputedStyle(one).backgroundColor;
      if (solid(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    const style = getComputedStyle(node);
    if (["TITLE", "title", "desc", "NOSCRIPT", "OPTION"].includes(node.tagName) || style.visibility === "hidden") continue;
    if (!node.getClientRects().length) continue;
    const colours = own ? [node instanceof SVGElement ? style.fill : style.color] : [];
    if (node.placeholder) colours.push(getComputedStyle(node, "::placeholder").color);
    for (const colour of colours) {
      found.push({text: node.textContent.slice(0, 30), tag: node.tagName, colour, back: back(node), ratio: ratio(colour, back(node))});
    }
  }
  return found;
"""
# What has the focus: its name, whether that can be seen, and whether something lies over it.
FOCUS = """
  const one = document.activeElement;
  const style = getComputedStyle(one), place = one.getBoundingClientRect();
  const middle = document.elementFromPoint(place.left + place.width / 2, place.top + Math.min(place.height, 40) / 2);
  return {
    name: one.id || one.innerText.trim().replace(/\\s+/g, " ") || one.tagName,
    visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    hidden: !(middle && (one.contains(middle) || middle.contains(one))),
  };
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_texts_have_enough_contrast(open_page: Callable[..., Any], scheme: str) -> None:
    """WCAG's level AA: 4.5, as no text here is large. Also on what has just changed, and on what is chosen."""
    states = ("Running", "Stopped", "Starting", "Stopping", "Error", "Destroyed", "Expunging", "Migrating", "Unheard")
    fault = [{"kind": "status", "command": "listZones"}]
    with Emulator(vms=len(states), neighbour=True, faults=fault) as emulator:
        three_tiers(emulator)
        for status, hangs in ((0, False), (0, True), (1, False), (2, False)):
            job = Job(f"job{status}{hangs}", "flatuser", "x.StopVMCmd", 1.0, None, None, status, hangs=hangs)
            job.result = {"errorcode": 530, "errortext": "It went wrong"}
            emulator.store.jobs[job.id] = job
        for vm, state in zip(emulator.store.vms.values(), (*states, "Running"), strict=True):
            vm.state = state
        for command in ("listZones", "noSuchCommand"):
            assert requests.get(emulator.url, params={"command": command}, timeout=10).status_code >= 400
        page = open_page(emulator, scheme=scheme)
        assert {"under way", "hangs", "done", "failed"} <= set(page.texts("#jobs .state"))
        found = page.js(CONTRASTS)
        assert len(found) > 100
        assert [one for one in found if one["ratio"] < 4.5] == []
        assert {"rgb(255, 255, 255)", "rgb(22, 27, 34)"} & {one["back"] for one in found}


def test_a_window_of_360_pixels_needs_no_scrolling_sideways(open_page: Callable[..., Any]) -> None:
    with Emulator(vms=30, neighbour=True) as emulator:
        three_tiers(emulator)
        for vm, name in zip(list(emulator.store.vms.values()), HOSTILE, strict=False):
            vm.displayname = vm.name = name
            group(emulator, name, ("tcp", 1, 1, "192.0.2.0/24"))
        page = open_page(emulator, width=360, height=800)
        assert page.js("return [innerWidth, document.documentElement.scrollWidth <= innerWidth]") == [360, True]
        wide = page.js(
            """return [...document.querySelectorAll("body *")].filter((one) => !one.closest("#picture, .places, .unseen, thead, .skip"))
                 .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5).map((one) => one.outerHTML.slice(0, 80))"""
        )
        assert wide == []
        assert page.js("return document.querySelector('#vms tbody td[data-column=Address]').innerText")
        # Tables that are shown as cards are still tables for those who hear them.
        assert page.js("return document.querySelectorAll('[role=table] [role=row] [role=rowheader]').length") > 30
        page.js("window.scrollTo(0, 3000)")
        page.press("/")
        top, bottom = page.js(
            "const one = document.getElementById('filter').getBoundingClientRect(); return [one.top, one.bottom]"
        )
        assert 0 <= top < bottom <= 800


def test_the_page_works_by_keyboard_alone(open_page: Callable[..., Any]) -> None:
    with Emulator(vms=60) as emulator:
        page = open_page(emulator)
        order = []
        for _key in range(40):
            page.press(TAB)
            focused = page.js(FOCUS)
            if focused["name"] == "BODY" or focused in order:
                break
            order.append(focused)
        names = [one["name"] for one in order]
        assert names[0] == "Skip to the virtual machines"
        chips, filter_at, links = names.index("60 VMs"), names.index("filter"), names.index("Site")
        assert chips < filter_at < names.index("account") < links < names.index("picture") < len(names) - 1
        assert [one["name"] for one in order if not one["visible"]] == []
        assert [one["name"] for one in order if one["hidden"]] == []
        page.js("document.activeElement.blur(); scrollTo(0, 0)")
        page.press("/", "web-00001")
        soon(lambda: page.names("vms") == ["web-00001"])
        page.press(ESCAPE)
        soon(lambda: len(page.names("vms")) == 50)
        page.js("document.querySelector('#vms .more').focus()")
        page.press(ENTER)
        soon(lambda: len(page.names("vms")) == 60)
        assert page.js("return document.activeElement.querySelector('bdi').textContent") == page.names("vms")[50]
        page.js("document.querySelector('#states button[value=Stopped]').focus()")
        page.press(ENTER)
        soon(lambda: len(page.names("vms")) == 6)
        pressed = "return [document.activeElement.value, document.activeElement.getAttribute('aria-pressed')]"
        assert page.js(pressed) == ["Stopped", "true"]
        roles = "return ['header', 'nav', 'main', '[role=search]'].map((one) => document.querySelectorAll(one).length)"
        assert page.js(roles) == [1, 1, 1, 1]
        unnamed = """return [...document.querySelectorAll("button, input, select, a, [role=region], nav, table, ol")].filter((one) =>
          !(one.textContent.trim() || one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || one.labels?.length))
          .map((one) => one.outerHTML)"""
        assert page.js(unnamed) == []
        levels = page.js("return [...document.querySelectorAll('h1, h2, h3')].map((one) => one.tagName)")
        assert levels == ["H1", *["H2"] * 7]
