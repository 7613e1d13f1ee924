# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of cloudn_site: what is wrong is told with its path, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asked import sent_to
from samples import KEY, NEW

Result = dict[str, Any]
SITE = "cloudn_site"
IMAGE = {"template": NEW["template"], "service_offering": "v1"}
WEB: Result = {"name": ["web1"], **IMAGE}
DATA: Result = {"name": "data", "disk_offering": "Small"}
PAIR: Result = {"name": "deploy", "public_key": KEY}


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({"name": " "}, ["name: is empty"]),
        ({"name": "x" * 256}, ["name: must have 1 to 255 characters"]),
        ({"max_parallel": 0}, ["max_parallel: must be at least 1"]),
        ({"max_jobs": 0}, ["max_jobs: must be at least 1"]),
        # objects that are declared twice
        ({"vms": [WEB, {**WEB, "name": ["x", "web1"]}]}, ["vms[1].name: 'web1' is declared in vms[0] already"]),
        ({"volumes": [DATA, DATA]}, ["volumes[1].name: 'data' is declared in volumes[0] already"]),
        (
            {"security_groups": [{"name": "web"}, {"name": "WEB "}]},
            ["security_groups[1].name: 'WEB ' is declared in security_groups[0] already", "takes it for 'web'"],
        ),
        ({"key_pairs": [PAIR, PAIR]}, ["key_pairs[1].name: 'deploy' is declared in key_pairs[0] already"]),
        # items
        ({"vms": [WEB, {**WEB, "name": ["x"], "tempalte": "y"}]}, ["vms[1].tempalte", "template"]),
        ({"vms": [{**IMAGE}]}, ["vms[0]", "name"]),
        ({"vms": [{**WEB, "name": []}]}, ["vms[0].name"]),
        ({"vms": [{**WEB, "state": "running"}]}, ["vms[0].state"]),
        ({"volumes": [{**DATA, "size_gb": "big"}]}, ["volumes[0].size_gb"]),
        ({"volumes": [{"id": "0f8fad5b-d9cb-469f-a165-70867728950e"}]}, ["volumes[0].name"]),
        ({"key_pairs": [{"name": "deploy"}]}, ["key_pairs[0].public_key: is needed"]),
        ({"security_groups": [{"name": "web", "ingress": [{"port": 22}]}]}, ["security_groups[0].ingress[0].port"]),
        # what belongs to the whole site
        ({"vms": [{**WEB, "wait": False}]}, ["vms[0].wait"]),
        ({"vms": [{**WEB, "wait_timeout": 5}]}, ["vms[0].wait_timeout"]),
        ({"vms": [{**WEB, "max_parallel": 5}]}, ["vms[0].max_parallel"]),
        ({"vms": [{**WEB, "api_url": "http://127.0.0.1"}]}, ["vms[0].api_url"]),
        ({"vms": [{**WEB, "state": "absent"}]}, ["vms[0].state", "absent"]),
        ({"vms": [{**WEB, "state": "restarted"}]}, ["vms[0].state", "restarted"]),
        ({"volumes": [{**DATA, "state": "absent"}]}, ["volumes[0].state", "absent"]),
        ({"security_groups": [{"name": "web", "state": "absent"}]}, ["security_groups[0].state", "absent"]),
        ({"security_groups": [{"name": "web", "wait_for_expunge": True}]}, ["security_groups[0].wait_for_expunge"]),
        ({"key_pairs": [{**PAIR, "state": "absent"}]}, ["key_pairs[0].state", "absent"]),
        ({"vms": [{**WEB, "tags": {"Cloudn_Site": "x"}}]}, ["vms[0].tags", "the tag of the site itself"]),
        # several at once
        (
            {"vms": [{**WEB, "wait": True}], "volumes": [{**DATA, "state": "absent"}]},
            ["vms[0].wait", "volumes[0].state"],
        ),
        # options that do not go together
        ({"vms": [WEB], "only": ["web1"], "prune": True}, ["prune: does not go with only"]),
        ({"vms": [WEB], "only": []}, ["only: the list is empty"]),
        ({"vms": [WEB], "only": ["wbe1"]}, ["only[0]: the site declares no 'wbe1'", "web1"]),
        ({"vms": [WEB], "only": ["web1"], "state": "absent"}, ["only: does not go with state: absent"]),
        ({"state": "absent", "prune": True}, ["prune: does not go with state: absent"]),
        ({"state": "absent", "adopt": True}, ["adopt: does not go with state: absent"]),
    ],
)
def test_what_is_wrong_is_told_with_its_path_before_anything_is_sent(
    refused: Callable[..., str], emulator: Any, options: Result, texts: list[str]
) -> None:
    said = refused(SITE, **{"name": "shop", "zone": "jp-e1a", **options})
    assert all(text in said for text in texts), said
    assert sent_to(emulator) == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"vms": [{**WEB, "template": "CentOS 9"}]}, "vms[0].template"),
        ({"vms": [WEB, {**WEB, "name": ["x"], "service_offering": "v99"}]}, "vms[1].service_offering"),
        ({"vms": [{**WEB, "security_groups": ["nowhere"]}]}, "vms[0].security_groups"),
        ({"vms": [{**WEB, "key_pair": "nobody"}]}, "vms[0].key_pair"),
        ({"volumes": [{**DATA, "vm": "nowhere"}]}, "volumes[0].vm"),
        (
            {"security_groups": [{"name": "web", "ingress": [{"ports": 1, "groups": [{"name": "nowhere"}]}]}]},
            "security_groups[0].ingress[0].groups[0]",
        ),
    ],
)
def test_what_the_service_does_not_have_is_told_with_its_path(
    refused: Callable[..., str], options: Result, text: str
) -> None:
    assert text in refused(SITE, name="shop", zone="jp-e1a", **options)


def test_errors_that_only_follow_from_another_are_not_told(refused: Callable[..., str]) -> None:
    vms = [{**WEB, "template": "CentOS 9"}]
    said = refused(SITE, name="shop", zone="jp-e1a", vms=vms, volumes=[{**DATA, "vm": "web1"}])
    assert "vms[0].template" in said
    assert "volumes[0]" not in said
