# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and names that the tests of the page put into an emulator."""

from __future__ import annotations

from typing import Any

from cloudn_emulator import Emulator
from cloudn_emulator.models import Rule

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</bdi></svg><script>document.title='taken'</script>",
    "photo\u202egpj.exe",
    "مرحبا بالعالم",
    "javascript:alert(1)",
    "a\u200bb\x07c\u2028d",
    "W" * 255,
    "&lt;b&gt; {{7*7}} ${7*7} `",
    "\ud800 alone",
)


def group(emulator: Emulator, name: str, *rules: tuple[Any, ...], owner: str = "flatuser") -> Any:
    """Add a group to an emulator, with rules: protocol, ports, CIDR or group, and whether it is for what goes out."""
    made = emulator.store.add_security_group(name, owner, f"about {name}")
    for protocol, start, end, peer, *out in rules:
        place = {"source_id": peer.id} if hasattr(peer, "id") else {"cidr": peer}
        way = "egress" if out else "ingress"
        emulator.store.add_rule(Rule(f"{len(emulator.store.rules)}", made.id, way, protocol, start, end, **place))
    return made


def three_tiers(emulator: Emulator) -> list[Any]:
    """Three groups, each for the one before it."""
    world, office = "0.0.0.0/0", "192.0.2.0/24"
    web = group(emulator, "lb", ("tcp", 80, 80, world), ("tcp", 443, 443, world), ("icmp", -1, -1, world))
    app = group(emulator, "www", ("tcp", 8080, 8080, web), ("tcp", 22, 22, office))
    data = group(emulator, "data", ("tcp", 5432, 5432, app), ("tcp", 22, 22, office), ("udp", 53, 53, office, "out"))
    return [web, app, data]
