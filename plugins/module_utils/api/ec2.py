# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of the EC2-compatible API: sends an action, as one account."""

from __future__ import annotations

import re
import typing as t

from . import planned_ids
from .client import LONGEST_GET, Params, is_read, sendable
from .deadline import AnswerTimeout, Deadline
from .decode import Record
from .ec2_decode import decode
from .errors import Ec2Error, GivenUp, Overloaded, UsageError
from .settings import Settings
from .signature import EC2_METHODS, ec2_expiry, ec2_query, ec2_sign
from .transport import TOO_MANY_REQUESTS, Answer, Request, Transport

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
# To check a form's signature, the bridge writes the form anew, with other codes for these characters than the signed ones.
# So it refuses a form with one of them (403). Source: measured on CloudStack 3.0.5 for spaces; its source for the others.
_NOT_IN_FORMS = " *~"
# The longest timeout that a socket takes.
_LONGEST_WAIT = 2_000_000
# After these seconds the bridge stops waiting for a job. Its error then has this text, and no code of its own. Source:
# measured on CloudStack 3.0.5.
_GIVES_UP_AFTER, _GIVEN_UP = 600.0, "async-job query timed out"
_ONE_OF_SEVERAL = re.compile(r"(InstanceId|ResourceId)\.\d+\Z", re.IGNORECASE)
_LISTED = frozenset(action.lower() for action in ACTIONS)


