# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""listTemplates, and how templates are shown. Measured on CloudStack 3.0.5; the rest is from its source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..calls import Call, page_of
from ..collation import collated, contains
from ..errors import bad_parameter, unreadable
from ..fields import date_text, ownership, tag_list
from ..filters import by_key_alone, equals, has_part, has_tags, matching
from ..generation import Differs
from ..models import NO_OBJECT, Template, Zone
from ..owners import no_permission, owners
from ..wire import JavaMap, OnlyJson, listing
from .download import DONE
from .hypervisors import NONE, hypervisor_of
from .vm_view_4 import template_type

FILTERS = ("featured", "self", "selfexecutable", "sharedexecutable", "executable", "community", "all")
ONLY_READY = ("featured", "selfexecutable", "sharedexecutable", "community")
ZonedTemplate = tuple[Template, Zone]


def list_templates(call: Call) -> dict[str, Any]:
    """listTemplates: a template once for each zone that has it. An unknown `templatefilter` is a 431."""
    wanted = checked_filter(call, call["templatefilter"])
    permitted = permitted_accounts(call, wanted)
    if call["id"] is not None:
        found = by_id(call, iso=False)
    else:
        found = page_of(call, in_changing_order(call, _search(call, wanted, permitted)))
    return listing("template", [template_view(call, template, zone) for template, zone in found])


def checked_filter(call: Call, wanted: str) -> str:
    """The filter of a listing. Raises ApiError (431) for an unknown one, and for `all` of a plain account."""
    if wanted not in FILTERS:
        raise unreadable(f"No enum constant com.cloud.template.VirtualMachineTemplate.TemplateFilter.{wanted}")
    if wanted == "all" and not call.account.admin:
        raise bad_parameter("Filter all can be specified by admin only")
    return wanted


def permitted_accounts(call: Call, wanted: str) -> set[str]:
    """The accounts of a filter: the one that asks, or the one that is named. Raises ApiError as `owners` does.

    For `domainid` or a project alone there are none. Then the filters about owners find nothing.
    """
    owners(call)
    if call["account"] is not None:
        name = collated(call["account"])
        return {one for one in call.store.accounts if collated(one) == name}
    if wanted == "all" or call["domainid"] is not None or call["projectid"] is not None:
        return set()
    return {call.account.name}


def by_id(call: Call, iso: bool) -> list[ZonedTemplate]:
    """The template that `id` names, in each of its zones. All other filters but the zone are ignored.

    Raises ApiError: 431 for an unknown one, for an ISO in place of a template and the reverse. Another account's
    private one is a 531 on the real server, even for an account that may launch it.
    """
    template = call["id"]
    if template is NO_OBJECT:
        raise bad_parameter("Please specify a valid template ID.")
    if template.is_iso is not iso:
        raise bad_parameter(
            "Specified Template Id is not an ISO" if iso else "Incorrect format ISO of the specified template id"
        )
    if not template.public and template.owner != call.account.name and not call.account.admin:
        raise no_permission(call, call.store.accounts[template.owner].label)
    zone = None if call["zoneid"] is NO_OBJECT else call["zoneid"]
    return [(template, call.store.zones[id]) for id in template.zone_ids if zone is None or zone.id == id]


def _search(call: Call, wanted: str, permitted: set[str]) -> list[ZonedTemplate]:
    hypervisor = hypervisor_of(call["hypervisor"])
    of_hosts = {name for zone in call.store.zones.values() for name in zone.hypervisors}
    tests = [
        # The real server lists no template whose hypervisor none of its hosts has. It shows such a template by its id.
        lambda template: not template.is_iso and template.hypervisor in of_hosts,
        (lambda template: template.hypervisor == hypervisor) if hypervisor != NONE else None,
        name_test(call),
        has_tags(call, "Template"),
        filter_test(wanted, permitted),
    ]
    return in_zones(call, matching(call.store.templates.values(), tests), wanted in ONLY_READY)


def name_test(call: Call) -> Callable[[Template], bool] | None:
    """The test of `keyword` and `name`. If both are given, only the keyword counts.

    The real server writes the name into its SQL as it is. With a double quote the query fails and finds nothing.
    """
    return call.of(_NAME)(call)


def _name_4(call: Call) -> Callable[[Template], bool] | None:
    """The whole name, and a part of it."""
    keyword = has_part(call, "keyword", "name", "text")
    tests = [test for test in (equals(call, "name", "name"), keyword) if test]
    return (lambda template: all(test(template) for test in tests)) if tests else None


def _name_3(call: Call) -> Callable[[Template], bool] | None:
    part = call["name"] if call["keyword"] is None else call["keyword"]
    if part is None:
        return None
    return lambda template: '"' not in part and contains(template.name, part)


_NAME = Differs(_name_3, _name_4)


def filter_test(wanted: str, permitted: set[str]) -> Callable[[Template], bool]:
    """The test of a filter for these accounts. It does not ask whether copies are ready."""

    def own(template: Template) -> bool:
        return template.owner in permitted

    def shared(template: Template) -> bool:
        return bool(template.launch) and (own(template) or any(name in permitted for name in template.launch))

    tests: dict[str, Callable[[Template], bool]] = {
        "featured": lambda template: template.public and template.featured,
        "community": lambda template: template.public and not template.featured,
        "self": own,
        "selfexecutable": own,
        "sharedexecutable": shared,
        # On the real server these are without the templates that others share with the account.
        "executable": lambda template: bool(permitted) and (template.public or own(template)),
        "all": lambda template: True,
    }
    return tests[wanted]


