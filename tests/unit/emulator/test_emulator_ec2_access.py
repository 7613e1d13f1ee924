# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups, key pairs, tags and zones of the EC2 half, as CloudStack's source has them."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest


def permission(number: int = 1, **parts: Any) -> dict[str, Any]:
    """The parameters of one permission; `__` stands for a dot."""
    return {f"IpPermissions.{number}.{name.replace('__', '.')}": value for name, value in parts.items()}


RUN = {"InstanceType": "v1", "MinCount": 1, "MaxCount": 1}
SSH = permission(IpProtocol="tcp", FromPort=22, ToPort=22, IpRanges__1__CidrIp="10.0.0.0/8")


def shape(element: ElementTree.Element) -> Any:
    """An element as names and texts."""
    return {child.tag: shape(child) for child in element} if len(element) else (element.text or "")


# --- security groups


@pytest.fixture
def web(ec2: Any) -> Any:
    """A client of an emulator with a group `Web`; `rules()` returns its rules."""
    made = ec2("CreateSecurityGroup", {"GroupName": "Web", "GroupDescription": "a & b"})
    assert [child.tag for child in made] == ["requestId", "return"]
    return ec2


def rules(ec2: Any, name: str = "Web") -> list[Any]:
    found = ec2("DescribeSecurityGroups", {"GroupName.1": name}).find("securityGroupInfo/item/ipPermissions")
    return [shape(item) for item in found]


def test_groups_are_described(web: Any) -> None:
    web("AuthorizeSecurityGroupIngress", {"GroupName": "Web", **SSH})
    (item,) = web("DescribeSecurityGroups", {"GroupName": "web"}).find("securityGroupInfo")
    shown = shape(item)
    assert list(shown) == ["ownerId", "groupName", "groupDescription", "ipPermissions"]
    assert (shown["ownerId"], shown["groupName"], shown["groupDescription"]) == ("1:flatuser", "Web", "a & b")
    assert list(shown["ipPermissions"]["item"]) == ["ipProtocol", "fromPort", "toPort", "groups", "ipRanges"]
    names = web.texts(web("DescribeSecurityGroups"), "groupName")
    assert sorted(names) == ["Web", "default"]
    assert web.texts(web("DescribeSecurityGroups", {"GroupName.1": "nope"}), "groupName") == []


def test_rules_come_and_go(web: Any) -> None:
    two = {**SSH, **permission(2, IpProtocol="ICMP", FromPort=-1, ToPort=-1, IpRanges__1__CidrIp="0.0.0.0/0")}
    assert web("AuthorizeSecurityGroupIngress", {"GroupName": "Web", **two}).findtext("return") == "true"
    tcp = {"ipProtocol": "tcp", "fromPort": "22", "toPort": "22", "groups": ""}
    icmp = {"ipProtocol": "icmp", "fromPort": "-1", "toPort": "-1", "groups": ""}
    ranges = [{"item": {"cidrIp": cidr}} for cidr in ("10.0.0.0/8", "0.0.0.0/0")]
    assert rules(web) == [{**tcp, "ipRanges": ranges[0]}, {**icmp, "ipRanges": ranges[1]}]
    for one in (
        permission(IpProtocol="1", FromPort=-1, ToPort=-1),
        permission(IpProtocol="6", FromPort=22, ToPort=22),
    ):
        assert web("RevokeSecurityGroupIngress", {"GroupName": "WEB", **one}).findtext("return") == "true"
    assert rules(web) == []


def test_a_rule_can_have_a_group_as_its_source(web: Any) -> None:
    source = permission(
        IpProtocol="udp", FromPort=53, ToPort=54, Groups__1__UserId="flatuser", Groups__1__GroupName="Web"
    )
    web("AuthorizeSecurityGroupIngress", {"GroupName": "default", **source})
    (rule,) = rules(web, "default")
    assert rule["groups"] == {"item": {"userId": "flatuser", "groupName": "Web"}}
    assert rule["ipRanges"] == ""


def test_revoking_compares_no_addresses(web: Any) -> None:
    for cidr in ("10.0.0.0/8", "192.168.0.0/16"):
        web("AuthorizeSecurityGroupIngress", {"GroupName": "Web", **SSH, "IpPermissions.1.IpRanges.1.CidrIp": cidr})
    web("RevokeSecurityGroupIngress", {"GroupName": "Web", **SSH, "IpPermissions.1.IpRanges.1.CidrIp": "1.1.1.1/32"})
    assert len(rules(web)) == 1
    any_port = permission(IpProtocol="tcp", FromPort=-1, ToPort=-1)
    web("RevokeSecurityGroupIngress", {"GroupName": "Web", **any_port})
    assert rules(web) == []
    assert web.message("RevokeSecurityGroupIngress", {"GroupName": "Web", **SSH}) == "Cannot find matching ruleid."


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"IpPermissions.1.IpProtocol": "gre"}, "431 Invalid protocol gre"),
        ({"IpPermissions.1.IpRanges.1.CidrIp": "x"}, "431 x is an Invalid CIDR"),
        ({"GroupName": "nope"}, "Unable to find security group"),
    ],
)
def test_impossible_rules_are_refused(web: Any, changed: dict[str, Any], said: str) -> None:
    assert web.message("AuthorizeSecurityGroupIngress", {"GroupName": "Web", **SSH, **changed}).startswith(said)