class Ec2Client:
    """Talks to one EC2-compatible endpoint as one account, by EC2's Query API with signatures of version 2.

    Retries, sessions and threads are as in ``Client``. The service answers an action when it has finished it.

    Arguments:
        url: the endpoint, for example ``https://.../awsapi``.
        key, secret: the account's API key and secret key, the same as for the native API.
        version: the version of EC2's API. CloudStack's bridge takes only one.
        wait_timeout: seconds to wait for the answer of an action that changes something, if more than ``timeout``.
        signature_method: ``HmacSHA256`` or ``HmacSHA1``.
        method: ``GET`` or ``POST``. By default GET, and POST for a long request that a form can hold.
        settings: the fields of ``Settings`` (``timeout``, ``retries``, ``verify``, ...). With ``signature_expires`` 0, a
            ``Timestamp`` is sent in place of ``Expires``.
    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        version: str = VERSION,
        wait_timeout: float = 600,
        signature_method: str = "HmacSHA256",
        method: str | None = None,
        **settings: t.Any,
    ) -> None:
        if signature_method not in EC2_METHODS:
            raise UsageError(f"signature_method: {signature_method!r} is none of {', '.join(EC2_METHODS)}")
        common = Settings(**settings)
        self.url = url
        self.version = version
        self.wait_timeout = wait_timeout
        self.signature_method = signature_method
        self.signature_expires = common.signature_expires
        self.method = method
        self.now = common.now
        self.clock = common.clock
        self._key = key
        self._secret = secret
        self._transport = Transport(common, address="ec2_url")

    def call(self, action: str, params: Params | None = None, deadline: Deadline | None = None) -> Record:
        """Send one action and return the fields of its answer.

        ``params`` are plain Python values, see ``flatten``. Returns the content of the answer's root, with the types of
        ``ec2_decode.decode``: ``{"requestId": ..., "reservationSet": [{"instancesSet": [...], ...}]}``.

        Raises ``UsageError`` for values that can't be sent, ``Ec2Error`` where the service refuses, ``NotSent`` where it
        was not reached, ``UnknownOutcome`` where an action that changes something may have been done or not (``GivenUp``
        where the service stopped waiting for it), ``BadAnswer`` where all answers to a reading action were unreadable.
        """
        flat = {
            "Action": action,
            **flatten(params or {}),
            "AWSAccessKeyId": self._key,
            "Version": self.version,
            "SignatureVersion": "2",
            "SignatureMethod": self.signature_method,
        }
        planned_ids.check_request(flat)
        reads = is_read(action)
        timeout = None if reads else AnswerTimeout(min(self.wait_timeout, _LONGEST_WAIT), "wait_timeout")
        began = self.clock()
        try:
            return self._transport.exchange(action, lambda: self._signed(flat), self._read, deadline, reads, timeout)
        except Ec2Error as error:
            took = self.clock() - began
            if not reads and _has_given_up(error, took):
                raise GivenUp(
                    f"{action}: the service stopped waiting for the job after {took:.0f} s. The job may still run "
                    f"({error.text})",
                    action,
                    error.status,
                    error.code,
                    error.text,
                ) from None
            error.partly = not reads and _does_several(flat)
            raise

    def _signed(self, flat: t.Mapping[str, str]) -> Request:
        """Return a request to send now. Its new signature has its full life."""
        params = {**flat, **ec2_expiry(self.signature_expires, self.now())}
        text = ec2_query(params)
        method = self.method
        if method is None:
            as_form = not any(mark in value for value in params.values() for mark in _NOT_IN_FORMS)
            method = "POST" if len(text) > LONGEST_GET and as_form else "GET"
        try:
            params["Signature"] = ec2_sign(method, self.url, params, self._secret)
        except ValueError:  # the address is nonsense, or its port is no number
            raise UsageError(
                f"{flat['Action']}: ec2_url is not a usable http or https address", flat["Action"]
            ) from None
        text = ec2_query(params)
        if method == "GET":
            return Request(f"{self.url}?{text}")
        # The action comes first: the bridge takes the first parameter of a form for encoded already.
        action = ec2_query({"Action": params.pop("Action")})
        form = f"{action}&{ec2_query(params)}"
        return Request(self.url, form.encode(), "application/x-www-form-urlencoded; charset=UTF-8")

    def _read(self, action: str, answer: Answer) -> Record:
        """Return the fields of an answer, or raise its error."""

        def hint(advice: str) -> str:
            return self._transport.clock.hint(self.signature_expires, advice)

        if answer.status == TOO_MANY_REQUESTS:
            raise Overloaded(action, answer.status, answer.retry_after)
        return decode(answer.body, action, answer.status, hint)


def _has_given_up(error: Ec2Error, took: float) -> bool:
    """Tell whether a job may still run after an error that took so many seconds.

    A refusal comes sooner. The error of a failed job has its code.
    """
    late = took >= _GIVES_UP_AFTER or _GIVEN_UP in (error.text or "")
    return late and error.is_internal and error.job_code is None


def _does_several(flat: t.Mapping[str, str]) -> bool:
    """Tell whether an action does several things, one after the other. An action that is not listed may do so."""
    action = flat["Action"].lower()
    if action == "runinstances":
        return (flat.get("MinCount"), flat.get("MaxCount")) != ("1", "1")
    objects = sum(bool(_ONE_OF_SEVERAL.match(name)) for name in flat)
    return objects > 1 or action == "createimage" or action not in _LISTED


def flatten(params: Params) -> dict[str, str]:
    """Return parameters in EC2's form: names with dots and numbers, values as texts.

    ``None`` is left out, ``True`` becomes ``true``. Items of a list are numbered from 1, those of a dictionary have its keys:
    ``{"Filter": [{"Name": "x", "Value": ["a"]}]}`` gives ``Filter.1.Name`` and ``Filter.1.Value.1``.

    Raises ``UsageError`` for an empty list or dictionary (the service can't tell it from one left out, which means all), for
    a name that is there twice, and for characters that the service does not take.
    """
    flat: dict[str, str] = {}
    for name, value in params.items():
        for full, text in _parts(name, value):
            if full in flat:
                raise UsageError(f"{full} is given twice")
            flat[full] = text
    return flat


def _parts(name: str, value: t.Any) -> t.Iterator[tuple[str, str]]:
    if isinstance(value, (dict, list, tuple)):
        if not value:
            raise UsageError(f"{name}: is empty; the service takes this for a parameter that is left out. Leave it out")
        if not isinstance(value, dict) and None in value:
            raise UsageError(f"{name}: an item of the list has no value")
        for key, content in value.items() if isinstance(value, dict) else enumerate(value, 1):
            yield from _parts(f"{name}.{key}", content)
    elif value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not sendable(text):
            raise UsageError(f"{name}: holds a character beyond the basic plane (an emoji?), which the service refuses")
        yield name, text
