# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the collection importable from any checkout, and runs its modules and playbooks against the emulator."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))
# ansible-test imports test files by their names in the collection, and installs no emulator, only what it needs. So what test
# files share, and the emulator, are found here.
sys.path.append(str(pathlib.Path(__file__).parent))
sys.path.extend(str(folder) for folder in pathlib.Path(__file__).parent.glob("unit/*/"))
sys.path.append(str(pathlib.Path(__file__).parent.parent / "emulator" / "src"))

import generations
import summary
from programs import clean_environment
from reaching import connection_to, environment_of
from rewriting import Rewriter, rewriting
from specs import imported

ROOT = pathlib.Path(__file__).parent.parent
Result = dict[str, Any]

pytest_terminal_summary = summary.pytest_terminal_summary


def _is_installed_collection() -> bool:
    """Tell whether the checkout lies in a collections tree already, as under ansible-test."""
    return ROOT.parts[-3:] == ("ansible_collections", "cloudn", "compute")


if not _is_installed_collection():
    # Nothing here may reach a real endpoint, depend on a user's settings, or ask a proxy for this machine.
    _CLEAN = clean_environment()
    os.environ.clear()
    os.environ.update(_CLEAN)
    # One link in a temporary folder, found by Ansible's own collection finder, makes `ansible_collections.cloudn.compute`
    # this checkout, wherever it lies.
    _TREE = tempfile.TemporaryDirectory(prefix="cloudn-collections-")
    _NAMESPACE = pathlib.Path(_TREE.name) / "ansible_collections" / "cloudn"
    _NAMESPACE.mkdir(parents=True)
    (_NAMESPACE / "compute").symlink_to(ROOT)
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = _TREE.name
    os.environ["ANSIBLE_HOME"] = str(pathlib.Path(_TREE.name) / "home")
    os.environ["ANSIBLE_REMOTE_TMP"] = str(pathlib.Path(_TREE.name) / "home" / "tmp")
    os.environ["ANSIBLE_PYTHON_INTERPRETER"] = sys.executable

    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    _AnsibleCollectionFinder(paths=[_TREE.name])._install()
else:
    os.environ["PYTHONPATH"] = os.pathsep.join([os.environ.get("PYTHONPATH", ""), sys.path[-1]])  # for the command line
