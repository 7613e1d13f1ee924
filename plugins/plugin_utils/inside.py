# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the action plugin of a module, and lets Python keep what it compiles of this collection."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
import typing as t
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader

_PLUGINS = __name__.partition(".plugin_utils.")[0]
_KINDS = (SourceFileLoader, [".py"])


class _Finder:
    """Finds the files of this collection as Python finds those of other packages.

    Ansible's own finder compiles each file in each run. Python's keeps the result in ``__pycache__`` where it may, unless its
    own settings say otherwise (``PYTHONDONTWRITEBYTECODE``, ``PYTHONPYCACHEPREFIX``). All else, such as folders, is left to
    Ansible.
    """

    @staticmethod
    def find_spec(name: str, path: t.Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        if not name.startswith(f"{_PLUGINS}."):
            return None
        specs = (FileFinder(folder, _KINDS).find_spec(name) for folder in path or ())
        return next((spec for spec in specs if spec and spec.loader), None)


@contextlib.contextmanager
def _python_finds() -> t.Iterator[None]:
    """Let Python find the files that the body imports, before Ansible's own finder. Afterwards all is as it was.

    Meanwhile nothing is collected: what is imported stays, so a look through all that Ansible holds would find nothing.
    """
    finder, collects = t.cast("t.Any", _Finder), gc.isenabled()
    sys.meta_path.insert(0, finder)
    gc.disable()
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if collects:
            gc.enable()


def action_module(module: str) -> type:
    """Return the class that Ansible takes for the action plugin of a module of this collection."""
    with _python_finds():
        in_process = importlib.import_module(f"{_PLUGINS}.plugin_utils.action").InProcess
        definition = importlib.import_module(f"{_PLUGINS}.modules.{module}").DEFINITION
    return type("ActionModule", (in_process,), {"__doc__": f"Runs {module} inside Ansible.", "definition": definition})
