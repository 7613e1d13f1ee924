# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of the EC2-compatible API: one action at the service, as one account."""

from __future__ import annotations

import re
import time
import typing as t

from .client import LONGEST_GET, Params, is_read, sendable
from .deadline import Deadline
from .decode import Record
from .ec2_decode import decode
from .errors import Ec2Error, GivenUp, UsageError
from .signature import EC2_METHODS, ec2_moment, ec2_query, ec2_sign
from .transport import Answer, Patience, Request, Transport

VERSION = "2010-11-15"
# The actions that the service's manual lists, by their names in EC2.
ACTIONS = (
    "DescribeInstances",
    "RunInstances",
    "RebootInstances",
    "StartInstances",
    "StopInstances",
    "TerminateInstances",
    "ModifyInstanceAttribute",
    "CreateImage",
    "DescribeImages",
    "DeregisterImage",
    "ModifyImageAttribute",
    "CreateSnapshot",
    "DeleteSnapshot",
    "DescribeSnapshots",
    "AttachVolume",
    "DeleteVolume",
    "DescribeVolumes",
    "DetachVolume",
)
# The bridge checks a form by writing it anew, with `+` for a space and these as they are not signed, so a form that holds
# one is refused (403). Source: measured on CloudStack 3.0.5 for spaces; for the others, its source.
_NOT_IN_FORMS = " *~"
# Sockets take no longer times.
_LONGEST_WAIT = 2_000_000
# Seconds after which the bridge waits no longer for a job, and what it says then. That error has no code of its own. Source:
# measured on CloudStack 3.0.5.
_GIVES_UP_AFTER, _GIVEN_UP = 600.0, "async-job query timed out"
_SEVERAL = re.compile(r"(InstanceId|ResourceId)\.\d+\Z", re.IGNORECASE)
_LISTED = frozenset(action.lower() for action in ACTIONS)