def in_zones(call: Call, templates: Iterable[Template], only_ready: bool) -> list[ZonedTemplate]:
    """Templates with each of their zones: only the zone that is asked for, and only ready copies, if wanted."""
    zone = call["zoneid"]
    return [
        (template, call.store.zones[id])
        for template in templates
        for id in template.zone_ids
        if (zone is None or zone.id == id) and not (only_ready and id in template.unready)
    ]


def in_changing_order(call: Call, found: list[ZonedTemplate]) -> list[ZonedTemplate]:
    """Templates by sort key."""
    return by_key_alone(call, found, lambda one: one[0].sort_key)


# --- views

_FIELDS = """
id name displaytext ispublic created isready passwordenabled format bootable isfeatured crossZones ostypeid ostypename
account zoneid zonename status size templatetype hypervisor domain domainid isextractable checksum sourcetemplateid
templatetag details tags
"""
_ORDER = _FIELDS.split()


def in_order(view: dict[str, Any]) -> dict[str, Any]:
    """The fields of a template or an ISO in the service's order, without those that are None."""
    return {name: view[name] for name in _ORDER if view.get(name) is not None}


def template_view(call: Call, template: Template, zone: Zone) -> dict[str, Any]:
    """A template as the listing of one zone shows it."""
    return call.of(_VIEW)(call, template, zone)


def _view_4(call: Call, template: Template, zone: Zone) -> dict[str, Any]:
    """A template of CloudStack 4, as measured on 4.23."""
    ready = zone.id not in template.unready
    store = {"downloadState": "DOWNLOADED" if ready else "DOWNLOAD_IN_PROGRESS", "datastore": "nfs://secondary"}
    view = {**_fields(call, template), **copy_view(call, template, zone, DONE), "passwordenabled": template.password}
    view |= {"templatetype": template_type(template), "isextractable": template.extractable}
    view |= {"sourcetemplateid": template.source_id, "templatetag": template.tag, "url": template.url}
    is_builtin = view["templatetype"] == "BUILTIN"
    view |= {"checksum": "" if is_builtin else None, "isextractable": template.extractable and not is_builtin}
    if template.made_of:
        view["size"] = template.size if template.made_of == "volume" else None
    else:
        view["physicalsize"] = view["size"]
    view["crossZones"] = is_builtin
    shown = {name: value for name, value in view.items() if value is not None}
    details = {**template.details} if template.details else {}
    return {
        **shown,
        "domainpath": call.store.accounts[template.owner].domain_path,
        "details": JavaMap({**details, **(_OVERCOMMITTED if template.made_of else {})}),
        "downloaddetails": OnlyJson([{**store, "downloadPercent": "100" if ready else "0"}]),
        "arch": "x86_64",
        "bits": template.bits,
        "sshkeyenabled": template.ssh_keys,
        "isdynamicallyscalable": False,
        "directdownload": False,
        "deployasis": False,
        "forcks": False,
        "requireshvm": template.hvm,
        "hasannotations": False,
    }


_OVERCOMMITTED = {"memoryOvercommitRatio": "20.0", "cpuOvercommitRatio": "20.0"}


def _view_3(call: Call, template: Template, zone: Zone) -> dict[str, Any]:
    return in_order(
        {
            **_fields(call, template),
            **copy_view(call, template, zone, DONE),
            "passwordenabled": template.password,
            "templatetype": "BUILTIN" if template.builtin else "USER",
            "isextractable": template.extractable,
            "checksum": template.checksum,
            "sourcetemplateid": template.source_id,
            "templatetag": template.tag,
            "details": JavaMap(template.details) if template.details else None,
        }
    )


def update_view(call: Call, template: Template) -> dict[str, Any]:
    """A template in the answer to its update. That answer has no zone, so the template is not ready there."""
    return call.of(_UPDATED)(call, template)


def _updated_3(call: Call, template: Template) -> dict[str, Any]:
    return in_order({**_fields(call, template), "isready": False})


def _updated_4(call: Call, template: Template) -> dict[str, Any]:
    view = {**_fields(call, template), "isready": False, "bootable": template.bootable, "bits": template.bits}
    view |= {"templatetype": template_type(template), "domainpath": call.store.accounts[template.owner].domain_path}
    view["crossZones"] = view["templatetype"] == "BUILTIN"
    details = {**(template.details or {}), **(_OVERCOMMITTED if template.made_of else {})}
    return {**view, "details": JavaMap(details), "isdynamicallyscalable": False, "hasannotations": False}


_VIEW = Differs(_view_3, _view_4)
_UPDATED = Differs(_updated_3, _updated_4)


def copy_view(call: Call, template: Template, zone: Zone, done: str) -> dict[str, Any]:
    """The copy of a template in a zone. Only the owner sees its status, which is `done` for a ready copy."""
    is_owner = call.account.admin or template.owner == call.account.name
    return {
        "isready": zone.id not in template.unready,
        "zoneid": zone.id,
        "zonename": zone.name,
        "status": template.unready.get(zone.id, done) if is_owner else None,
        "size": template.size or None,
    }


def common_view(call: Call, template: Template, kind: str = "Template") -> dict[str, Any]:
    """The fields that templates and ISOs share. `kind` is the kind of their tags."""
    return {
        "id": template.id,
        "name": template.name,
        "displaytext": template.text,
        "ispublic": template.public,
        "created": date_text(template.created),
        "isfeatured": template.featured,
        "crossZones": template.builtin,
        **ownership(call, template.owner),
        "tags": tag_list(call, kind, template.id),
    }


def os_view(call: Call, template: Template) -> dict[str, str]:
    """The guest system of a template."""
    os_type = call.store.os_types[template.os_type_id]
    return {"ostypeid": os_type.id, "ostypename": os_type.description}


def _fields(call: Call, template: Template) -> dict[str, Any]:
    return {
        **common_view(call, template),
        **os_view(call, template),
        "format": template.format,
        "hypervisor": template.hypervisor,
    }