@pytest.mark.parametrize(
    ("name", "value", "names"),
    [
        ("group-name", "W*", "Web"),
        ("description", "*&*", "Web"),
        ("owner-id", "1:*", "Web default"),
        ("ip-permission.cidr", "10.*", "Web"),
        ("ip-permission.from-port", "22", "Web"),
        ("ip-permission.to-port", "23", ""),
        ("ip-permission.protocol", "?cp", "Web"),
    ],
)
def test_groups_are_found_by_filters(web: Any, name: str, value: str, names: str) -> None:
    web("AuthorizeSecurityGroupIngress", {"GroupName": "Web", **SSH})
    found = web("DescribeSecurityGroups", {"Filter.1.Name": name, "Filter.1.Value.1": value})
    assert sorted(web.texts(found.find("securityGroupInfo"), "groupName")) == names.split()


def test_one_rule_must_pass_all_filters_of_rules(web: Any) -> None:
    both = {**SSH, **permission(2, IpProtocol="udp", FromPort=53, ToPort=53, IpRanges__1__CidrIp="0.0.0.0/0")}
    web("AuthorizeSecurityGroupIngress", {"GroupName": "Web", **both})
    wanted = {"Filter.1.Name": "ip-permission.protocol", "Filter.2.Name": "ip-permission.from-port"}
    for protocol, port, count in (("tcp", "22", 1), ("tcp", "53", 0)):
        values = {"Filter.1.Value.1": protocol, "Filter.2.Value.1": port}
        assert len(web("DescribeSecurityGroups", {**wanted, **values}).find("securityGroupInfo")) == count


def test_groups_are_deleted_by_name(web: Any) -> None:
    assert web("DeleteSecurityGroup", {"GroupName": "Web"}).findtext("return") == "true"
    assert "Web" in web.message("DeleteSecurityGroup", {"GroupName": "Web"})
    assert "default" in web.message("DeleteSecurityGroup", {"GroupName": "default"})


@pytest.mark.parametrize(
    ("action", "params", "said"),
    [
        ("CreateSecurityGroup", {}, "Missing GroupName parameter"),
        ("CreateSecurityGroup", {"GroupName": "x"}, "Missing GroupDescription parameter"),
        ("DeleteSecurityGroup", {}, "Missing GroupName parameter"),
        ("AuthorizeSecurityGroupIngress", {}, "Missing GroupName parameter"),
        (
            "AuthorizeSecurityGroupIngress",
            {"GroupName": "x", "IpProtocol": "tcp"},
            "At least one IpPermissions required",
        ),
        ("RevokeSecurityGroupIngress", {"GroupName": "x"}, "At least one IpPermissions required"),
        ("CreateKeyPair", {}, "Missing KeyName parameter"),
        ("DeleteKeyPair", {}, "Missing KeyName parameter"),
        ("ImportKeyPair", {}, "Missing parameter"),
        ("CreateTags", {}, "At least one Resource is required"),
        ("DeleteTags", {"ResourceId.1": "instance:x"}, "At least one Tag is required"),
    ],
)
def test_missing_parameters_are_named(ec2: Any, action: str, params: dict[str, str], said: str) -> None:
    answer = ec2.raw(action, params)
    assert (answer.status_code, f"<u>{said}</u>" in answer.text) == (530, True)


def test_a_port_that_is_no_number_is_javas_error(web: Any) -> None:
    answer = web.raw("AuthorizeSecurityGroupIngress", {"GroupName": "Web", **SSH, "IpPermissions.1.FromPort": "ssh"})
    assert (answer.status_code, answer.headers.get("Content-Type")) == (500, None)
    assert answer.text == 'java.lang.NumberFormatException: For input string: "ssh"'


# --- key pairs


def test_key_pairs_are_made_imported_listed_and_deleted(api: Any, ec2: Any) -> None:
    made = ec2("CreateKeyPair", {"KeyName": "mine"})
    assert [child.tag for child in made] == ["requestId", "keyName", "keyFingerprint", "keyMaterial"]
    assert made.findtext("keyMaterial", "").startswith("-----BEGIN RSA PRIVATE KEY-----")
    key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDF me@here"
    imported = ec2("ImportKeyPair", {"KeyName": "yours", "PublicKeyMaterial": key})
    assert [child.tag for child in imported] == ["requestId", "keyName", "keyFingerprint"]
    shown = ec2("DescribeKeyPairs").find("keySet")
    both = {made.findtext("keyFingerprint"), imported.findtext("keyFingerprint")}
    assert set(ec2.texts(shown, "keyFingerprint")) == both
    assert ec2.texts(ec2("DescribeKeyPairs", {"KeyName.1": "MINE"}), "keyName") == ["mine"]
    assert ec2.texts(ec2("DescribeKeyPairs", {"KeyName.1": "nope"}), "keyName") == []
    wanted = {"Filter.1.Name": "key-name", "Filter.1.Value.1": "y*", "Filter.2.Name": "foo", "Filter.2.Value.1": "x"}
    assert ec2.texts(ec2("DescribeKeyPairs", wanted), "keyName") == ["yours"]  # an unknown filter is ignored
    assert ec2("DeleteKeyPair", {"KeyName": "mine"}).findtext("return") == "true"
    assert "mine" in ec2.message("DeleteKeyPair", {"KeyName": "mine"})
    assert [pair["name"] for pair in api("listSSHKeyPairs")["sshkeypair"]] == ["yours"]