class Ec2Client:
    """Talks to one EC2-compatible endpoint as one account, by EC2's Query API with signatures of version 2.

    Retries, sessions and threads are as in ``Client``: actions that only read are tried again, others are sent again only
    when they certainly did not reach the service. The service answers these only when it has done them.

    Arguments:
        url: the endpoint, for example ``https://.../awsapi``.
        key, secret: the account's API key and secret key, those of the native API.
        version: the version of EC2's API that is spoken; CloudStack's bridge takes one alone.
        timeout: seconds to wait for a connection, and for an answer that only reads.
        wait_timeout: seconds to wait for the answer of what changes something, if that is more than ``timeout``.
        retries: how many times a reading action is tried again.
        verify: whether TLS certificates are verified, or the path of a file with certificates to trust.
        signature_method: ``HmacSHA256`` or ``HmacSHA1``.
        signature_expires: seconds for which a signature holds (``Expires``); 0 sends a ``Timestamp`` instead.
        method: ``GET`` or ``POST``; by default GET, and POST where a request is long and may be sent so.
        sleep, now, clock: for tests.
    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        version: str = VERSION,
        timeout: float = 30,
        wait_timeout: float = 600,
        retries: int = 5,
        verify: bool | str = True,
        signature_method: str = "HmacSHA256",
        signature_expires: int = 600,
        method: str | None = None,
        sleep: t.Callable[[float], None] = time.sleep,
        now: t.Callable[[], float] = time.time,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        if signature_method not in EC2_METHODS:
            raise UsageError(f"signature_method: {signature_method!r} is none of {', '.join(EC2_METHODS)}")
        self.url = url
        self.version = version
        self.wait_timeout = wait_timeout
        self.signature_method = signature_method
        self.signature_expires = signature_expires
        self.method = method
        self.now = now
        self.clock = clock
        self._key = key
        self._secret = secret
        self._transport = Transport(timeout, retries, verify, sleep, now, address="ec2_url")

    def call(self, action: str, params: Params | None = None, deadline: Deadline | None = None) -> Record:
        """Send one action and return the fields of its answer.

        ``params`` are plain Python values, see ``flatten``. Returns the content of the answer's root, with its types as
        ``ec2_decode.decode`` tells: ``{"requestId": ..., "reservationSet": [{"instancesSet": [...], ...}]}``.

        Raises ``UsageError`` for values that can't be sent, ``Ec2Error`` when the service refuses, ``NotSent`` when it was
        not reached, ``UnknownOutcome`` when an action that changes something may have been done or not (``GivenUp`` where the
        service has waited too long for it), ``BadAnswer`` when a reading one was answered with something unreadable to the
        end.
        """
        flat = {
            "Action": action,
            **flatten(params or {}),
            "AWSAccessKeyId": self._key,
            "Version": self.version,
            "SignatureVersion": "2",
            "SignatureMethod": self.signature_method,
        }
        reads = is_read(action)
        patience = None if reads else Patience(min(self.wait_timeout, _LONGEST_WAIT), "wait_timeout")
        began = self.clock()
        try:
            return self._transport.exchange(action, lambda: self._signed(flat), self._read, deadline, reads, patience)
        except Ec2Error as error:
            took = self.clock() - began
            if not reads and _has_given_up(error, took):
                raise GivenUp(
                    f"{action}: after {took:.0f} s the service waits no longer for the job, which may still run "
                    f"({error.text})",
                    action,
                    error.status,
                    error.code,
                    error.text,
                ) from None
            error.partly = not reads and _does_several(flat)
            raise

    def _signed(self, flat: t.Mapping[str, str]) -> Request:
        """Return a request to send now: signed anew, so that it holds for its full life."""
        params = {**flat, **ec2_moment(self.signature_expires, self.now())}
        text = ec2_query(params)
        method = self.method
        if method is None:
            as_form = not any(mark in value for value in params.values() for mark in _NOT_IN_FORMS)
            method = "POST" if len(text) > LONGEST_GET and as_form else "GET"
        try:
            params["Signature"] = ec2_sign(method, self.url, params, self._secret)
        except ValueError:  # an address without sense, a port that is no number
            raise UsageError(f"{flat['Action']}: ec2_url is no usable http or https address", flat["Action"]) from None
        text = ec2_query(params)
        if method == "GET":
            return Request(f"{self.url}?{text}")
        # The action comes first: the bridge takes the first one of a form for encoded already.
        action = ec2_query({"Action": params.pop("Action")})
        form = f"{action}&{ec2_query(params)}"
        return Request(self.url, form.encode(), "application/x-www-form-urlencoded; charset=UTF-8")

    def _read(self, action: str, answer: Answer) -> Record:
        """Return the fields of an answer, or raise the error that it stands for."""

        def hint(advice: str) -> str:
            return self._transport.clock_hint(self.signature_expires, advice)

        return decode(answer.body, action, answer.status, hint)


def _has_given_up(error: Ec2Error, took: float) -> bool:
    """Tell whether a job may still run after an error that came after so many seconds.

    What the service refuses at once, it refuses sooner. A job that failed is told with its code.
    """
    late = took >= _GIVES_UP_AFTER or _GIVEN_UP in (error.text or "")
    return late and error.is_internal and error.job_code is None


def _does_several(flat: t.Mapping[str, str]) -> bool:
    """Tell whether an action does several things, one after the other. That is not known of those that are not listed."""
    action = flat["Action"].lower()
    if action == "runinstances":
        return (flat.get("MinCount"), flat.get("MaxCount")) != ("1", "1")
    objects = sum(bool(_SEVERAL.match(name)) for name in flat)
    return objects > 1 or action == "createimage" or action not in _LISTED


def flatten(params: Params) -> dict[str, str]:
    """Return parameters in EC2's form: names with dots and numbers, values as texts.

    ``None`` is left out, ``True`` becomes ``true``. A list is numbered from 1, and what is in a dictionary is named after
    it: ``{"Filter": [{"Name": "x", "Value": ["a"]}]}`` gives ``Filter.1.Name`` and ``Filter.1.Value.1``.

    Raises ``UsageError`` for an empty list or dictionary, which can't be told from one left out (and would mean all), for a
    name that is there twice, and for characters that the service does not take.
    """
    flat: dict[str, str] = {}
    for name, value in params.items():
        for full, text in _parts(name, value):
            if full in flat:
                raise UsageError(f"{full} is given twice")
            flat[full] = text
    return flat


def _parts(name: str, value: t.Any) -> t.Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, (dict, list, tuple)):
        inner = value.items() if isinstance(value, dict) else enumerate(value, 1)
        if not value:
            raise UsageError(f"{name}: is empty, which the service can't tell from a parameter left out; leave it out")
        if isinstance(value, (list, tuple)) and None in value:
            raise UsageError(f"{name}: an item of the list has no value")
        for key, content in inner:
            yield from _parts(f"{name}.{key}", content)
        return
    if isinstance(value, bool):
        yield name, "true" if value else "false"
        return
    text = str(value)
    if not sendable(text):
        raise UsageError(f"{name}: holds a character beyond the basic plane (an emoji?), which the service refuses")
    yield name, text
