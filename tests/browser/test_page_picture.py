# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of the site on the emulator's page, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import screen
from cloudn_emulator import Emulator
from cloudn_emulator.models import Rule
from page_sites import group, three_tiers

pytestmark = pytest.mark.xdist_group("browser")

PLACES = """return [...document.querySelectorAll("#picture .node")].map(
              (node) => [node.querySelector(".name").textContent, node.getBoundingClientRect().left])"""
# Boxes that lie on each other, and texts that are not inside their box.
FAULTS = """
  const boxes = [...document.querySelectorAll("#picture rect")].map((one) => one.getBoundingClientRect());
  const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const faults = [];
  boxes.forEach((one, at) => boxes.slice(at + 1).forEach((other) => over(one, other) && faults.push("boxes " + at)));
  for (const node of document.querySelectorAll("#picture .node")) {
    const box = node.querySelector("rect").getBoundingClientRect();
    for (const text of node.querySelectorAll("text")) {
      const place = text.getBoundingClientRect();
      if (place.left < box.left || place.right > box.right || place.top < box.top || place.bottom > box.bottom)
        faults.push("text " + text.textContent);
    }
  }
  return faults;
"""


def test_the_picture_says_who_may_reach_whom_by_which_port(open_page: Callable[..., Any]) -> None:
    with Emulator(vms=20) as emulator:
        for one in list(emulator.store.security_groups.values()):
            one.rules.clear()
        groups = three_tiers(emulator)
        machines = list(emulator.store.vms.values())
        for vm in machines:
            vm.security_group_ids = [groups[2].id]
        machines[0].security_group_ids = [groups[0].id, groups[1].id]
        page = open_page(emulator)
        assert page.svg(".group .name") and set(page.svg(".group .name")) == {"lb", "www", "data"}
        assert sorted(page.svg(".outside .name")) == ["192.0.2.0/24", "192.0.2.0/24", "anywhere"]
        assert set(page.svg(".ports")) == {"tcp 80, 443 · icmp", "tcp 8080", "tcp 22", "tcp 5432", "sent: udp 53"}
        assert machines[0].name in page.svg(".group .line") and "17 Running, 2 Stopped" in page.svg(".group .line")
        said = page.svg("> desc")[0]
        for sentence in (
            "anywhere may reach lb by tcp 80, 443 · icmp.",
            "lb may reach www by tcp 8080.",
            "www may reach data by tcp 5432.",
            "192.0.2.0/24 may reach data by tcp 22.",
            "data may send to 192.0.2.0/24 by udp 53.",
        ):
            assert sentence in said
        assert page.js(
            """const svg = document.querySelector("#picture svg");
               return svg.getAttribute("role") === "img" && svg.getAttribute("aria-labelledby").split(" ")
                 .every((id) => svg.querySelector("#" + id).textContent)"""
        )
        # Whoever asks is to the left of who answers.
        left = dict(page.js(PLACES))
        assert left["anywhere"] < left["lb"] < left["www"] < left["data"]


@pytest.mark.parametrize("how", ["none", "one", "five", "forty", "circle", "hundred"])
def test_the_picture_is_readable_with_any_number_of_groups(open_page: Callable[..., Any], how: str) -> None:
    with Emulator() as emulator:
        if how == "one":
            group(emulator, "only", ("tcp", 22, 22, "192.0.2.0/24"))
        if how == "five":
            three_tiers(emulator)
            group(
                emulator, "names", ("udp", 53, 53, "::/0"), ("47", 0, 0, "198.51.100.0/24"), ("tcp", 0, 0, "0.0.0.0/0")
            )
            group(emulator, "many ports", *[("tcp", port, port + port % 3, "0.0.0.0/0") for port in range(1, 60, 2)])
        if how in ("forty", "hundred"):
            made: list[Any] = []
            for number in range(40 if how == "forty" else 100):
                before = [("tcp", 8000 + number, 8000 + number, made[number // 2])] if number % 3 else []
                made.append(group(emulator, f"service-{number:03}", ("tcp", 22, 22, "192.0.2.0/24"), *before))
        if how == "circle":
            one, other, third = (group(emulator, name) for name in ("one", "other", "third"))
            for number, (to, peer) in enumerate(((one, other), (other, third), (third, one), (one, one))):
                emulator.store.add_rule(Rule(f"c{number}", to.id, "ingress", "tcp", number, 9, source_id=peer.id))
        page = open_page(emulator)
        wanted = {"none": 0, "one": 1, "five": 5, "forty": 40, "circle": 3, "hundred": 80}[how]
        assert len(page.svg(".group .name")) == wanted
        assert page.js(FAULTS) == []
        assert page.js("return document.documentElement.scrollWidth <= innerWidth")
        if how == "none":
            assert f"The API is at {page.origin}/client/api" in page.texts("#picture")[0]
        if how == "hundred":
            assert "20 more groups are not drawn" in page.texts("#picture")[0]
        if how == "circle":
            assert "↻ each other: tcp 3-9" in page.svg(".ports")


def test_the_screenshot_of_the_documentation_is_small(driver: Any, open_page: Callable[..., Any]) -> None:
    with Emulator(vms=5) as emulator:
        three_tiers(emulator)
        open_page(emulator)
        picture = screen.screenshot(driver)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert 20_000 < len(picture) < 150_000
