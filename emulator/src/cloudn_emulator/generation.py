# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generations of CloudStack, and how things that differ between them stand beside each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .errors import INTERNAL, NO_COMMAND, UNAUTHORIZED, ApiError

Thing = TypeVar("Thing")
NOT_VERIFIED = "unable to verify user credentials and/or request signature"


class Differs(Generic[Thing]):
    """A thing that each generation has in its own way: `Differs(three, four)`, a column for each generation.

    What one command does in another way stands in its module as such a value, and `call.of` gives the column of the
    server. A generation to come is one more column.
    """

    __slots__ = ("columns",)

    def __init__(self, *columns: Thing) -> None:
        self.columns = columns


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation of CloudStack: what differs for all commands.

    `name` is its number, `column` its place in each `Differs`. `version` is in listCapabilities and in each answer in
    XML. `classes` gives the class that a job shows as its command, for its package and name in CloudStack 4 and for
    whether an administrator asks. `success` is the answer of a command without a job that has nothing else to say.
    `no_command` is the error for a command that does not exist, `not_granted` for one that the account lacks, by its
    name and the account's. `job_code` gives the code of a failed job for the code of its error. `cause` says whether
    errors have the code of their Java class (`cserrorcode`). `counts_all` says whether the `count` of a listing is of
    all its pages. `compact` says whether JSON has no blanks. `reasons` are the reason phrases of HTTP statuses, `dated`
    says whether answers have the header Date. `longest_get` is how many characters an address may have, if that is
    limited, `longest_form` how many bytes a form may have, and `too_long_form` the status of the answer to a longer one.
    `utf8_forms` says whether a form is UTF-8 without a charset, `bridge` whether there is an EC2-compatible API,
    `pages_all` whether all listings have pages, `takes_rows` whether an id may be the number of a row. `refuses_first`
    says whether a command that is not granted is refused before its signature is checked.
    """

    name: str
    column: int
    version: str
    json_type: str
    xml_type: str
    classes: Callable[[str, bool], str]
    success: Any
    no_command: ApiError
    not_granted: Callable[[str, str], ApiError]
    job_code: Callable[[int], int]
    cause: bool
    counts_all: bool
    compact: bool
    reasons: dict[int, str]
    dated: bool
    longest_get: int | None
    longest_form: int
    too_long_form: int
    utf8_forms: bool
    bridge: bool
    pages_all: bool
    takes_rows: bool
    refuses_first: bool

    def of(self, thing: Differs[Thing]) -> Thing:
        """The column of this generation."""
        return thing.columns[self.column]

    def error(self, error: ApiError) -> dict[str, Any]:
        """The body of an error. In XML its empty list leaves no element. Refused credentials have no cause."""
        body: dict[str, Any] = {"uuidList": [], "errorcode": error.code}
        if self.cause and error.code != UNAUTHORIZED:
            body["cserrorcode"] = error.cause
            body["uuidList"] = [{"uuid": id, "description": what} for what, id in error.named.items()]
        return {**body, "errortext": error.text}


CLOUDSTACK_3 = Generation(
    name="3",
    column=0,
    version="3.0.5.20121008162729",
    json_type="text/javascript;charset=UTF-8",
    xml_type="text/xml;charset=UTF-8",
    classes=lambda path, for_admin: f"com.cloud.api.commands.{path.rpartition('.')[2]}",
    success="true",  # a text; the result of a job has the boolean
    no_command=ApiError(NO_COMMAND, "The given command does not exist"),
    not_granted=lambda name, account: ApiError(NO_COMMAND, f"The given command:{name} does not exist"),
    job_code=lambda code: INTERNAL,  # for each reason; the result has the real code
    cause=False,
    counts_all=False,
    compact=False,
    reasons={},
    dated=True,
    longest_get=None,
    # Not measured: the web server's default, and what HTTP has for it.
    longest_form=2 * 1024**2,
    too_long_form=413,
    utf8_forms=False,
    bridge=True,
    pages_all=False,
    takes_rows=False,
    refuses_first=False,
)

# Commands whose class is another one for administrators.
_OF_ADMINISTRATORS = ("user.vm.DeployVMCmd", "user.vm.DestroyVMCmd", "user.vm.StartVMCmd")


def _class_of_4(path: str, for_admin: bool) -> str:
    if for_admin and path in _OF_ADMINISTRATORS:
        path = path.replace("user.", "admin.", 1) + "ByAdmin"
    return f"org.apache.cloudstack.api.command.{path}"


# Measured on CloudStack 4.23.
CLOUDSTACK_4 = Generation(
    name="4",
    column=1,
    version="4.23.0.0-SNAPSHOT",
    json_type="application/json;charset=utf-8",
    xml_type="text/xml;charset=utf-8",
    classes=_class_of_4,
    success=True,
    no_command=ApiError(UNAUTHORIZED, NOT_VERIFIED),
    not_granted=lambda name, account: ApiError(
        NO_COMMAND, f"The API [{name}] does not exist or is not available for the account {account}."
    ),
    job_code=lambda code: code,
    cause=True,
    counts_all=True,
    compact=True,
    reasons={
        200: "OK",
        400: "Bad Request",
        401: "Unauthorized",
        429: "Too Many Requests",
        431: "Request Header Fields Too Large",
    },
    dated=False,
    longest_get=7500,  # 7,000 characters pass, 8,000 do not
    longest_form=1024**2,
    too_long_form=404,
    utf8_forms=True,
    bridge=False,
    pages_all=True,
    takes_rows=True,
    refuses_first=True,
)
GENERATIONS = {"3": CLOUDSTACK_3, "4": CLOUDSTACK_4}