def test_odd_public_keys_are_treated_as_the_bridge_does(api: Any, ec2: Any) -> None:
    assert ec2.message("ImportKeyPair", {"KeyName": "x", "PublicKeyMaterial": "not a key"}) == "Public key is invalid"
    answer = ec2.raw("ImportKeyPair", {"KeyName": "x"})
    assert (answer.status_code, answer.text.split(":")[0]) == (500, "java.lang.NullPointerException")
    ec2("ImportKeyPair", {"PublicKeyMaterial": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDF"})
    assert [pair["name"] for pair in api("listSSHKeyPairs")["sshkeypair"]] == ["null"]
    assert ec2("DescribeKeyPairs", {"KeyName.1": "NULL"}).findtext(".//keyName") == "null"


def test_an_instance_shows_its_key_pair(ec2: Any) -> None:
    ec2("CreateKeyPair", {"KeyName": "mine"})
    ec2.run()
    made = ec2("RunInstances", {**RUN, "ImageId": ec2.vars["template"], "KeyName": "mine"}).find("instancesSet/item")
    names = [child.tag for child in made]
    assert names[names.index("reason") :][:3] == ["reason", "keyName", "amiLaunchIndex"]
    shown = ec2("DescribeInstances", {"InstanceId.1": made.findtext("instanceId")})
    assert (shown.findtext(".//keyName"), ec2.texts(ec2("DescribeInstances"), "keyName")) == ("mine", ["mine"])


# --- tags, zones, addresses


def test_tags_are_made_listed_and_deleted(api: Any, ec2: Any) -> None:
    vm = api.running("one")["id"]
    disk = ec2("DescribeVolumes").findtext(".//volumeId")
    objects = {"ResourceId.1": f"instance:{vm}", "ResourceId.2": f"volume:{disk}"}
    tags = {"Tag.1.Key": "role", "Tag.1.Value": "web", "Tag.2.Key": "tier", "Tag.2.Value": "1"}
    assert ec2("CreateTags", {**objects, **tags}).findtext("return") == "true"
    shown = [shape(item) for item in ec2("DescribeTags").find("tagSet")]
    assert {"resourceId": vm, "resourceType": "instance", "key": "role", "value": "web"} in shown
    assert {(one["resourceType"], one["key"]) for one in shown} == {
        (kind, key) for kind in ("instance", "volume") for key in ("role", "tier")
    }
    wanted = {
        "Filter.1.Name": "resource-type",
        "Filter.1.Value.1": "vol*",
        "Filter.2.Name": "key",
        "Filter.2.Value.1": "role",
    }
    assert ec2.texts(ec2("DescribeTags", wanted), "resourceId") == [disk]
    ec2("DeleteTags", {"ResourceId.1": f"instance:{vm}", "Tag.1.Key": "role"})
    assert ec2.texts(ec2("DescribeTags", {"Filter.1.Name": "resource-id", "Filter.1.Value.1": vm}), "key") == ["tier"]


@pytest.mark.parametrize("id", ["x", "a:b:c", "instance:"])
def test_a_badly_formed_object_id_of_a_tag_is_refused(ec2: Any, id: str) -> None:
    answer = ec2.raw("CreateTags", {"ResourceId.1": id, "Tag.1.Key": "a", "Tag.1.Value": "b"})
    assert (answer.status_code, "<Code>Client.InvalidResourceId.Format</Code>" in answer.text) == (400, True)


def test_zones_are_listed_by_name(ec2: Any) -> None:
    shown = [shape(item) for item in ec2("DescribeAvailabilityZones").find("availabilityZoneInfo")]
    one = {"zoneName": "jp-e1a", "zoneState": "available", "regionName": "", "messageSet": ""}
    assert shown == [one, {**one, "zoneName": "jp-e1b"}]
    assert ec2.texts(ec2("DescribeAvailabilityZones", {"ZoneName.1": "JP-E1B"}), "zoneName") == ["jp-e1b"]
    assert ec2.texts(ec2("DescribeAvailabilityZones", {"ZoneName.1": "nope"}), "zoneName") == []


def test_there_are_no_addresses(ec2: Any) -> None:
    assert list(ec2("DescribeAddresses").find("addressesSet")) == []
    assert ec2.raw("AllocateAddress").status_code == 400