os.environ["ANSIBLE_LOCALHOST_WARNING"] = "false"
os.environ["ANSIBLE_INVENTORY_UNPARSED_WARNING"] = "false"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", generations.MARKER)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests on a generation that they are not for."""
    left_out = [item for item in items if not generations.runs(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session", params=generations.GENERATIONS, ids=lambda number: f"cloudstack{number}")
def generation(request: pytest.FixtureRequest) -> str:
    """The generation of CloudStack that the emulator shows. A test that needs an emulator runs on each."""
    return str(request.param)


@pytest.fixture(autouse=True)
def no_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator's lists are never old here, unless a test makes them so. No test waits for that."""
    from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import plan

    monkeypatch.setattr(plan, "LAG", 0.0)


@pytest.fixture
def emulator(generation: str) -> Iterator[Any]:
    """An emulator with short jobs and a plain account."""
    from cloudn_emulator import Emulator

    with Emulator(generation=generation, job_seconds=0.05) as running:
        yield running


@pytest.fixture
def client(emulator: Any) -> Any:
    """A client of the collection, to prepare the service and to read it back."""
    from ansible_collections.cloudn.compute.plugins.module_utils.api import Client

    return Client(emulator.url, emulator.api_key, emulator.api_secret)


def _run_main(name: str, arguments: Result, patient: bool) -> Result:
    """Run the real ``main()`` of a module in this process and return its result.

    The emulator's jobs are short, so the module looks sooner than in life how they are, unless it is to be patient.
    """
    from ansible.module_utils import basic
    from ansible_collections.cloudn.compute.plugins.module_utils.api.jobs import pause

    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    output, warnings = io.StringIO(), []
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        # In a process that also is a controller, warnings would go to its screen instead of into the result, and options
        # that are no UTF-8 would be refused before the module sees them.
        patch.setattr(basic.AnsibleModule, "warn", lambda _module, text, **_more: warnings.append(text))
        with contextlib.suppress(ImportError):  # ansible-core 2.18 does not refuse them
            from ansible.module_utils._internal._json import _profiles

            patch.setattr(_profiles, "_string_encoding_check_enabled", lambda: False)
        if not patient:
            patch.setitem(pause.__globals__, "_SHORTEST_PAUSE", 0.02)
        with pytest.raises(SystemExit) as ended:
            imported(name).main()
    return {**json.loads(output.getvalue()), "warnings": warnings, "rc": ended.value.code}


def _run_inside(name: str, arguments: Result) -> Result:
    """Run a module's definition as its action plugin does, and return its result."""
    from ansible_collections.cloudn.compute.plugins.module_utils.api.jobs import pause
    from ansible_collections.cloudn.compute.plugins.plugin_utils import action

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pause.__globals__, "_SHORTEST_PAUSE", 0.02)
        told = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        result = json.loads(action.perform(imported(name).DEFINITION, told))
        action._sessions.clear()  # a worker of Ansible ends, this process does not
    return {**result, "warnings": result.get("warnings", []), "rc": int(bool(result.get("failed")))}


def _runner(emulator: Any) -> Callable[..., Result]:
    def run(
        module: str,
        /,
        _check: bool = False,
        _diff: bool = False,
        _patient: bool = False,
        _inside: bool = False,
        **options: Any,
    ) -> Result:
        connection = {**connection_to(emulator), "ec2_url": emulator.ec2_url, "api_retries": 1}
        # `None` leaves an option of the connection out, as a playbook's `omit` does.
        given = {**connection, **options, "_ansible_check_mode": _check, "_ansible_diff": _diff}
        arguments = {name: value for name, value in given.items() if value is not None or name not in connection}
        return _run_inside(module, arguments) if _inside else _run_main(module, arguments, _patient)

    return run


@pytest.fixture
def run_module(emulator: Any) -> Callable[..., Result]:
    """Return a function that runs a module against the emulator: ``run_module(name, _check=False, **options)``.

    With ``_inside`` it is done as an action plugin does it inside Ansible. The result is the module's, with ``rc`` and, where
    it failed, ``failed`` and ``msg``.
    """
    return _runner(emulator)


@pytest.fixture
def rewriter(emulator: Any) -> Iterator[Rewriter]:
    """A proxy before the emulator that changes answers, as its ``change`` says."""
    with rewriting(emulator) as proxy:
        yield proxy


@pytest.fixture
def run_rewritten(rewriter: Rewriter) -> Callable[..., Result]:
    """Return a function that runs a module as ``run_module`` does, through the proxy."""
    return _runner(rewriter)


@pytest.fixture(scope="session")
def runner_of() -> Callable[[Any], Callable[..., Result]]:
    """Return a function that makes the runner of an emulator, or of a proxy before one."""
    return _runner


@pytest.fixture(scope="session")
def run_module_as(
    generation: str,
) -> Callable[..., contextlib.AbstractContextManager[tuple[Callable[..., Result], Any]]]:
    """Return a context manager that starts another emulator: ``with run_module_as(account="admin") as (run, emulator)``."""

    @contextlib.contextmanager
    def start(**options: Any) -> Iterator[tuple[Callable[..., Result], Any]]:
        from cloudn_emulator import Emulator

        with Emulator(**{"generation": generation, "job_seconds": 0.05, **options}) as running:
            yield _runner(running), running

    return start


@pytest.fixture
def environment(emulator: Any) -> dict[str, str]:
    """The environment in which commands of Ansible reach the emulator."""
    return environment_of(emulator)


@pytest.fixture
def playbook(environment: dict[str, str], tmp_path: pathlib.Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs real ansible-playbook on a file or a text.

    ``run(source, *arguments, environment={...})``: the environment is added to the one that reaches the emulator.
    """
    reach = environment

    def run(
        source: str | pathlib.Path, *arguments: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        path = source
        if isinstance(source, str):
            path = tmp_path / "playbook.yml"
            path.write_text(source)
        command = ["ansible-playbook", str(path), *arguments]
        return subprocess.run(
            command, env={**reach, **(environment or {})}, capture_output=True, text=True, check=False, timeout=300
        )

    return run
