# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields that answers share: the owner of an object, its tags, moments."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection

from .calls import Call
from .collation import collated
from .errors import bad_parameter
from .generation import Differs
from .models import Account, Tag


def ownership(call: Call, owner: str) -> dict[str, str]:
    """The fields that say which account an object belongs to."""
    account = call.store.accounts[owner]
    return call.of(_OWNERSHIP)(account)


def _owner_3(account: Account) -> dict[str, str]:
    return {"account": account.name, "domainid": account.domain_id, "domain": account.domain}


def _owner_4(account: Account) -> dict[str, str]:
    return {**_owner_3(account), "domainpath": account.domain_path}


_OWNERSHIP = Differs(_owner_3, _owner_4)


def tag_list(call: Call, kind: str, id: str) -> list[dict[str, str]]:
    """The `tags` of an object in a listing, in the order of their keys. A tag may have no key."""
    tags = sorted(call.store.tags.get((kind, id), {}).values(), key=lambda tag: collated(tag.key or "").upper())
    return call.of(_TAGS)(call, kind, id, tags) if tags else []


def tag_view(tag: Tag) -> dict[str, str]:
    """Key and value of a tag."""
    return {"value": tag.value} if tag.key is None else {"key": tag.key, "value": tag.value}


def _tags_3(call: Call, kind: str, id: str, tags: list[Tag]) -> list[dict[str, str]]:
    return [tag_view(tag) for tag in tags]


def _tags_4(call: Call, kind: str, id: str, tags: list[Tag]) -> list[dict[str, str]]:
    """CloudStack 4 shows of each tag whose it is, but only those of groups with the path of the domain."""
    one = call.store.tagged(kind, id)
    account = call.store.accounts[one.owner] if one else None
    whose = {"resourcetype": kind, "resourceid": id}
    if account:
        whose |= _owner_4(account) if kind == "SecurityGroup" else _owner_3(account)
    return [
        {**tag_view(tag), **whose, **({"customer": tag.customer} if tag.customer is not None else {})} for tag in tags
    ]


_TAGS: Differs[Callable[[Call, str, str, list[Tag]], list[dict[str, str]]]] = Differs(_tags_3, _tags_4)


def details(call: Call, words: Collection[str]) -> Collection[str]:
    """The words of the parameter `details`: all of these words if it has none, or `all`.

    Raises ApiError (431) for another word.
    """
    wanted = set(call["details"] or ())
    if not wanted <= set(words):
        raise bad_parameter(
            f"The details parameter contains a non permitted value. The allowed values are [{', '.join(words)}]"
        )
    return words if not wanted or "all" in wanted else wanted


def date_text(moment: float) -> str:
    """A moment as answers write it."""
    return _second_text(int(moment))


@functools.lru_cache(maxsize=4096)
def _second_text(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(second))
