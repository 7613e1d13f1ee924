# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network offerings on CloudStack 4.23. The offerings are as measured, the filters are those of its code."""

from __future__ import annotations

from typing import Any

from ..calls import Call, page_of
from ..errors import bad_parameter
from ..fields import date_text
from ..filters import Test, equals, has_part, matching, refers_to
from ..models import NO_OBJECT
from ..network_offerings_4 import SHARED, NetworkOffering4
from ..wire import listing
from .network_filters import asks_for, offers

BEGINNING = 1325376000.0  # 2012-01-01, as other offers
ROUTING = ("dynamic", "static")  # modes of routing, of which the offerings have none
# What all offerings have.
_FIXED: dict[str, str | bool] = {"traffictype": "Guest", "state": "Enabled", "isdefault": True, "istagged": False}


def list_offerings(call: Call) -> dict[str, Any]:
    """listNetworkOfferings: with a zone or a network there are none, as nobody makes networks in a Basic zone."""
    _check_domain(call)
    _check_known(call, "zone", "zoneid")
    _check_known(call, "network", "networkid")
    if call.params.keys() & {"zoneid", "networkid"}:
        return {}
    tests: list[Test | None] = [
        lambda one: all(asks_for(call, *fixed) for fixed in _FIXED.items()),
        lambda one: "tags" not in call.params or (call["guestiptype"] or "").lower() == SHARED.lower(),
        lambda one: (call["routingmode"] or "").lower() not in ROUTING,
        refers_to(call, "id"),
        equals(call, "name", "name"),
        equals(call, "guestiptype", "kind"),
        has_part(call, "displaytext", "text"),
        has_part(call, "keyword", "name", "text"),
        lambda one: _passes(call, one),
    ]
    found = matching(call.store.network_offerings.values(), tests)
    if found:  # the real server looks at the names of services only now
        found = matching(found, [offers(call, lambda one: one.services)])
    return listing("networkoffering", [_view(one) for one in page_of(call, found)])


def _check_domain(call: Call) -> None:
    """Refuse (431) a domain that is neither the account's own nor below it."""
    domain, path = call["domainid"], call.account.domain_path
    if domain is NO_OBJECT:
        raise bad_parameter(f"Unable to find the domain by id={domain.id}")
    if domain is not None and not f"{domain.domain_path}/".startswith(f"{path}/"):
        where = f"domain: {domain.domain_id}"
        raise bad_parameter(f"Unable to list network offerings for {where} as caller does not have access for it")


def _check_known(call: Call, what: str, parameter: str) -> None:
    if call[parameter] is NO_OBJECT:
        raise bad_parameter(f"Unable to find the {what} by id={NO_OBJECT.id}")


def _passes(call: Call, one: NetworkOffering4) -> bool:
    """Whether an offering passes the filters that are true or false, and `availability`."""
    values: dict[str, str | bool] = {
        "availability": _availability(one),
        "specifyvlan": one.vlan,
        "specifyipranges": one.ranges,
        "sourcenatsupported": "SourceNat" in one.services,
        "forvpc": one.vpc,
    }
    return all(asks_for(call, *pair) for pair in values.items())


def _availability(one: NetworkOffering4) -> str:
    return "Required" if one.required else "Optional"


def service_view(offering: NetworkOffering4, name: str) -> dict[str, Any]:
    """A service of an offering, with what it can do, if that is anything."""
    view: dict[str, Any] = {"name": name, "provider": [{"name": offering.providers[name]}]}
    able = capabilities(offering.capabilities(name))
    return {**view, "capability": able} if able else view


def capabilities(able: dict[str, str]) -> list[dict[str, Any]]:
    """What a service can do, as listings show it."""
    return [{"name": name, "value": value, "canchooseservicecapability": False} for name, value in able.items()]


def _view(offering: NetworkOffering4) -> dict[str, Any]:
    return {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.text,
        "created": date_text(BEGINNING),
        "traffictype": "Guest",
        "isdefault": True,
        "specifyvlan": offering.vlan,
        "conservemode": offering.conserve,
        "specifyipranges": offering.ranges,
        "availability": _availability(offering),
        "networkrate": 200,
        "state": "Enabled",
        "guestiptype": offering.kind,
        "serviceofferingid": "466aea6d-3bea-4b58-b5eb-01ab2b764738",  # of its routers
        "service": [service_view(offering, name) for name in offering.services],
        "forvpc": offering.vpc,
        "fornsx": offering.has_controller("Nsx"),
        "fortungsten": offering.has_controller("Tungsten"),
        **({"networkmode": offering.mode} if offering.mode else {}),
        "ispersistent": False,
        "egressdefaultpolicy": False,
        "supportsstrechedl2subnet": False,  # the service spells it so
        "supportspublicaccess": False,
        "supportsinternallb": offering.internal_lb,
        "internetprotocol": "IPv4",
        "specifyasnumber": False,
        "hasannotations": False,
    }
