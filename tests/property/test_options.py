# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is written into a task: a result or an error that is a sentence, and no change before a complaint."""

from __future__ import annotations

import importlib
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from hypothesis import given
from hypothesis import strategies as st

Result = dict[str, Any]
MODULES = sorted(path.stem for path in (pathlib.Path(__file__).parents[2] / "plugins" / "modules").glob("cloudn_*.py"))
NEW = {"zone": "jp-e1a", "template": "CentOS 6.2 64bit", "service_offering": "v1"}
CONNECTION = ("api_url", "api_key", "api_secret", "api_timeout", "api_retries", "validate_certs", "ca_path")
# What people write, by accident or not.
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "web1",
            "data",
            "default",
            "jp-e1a",
            "CentOS 6.2 64bit",
            "v1",
            "Small",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "日本語の名前",
            "\U0001f600",
            "{{ lookup('pipe', 'false') }}",
            "a,b",
            "back\\slash",
            "100%",
            "under_score",
            "quote'\"",
            "line\nbreak",
            "\x00\x01",
            "x" * 5000,
            "../../etc/passwd",
            "-1",
            "6h",
            "null",
            "https://images.example.com/x.vhd",
            "ftp://u:p@x/y",
            "listVolumes",
            "DescribeVolumes",
            "RunInstances",
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=30),  # Ansible itself takes no other
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def right(option: Result) -> st.SearchStrategy[Any]:
    """Values of the type that an option has."""
    if "choices" in option and option.get("type") != "list":
        return st.sampled_from(option["choices"])
    kind = option.get("type", "str")
    if kind == "list":
        if option.get("elements") == "dict":
            return st.lists(mapping(option.get("options", {})), max_size=3)
        return st.lists(TEXTS, max_size=3)
    simple = {
        "str": TEXTS,
        "path": TEXTS,
        "bool": st.booleans(),
        "int": st.integers(-5, 10**6),
        "float": st.floats(-1, 10),
        "dict": st.dictionaries(TEXTS, TEXTS | st.integers() | st.booleans(), max_size=3),
    }
    return simple[kind]


def mapping(options: Result) -> st.SearchStrategy[Result]:
    """Options of a task: mostly of their types, now and then anything."""
    values = {name: right(option) | right(option) | ANYTHING for name, option in options.items()}
    return st.fixed_dictionaries({}, optional=values)


def spec(name: str) -> Result:
    """A module's own options."""
    module = importlib.import_module(f"ansible_collections.cloudn.compute.plugins.modules.{name}")
    return {option: told for option, told in module.SPEC.items() if option not in CONNECTION}


@pytest.mark.parametrize("name", MODULES)
def test_options(name: str, run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=0.005) as (run, emulator):
        run("cloudn_vm", name="web1", **NEW)
        run("cloudn_volume", name="data", zone="jp-e1a", disk_offering="Small")

        @given(mapping(spec(name)))
        def holds(options: Result) -> None:
            emulator.clear()
            done = run(name, **{**options, "wait_timeout": 2} if "wait_timeout" in spec(name) else options)
            changes = [request for request in emulator.requests if not is_read(request["command"])]
            if done.get("failed"):
                assert "Traceback" not in done["msg"]
                assert len(done["msg"]) > 10
                # What fails before there is a plan has changed nothing; what the service refused says which command it was.
                assert not changes or "actions" in done or "command" in done
            assert all(request["status"] != 530 or "error" in str(done) for request in emulator.requests)

        holds()
