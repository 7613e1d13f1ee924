# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns an exception of requests into an error that tells whether anything may have been sent, and what to do."""

from __future__ import annotations

import re
import ssl
import typing as t

from .errors import CloudnError, NotSent, UnknownOutcome, UsageError, shown

if t.TYPE_CHECKING:
    from .deadline import AnswerTimeout

_UNUSABLE = (
    "is not a usable http or https address, or the proxy in the environment (HTTPS_PROXY, HTTP_PROXY) is not one"
)
_PROXY = "check the proxy in the environment (HTTPS_PROXY, HTTP_PROXY; NO_PROXY lists hosts to reach without it)"
# Texts for problems of a certificate, by OpenSSL's numbers (X509_V_ERR_*).
_OTHER_HOST, _OTHER_ADDRESS = 62, 64
_CERTIFICATE = {
    9: "is not valid yet; check the clocks of the service and of this machine",
    10: "has expired; the operator of the service must renew it",
    _OTHER_HOST: "is for another host; check the name in {address}",
    _OTHER_ADDRESS: "is for another host; check the name in {address}",
}
_UNTRUSTED = "is not from an authority that this machine trusts; give the authority's certificate with ca_path, or check {address}"
# OpenSSL's errors for a connection that just ends, as any other connection can.
_BROKE_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: (\d+)")  # how http.client quotes the answer of a proxy
# What urllib3 says before it sends anything, if PySocks is installed and the proxy's scheme is an unknown one such as socks9.
# No answer leads to a ValueError with this beginning.
_NO_SOCKS = "Unable to determine SOCKS version"


def explain(command: str, error: Exception, timeout: AnswerTimeout, address: str, url: str) -> CloudnError:
    """Return the error to raise for an exception of requests, urllib3 or the socket, from a session of ``open_session``.

    ``timeout`` is the time that the answer had. ``address`` is the option with the service's address, ``url`` that of the
    request, of which only the service's address is shown. The message takes nothing from the exception that may hold another
    address, a key or a password.
    """
    import requests
    from urllib3 import exceptions

    usage = (
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        exceptions.LocationValueError,
        UnicodeError,  # an impossible host name
        TypeError,  # an address of a proxy without a host
    )
    if isinstance(error, usage) or (error.__class__ is ValueError and str(error).startswith(_NO_SOCKS)):
        return UsageError(f"{command}: {address} {_UNUSABLE}", command)
    if error.__class__ is OSError and error.errno is None:  # not one of its many subclasses
        # requests raises this where there are no certificates to trust. The path in ca_path has been checked before.
        return UsageError(
            f"{command}: REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE in the environment leads to no certificates; "
            "correct it, or set ca_path",
            command,
        )
    reason, proxy = _reason(error)
    # Some versions of urllib3 check the host's name themselves. Their error is a ValueError of this name without a number.
    # Any other ValueError is about an answer that can't be read.
    if isinstance(reason, ssl.SSLCertVerificationError) or type(reason).__name__ == "CertificateError":
        wrong = _CERTIFICATE.get(getattr(reason, "verify_code", _OTHER_HOST), _UNTRUSTED)
        whose = "the proxy's" if proxy else "the service's"
        return NotSent(
            f"{command}: {whose} TLS certificate could not be verified: it {wrong.format(address=address)}",
            command,
            transient=False,
        )
    if isinstance(reason, exceptions.NewConnectionError):
        return _unconnected(command, reason.__cause__, proxy, address, url)
    if isinstance(reason, exceptions.ConnectTimeoutError):
        return _not_reached(command, "no connection in time", proxy, address, url)
    if isinstance(reason, exceptions.ReadTimeoutError):
        return UnknownOutcome(f"{command}: no complete answer within {timeout.seconds:g} s ({timeout.option})", command)
    return UnknownOutcome(f"{command}: the connection broke before the answer was complete", command)


def _reason(error: t.Any) -> tuple[t.Any, bool]:
    """Return the innermost exception of one of requests, and whether it is about a proxy."""
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


def _unconnected(command: str, cause: BaseException | None, proxy: bool, address: str, url: str) -> CloudnError:
    """Return the error for a connection that could not be made. Nothing was sent."""
    refused = _REFUSED_TUNNEL.match(str(cause))
    if refused:
        status = int(refused[1])
        return NotSent(
            f"{command}: the proxy refuses the connection to the service (HTTP {status}); {_PROXY}",
            command,
            transient=status >= 500,
        )
    if isinstance(cause, ssl.SSLError) and cause.reason and not isinstance(cause, _BROKE_OFF):
        return NotSent(
            f"{command}: no TLS connection could be made ({cause.reason}); check whether https:// and the port in {address} are "
            "right",
            command,
            transient=False,
        )
    return _not_reached(command, "no connection", proxy, address, url)


def _not_reached(command: str, why: str, proxy: bool, address: str, url: str) -> NotSent:
    if proxy:
        return NotSent(f"{command}: the proxy was not reached ({why}); {_PROXY}", command)
    where = f"{address} ({shown(url)})"
    return NotSent(f"{command}: the service was not reached ({why}); check {where} and the network", command)
