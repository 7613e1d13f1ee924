# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file with what check mode has planned: for its owner only, whole at any time, and safe with several writers."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import stat

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError
from ansible_collections.cloudn.compute.plugins.module_utils.planned.store import Store, name_of, once


def test_it_keeps_what_it_is_given(tmp_path: pathlib.Path) -> None:
    store = Store(str(tmp_path / "one"))
    assert store.load() == {}
    with store.change() as data:
        data["made"] = {"listVolumes": [{"id": "planned-volume-1"}]}
    assert Store(str(tmp_path / "one")).load() == {"made": {"listVolumes": [{"id": "planned-volume-1"}]}}


def test_only_its_owner_can_read_it(tmp_path: pathlib.Path) -> None:
    mask = os.umask(0)
    try:
        with Store(str(tmp_path / "one")).change() as data:
            data["a"] = 1
    finally:
        os.umask(mask)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_change_that_fails_is_not_kept(tmp_path: pathlib.Path) -> None:
    store = Store(str(tmp_path / "one"))

    def fail() -> None:
        with store.change() as data:
            data["a"] = 1
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert store.load() == {}


def add(path: str, times: int) -> None:
    for _time in range(times):
        with Store(path).change() as data:
            data["count"] = data.get("count", 0) + 1
            data["padding"] = "x" * 100_000  # a reader must not see half of it
        assert Store(path).load()["count"]


def test_no_change_is_lost_with_several_writers(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "one")
    writers = [multiprocessing.get_context("fork").Process(target=add, args=(path, 20)) for _writer in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 6
    assert Store(path).load()["count"] == 120


def test_its_name_tells_accounts_apart_and_tells_nothing_about_them() -> None:
    names = [
        name_of("run", "https://a/api", "key", None),
        name_of("run", "https://a/api", "other", None),
        name_of("run", "https://b/api", "key", None),
        name_of("run", "https://a/api", "key", "account"),
        name_of("tasks", "https://a/api", "key", None),
    ]
    assert len(set(names)) == len(names)
    assert not any("key" in name or "api" in name for name in names)


def test_a_file_that_cannot_be_used_is_an_error(tmp_path: pathlib.Path) -> None:
    (tmp_path / "one").write_text("{")
    with pytest.raises(CloudnError, match="local_tmp"):
        Store(str(tmp_path / "one")).load()
    with pytest.raises(CloudnError, match="local_tmp"), Store(str(tmp_path / "no" / "one")).change():
        pass


def test_once(tmp_path: pathlib.Path) -> None:
    assert once(str(tmp_path / "mark"))
    assert not once(str(tmp_path / "mark"))
    assert once(str(tmp_path / "no" / "mark"))
