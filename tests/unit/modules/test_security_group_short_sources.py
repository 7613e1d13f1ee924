# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups that rules name may be written as names: ``groups: [web]`` is ``groups: [{name: web}]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., dict[str, Any]]
MODULE = "cloudn_security_group"


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize(
    ("short", "names"),
    [
        (["web"], {"web"}),
        ("web", {"web"}),
        ("web,db", {"web", "db"}),
        (["web", {"name": "db"}], {"web", "db"}),
        (["WEB "], {"web"}),
        (["1", 2], {"1", "2"}),
        (["a=b"], {"a=b"}),
        (["name=web"], {"web"}),
        (['{"name": "db"}'], {"db"}),
        (["account"], {"account"}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_a_name_stands_for_a_group(beats: Run, run_module: Run, direction: str, short: Any, names: set[str]) -> None:
    for name in ("web", "db", "1", "2", "a=b", "account"):
        run_module(MODULE, name=name)
    change = f"authorizeSecurityGroup{direction.capitalize()}"
    done = beats(MODULE, ["createSecurityGroup", change], name="own", **{direction: [{"ports": 80, "groups": short}]})
    assert {rule["group"]["name"] for rule in done["security_group"][direction]} == names
    long = [{"ports": 80, "groups": [{"name": name} for name in names]}]
    beats(MODULE, [], name="own", **{direction: long})


def test_a_name_that_no_group_has_is_refused(refused: Callable[..., str], run_module: Run) -> None:
    run_module(MODULE, name="web")
    told = refused(MODULE, name="own", ingress=[{"ports": 80, "cidrs": "192.0.2.1", "groups": ["wbe"]}])
    assert told.startswith(
        "ingress[0].groups[0]: there is no security group 'wbe'. There are: default, web; did you mean"
    )
    told = refused(MODULE, name="own", ingress=[{"ports": 80, "groups": ["web", "dtabase"]}])
    assert told.startswith("ingress[0].groups[1]: there is no security group 'dtabase'. There are: default, web")
