# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may launch a template: read and changed by the native API or, where the account lacks its commands, by EC2's."""

from __future__ import annotations

from ...api import ApiError, Client, Ec2Error, NotGranted, Record

BY_EC2 = "ModifyImageAttribute"


def launchers(client: Client, record: Record) -> set[str] | None:
    """Return the names of the accounts, beside the owner's, that may launch a template; ``None`` where nothing tells.

    Raises what ``Client.call`` raises, a refusal for lack of the command only where there is no EC2-compatible API.
    """
    owner = record.get("account")
    try:
        # Always asked in JSON: XML answers leave the accounts out; measured on CloudStack 3.0.5.
        answer = client.call("listTemplatePermissions", {"id": record["id"], "response": "json"})
    except NotGranted:
        if client.ec2 is None:
            raise
    else:
        return set((answer.get("templatepermission") or {}).get("account") or []) - {owner}
    # The service's manual does not list this action; later bridges have it, and tell of a public one only that it is.
    # Source: CloudStack 4's.
    try:
        answer = client.ec2.call("DescribeImageAttribute", {"ImageId": record["id"], "Attribute": "launchPermission"})
    except ApiError:
        return None
    items = answer.get("launchPermission")
    if items is None or any(item.get("group") for item in items):
        return None
    return {item["userId"] for item in items if item.get("userId")} - {owner}


def change_by_ec2(client: Client, params: Record, refusal: ApiError) -> Record:
    """Do what ``updateTemplatePermissions`` was asked for with ``params`` and is not granted for, by EC2's action.

    Raises ``refusal`` where there is no EC2-compatible API, and what ``Ec2Client.call`` raises.
    """
    if client.ec2 is None:
        raise refusal
    change = {params["op"].capitalize(): [{"UserId": name} for name in params["accounts"]]}
    try:
        client.ec2.call(BY_EC2, {"ImageId": params["id"], "LaunchPermission": change})
    except Ec2Error as error:
        error.message += (
            ". This action was asked for since updateTemplatePermissions is not granted to this account; where it changes no "
            "launch permissions either, leave out accounts, as everything else works without it"
        )
        raise
    return {}
