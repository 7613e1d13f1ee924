# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an exception of requests says: whether anything may have reached the service, and what to do."""

from __future__ import annotations

import re
import ssl
import typing as t

from .errors import CloudnError, NotSent, UnknownOutcome, UsageError

if t.TYPE_CHECKING:
    from .transport import Patience

_UNUSABLE = (
    "is no usable http or https address, or the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY) is none"
)
_PROXY = (
    "check the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY; NO_PROXY lists hosts to reach without it)"
)
# Words for what OpenSSL finds wrong with a certificate, by the numbers it has for that (X509_V_ERR_*).
_OTHER_HOST, _OTHER_ADDRESS = 62, 64
_CERTIFICATE = {
    9: "is not valid yet; check the clocks of the service and of this machine",
    10: "has expired; who runs the service must renew it",
    _OTHER_HOST: "is for another host; check the name in {address}",
    _OTHER_ADDRESS: "is for another host; check the name in {address}",
}
_UNTRUSTED = "is of no authority that is trusted here; give its authority with ca_path, or check {address}"
# What OpenSSL calls a connection that just ends, as any other may.
_BROKE_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
_REFUSED_WAY = re.compile(r"Tunnel connection failed: (\d+)")  # in these words http.client tells what a proxy answered


def explain(command: str, error: Exception, patience: Patience, address: str) -> CloudnError:
    """Return the error to raise for an exception of requests, urllib3 or the socket, by a session of ours.

    ``patience`` tells how long the answer had, ``address`` is the option with the service's address.
    Nothing of the exception's text is taken over that may hold an address, a key or a password.
    """
    import requests
    from urllib3 import exceptions

    usage = (
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        exceptions.LocationValueError,
        UnicodeError,  # a host name that can't be one
        TypeError,  # an address of a proxy that ends where its host should be
    )
    if isinstance(error, usage):
        return UsageError(f"{command}: {address} {_UNUSABLE}", command)
    if error.__class__ is OSError and error.errno is None:  # none of the many that are made of it
        # So requests tells that there are no certificates to trust; what ca_path names has been looked at before.
        return UsageError(
            f"{command}: there are no certificates where REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE of the environment says; "
            "correct that, or set ca_path",
            command,
        )
    reason, proxy = _reason(error)
    # ValueError: of urllib3, which in some versions looks itself for the host's name, and so has no number.
    if isinstance(reason, (ssl.SSLCertVerificationError, ValueError)):
        wrong = _CERTIFICATE.get(getattr(reason, "verify_code", _OTHER_HOST), _UNTRUSTED)
        whose = "the proxy's" if proxy else "the service's"
        return NotSent(
            f"{command}: {whose} TLS certificate could not be verified: it {wrong.format(address=address)}",
            command,
            passing=False,
        )
    if isinstance(reason, exceptions.NewConnectionError):
        return _unconnected(command, reason.__cause__, proxy, address)
    if isinstance(reason, exceptions.ConnectTimeoutError):
        return _not_reached(command, "no connection in time", proxy, address)
    if isinstance(reason, exceptions.ReadTimeoutError):
        return UnknownOutcome(
            f"{command}: no complete answer within {patience.seconds:g} s ({patience.option})", command
        )
    return UnknownOutcome(f"{command}: the connection broke before the answer was complete", command)


def _reason(error: t.Any) -> tuple[t.Any, bool]:
    """Return what is inside of an exception of requests, and whether it is about a proxy."""
    import requests
    from urllib3 import exceptions

    proxy = False
    while True:
        if isinstance(error, exceptions.MaxRetryError):
            error = error.reason
        elif isinstance(error, exceptions.ProxyError):
            error, proxy = error.original_error, True
        elif isinstance(error, (requests.RequestException, exceptions.SSLError)) and error.args:
            error = error.args[0]
        else:
            return error, proxy


def _unconnected(command: str, cause: BaseException | None, proxy: bool, address: str) -> CloudnError:
    """Return the error for a connection that could not be made, so that nothing was sent."""
    refused = _REFUSED_WAY.match(str(cause))
    if refused:
        status = int(refused[1])
        return NotSent(
            f"{command}: the proxy does not let through to the service (HTTP {status}); {_PROXY}",
            command,
            passing=status >= 500,
        )
    if isinstance(cause, ssl.SSLError) and cause.reason and not isinstance(cause, _BROKE_OFF):
        return NotSent(
            f"{command}: no TLS connection could be made ({cause.reason}); check whether https:// and the port in {address} are "
            "right",
            command,
            passing=False,
        )
    return _not_reached(command, "no connection", proxy, address)


def _not_reached(command: str, why: str, proxy: bool, address: str) -> NotSent:
    if proxy:
        return NotSent(f"{command}: the proxy was not reached ({why}); {_PROXY}", command)
    return NotSent(f"{command}: the service was not reached ({why}); check {address} and the network", command)
