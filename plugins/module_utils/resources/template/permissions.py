# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may launch a template. The native API reads and changes it; EC2's does if the account lacks the native commands."""

from __future__ import annotations

from ...api import ApiError, Client, Ec2Error, NotGranted, Record

BY_EC2 = "ModifyImageAttribute"


def launchers(client: Client, record: Record) -> set[str] | None:
    """Return the names of the accounts that may launch a template, without its owner. ``None``: nothing says.

    Raises what ``Client.call`` raises, but ``NotGranted`` only if there is no EC2-compatible API.
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
    # The service's manual does not list this action. Later bridges have it. They say of a public template only that it is
    # public. Source: CloudStack 4's bridge.
    try:
        answer = client.ec2.call("DescribeImageAttribute", {"ImageId": record["id"], "Attribute": "launchPermission"})
    except ApiError:
        return None
    items = answer.get("launchPermission")
    if items is None or any(item.get("group") for item in items):
        return None
    return {item["userId"] for item in items if item.get("userId")} - {owner}


def change_by_ec2(client: Client, params: Record, refusal: ApiError) -> Record:
    """Do by EC2's action what ``updateTemplatePermissions`` would do with ``params``: the account lacks that command.

    Raises ``refusal`` if there is no EC2-compatible API, and what ``Ec2Client.call`` raises.
    """
    if client.ec2 is None:
        raise refusal
    change = {params["op"].capitalize(): [{"UserId": name} for name in params["accounts"]]}
    try:
        client.ec2.call(BY_EC2, {"ImageId": params["id"], "LaunchPermission": change})
    except Ec2Error as error:
        error.message += ". The account lacks updateTemplatePermissions, so this action was sent; if it can't work either, leave out accounts"
        raise
    return {}
