# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of the fields in the native API's answers, by their names: numbers, texts and lists."""

from __future__ import annotations

# XML answers hold text only, so the name of a field tells its type. JSON answers are read by the same tables. So a value
# is the same in both formats, though one writes a number and the other a text. A field in neither set is a text, except
# for the words `true` and `false`.
# Source: the fields of CloudStack 3.0.5's answers, from its source and from recorded answers.
NUMBERS = frozenset(
    [
        "count",
        # Only CloudStack 4 has these; measured on 4.23.
        "virtualsize",
        "physicalsize",
        "virtualmachinecount",
        "errorcode",
        "cserrorcode",
        "jobstatus",
        "jobprocstatus",
        "jobresultcode",
        "cpunumber",
        "cpuspeed",
        "memory",
        "rootdeviceid",
        "deviceid",
        "size",
        "disksize",
        "networkrate",
        "bits",
        "startport",
        "endport",
        "endpoint",
        "icmptype",
        "icmpcode",
        "icmpctype",
        "customdiskofferingmaxsize",
        "disksizetotal",
        "disksizeallocated",
        "disksizeused",
        "uploadpercentage",
        "networkkbsread",
        "networkkbswrite",
        "receivedbytes",
        "sentbytes",
        "accounttype",
        "vmlimit",
        "vmtotal",
        "vmavailable",
        "vmstopped",
        "vmrunning",
        "iplimit",
        "iptotal",
        "ipavailable",
        "volumelimit",
        "volumetotal",
        "volumeavailable",
        "snapshotlimit",
        "snapshottotal",
        "snapshotavailable",
        "templatelimit",
        "templatetotal",
        "templateavailable",
        "projectlimit",
        "projecttotal",
        "projectavailable",
        "networklimit",
        "networktotal",
        "networkavailable",
        "vpclimit",
        "vpctotal",
        "vpcavailable",
        "max",
        "intervaltype",
        "maxsnaps",
        "capacityused",
        "capacitytotal",
    ]
)
# Free text. A user may set it to `true` or `false`, so it is never a boolean.
TEXT = frozenset(
    [
        "id",
        "name",
        "displayname",
        "displaytext",
        "description",
        "key",
        "value",
        "group",
        "account",
        "domain",
        "project",
        "vmname",
        "vmdisplayname",
        "volumename",
        "zonename",
        "templatename",
        "templatedisplaytext",
        "serviceofferingname",
        "serviceofferingdisplaytext",
        "diskofferingname",
        "diskofferingdisplaytext",
        "ostypename",
        "securitygroupname",
        "keypair",
        "keypairs",
        "customer",
        "errortext",
        "password",
        "username",
        "tag",
        "templatetag",
        "hosttags",
        "hostname",
        "instancename",
        "privatekey",
        "publickey",
        "fingerprint",
        "url",
        "cidr",
        "protocol",
        "isoname",
        "isodisplaytext",
        "networkname",
        "networkdomain",
    ]
)
# Texts besides, which are never truth values. The collection reads them.
TEXT |= frozenset(
    [
        "allocationstate",
        "attached",
        "checksum",
        "cmd",
        "created",
        "dhcpprovider",
        "diskofferingid",
        "domainid",
        "extractId",
        "extractMode",
        "format",
        "gateway",
        "groupid",
        "guestosid",
        "hypervisor",
        "ipaddress",
        "jobid",
        "jobinstanceid",
        "jobinstancetype",
        "macaddress",
        "netmask",
        "networkid",
        "networktype",
        "ostypeid",
        "provisioningtype",
        "resourceid",
        "resourcetype",
        "rootdevicetype",
        "ruleid",
        "schedule",
        "serviceofferingid",
        "snapshottype",
        "sourcetemplateid",
        "state",
        "status",
        "storagetype",
        "templateid",
        "templatetype",
        "timezone",
        "traffictype",
        "type",
        "virtualmachineid",
        "vmstate",
        "volumeid",
        "volumetype",
        "zoneid",
        "cloudstackversion",
    ]
)
# Below the field that is named first these hold a list of texts. Elsewhere they are a text.
TEXT_LISTS_IN = frozenset([("templatepermission", "account")])
# The texts of an answer itself, and of a job's result. Other fields of these may be objects that have the name of a text.
OWN_TEXTS = frozenset(["id", "jobid", "errortext"])
OWN_NUMBERS = frozenset(["jobstatus", "errorcode"])
# Numbers and truth values that the collection reads. Another value in such a field can't be used.
READ_NUMBERS = frozenset(
    [
        "accounttype",
        "bits",
        "count",
        "cpunumber",
        "cpuspeed",
        "deviceid",
        "disksize",
        "endport",
        "errorcode",
        "icmpcode",
        "icmpctype",
        "icmptype",
        "jobstatus",
        "maxsnaps",
        "memory",
        "rootdeviceid",
        "size",
        "startport",
        "virtualsize",
    ]
)
TRUTHS = frozenset(
    [
        "crossZones",
        "deleteprotection",
        "haenable",
        "iscustomized",
        "isdefault",
        "isextractable",
        "isfeatured",
        "ispublic",
        "isready",
        "limitcpuuse",
        "localstorageenabled",
        "offerha",
        "passwordenabled",
        "securitygroupsenabled",
    ]
)
# Lists of objects that the collection reads.
READ_LISTS = frozenset(
    ["nic", "ingressrule", "egressrule", "ingress", "egress", "tags", "securitygroup", "affinitygroup"]
)
# The members that each record of a kind has. Without them nobody can tell which object it is, or what it is like. Of names with
# a bar between them there is one. Names and tags may be empty texts, and a tag may lack its key.
# Source: all answers of CloudStack 3.0.5 and 4.23 that were recorded.
REQUIRED = {
    "virtualmachine": ("id", "name", "state", "zoneid"),
    "volume": ("id", "name"),
    "snapshot": ("id", "name"),
    "template": ("id", "name"),
    "securitygroup": ("id", "name"),
    "affinitygroup": ("id", "name"),
    "zone": ("id", "name"),
    "serviceoffering": ("id", "name"),
    "diskoffering": ("id", "name"),
    "ostype": ("id", "description"),
    "sshkeypair": ("name", "fingerprint"),
    "keypair": ("name", "fingerprint"),
    "snapshotpolicy": ("id", "volumeid", "intervaltype", "schedule"),
    "asyncjobs": ("jobid", "jobstatus"),
    "tag": ("value", "resourceid"),
    "tags": ("value",),
    "nic": ("id",),
    "hypervisor": ("name",),
    **dict.fromkeys(
        ("ingressrule", "egressrule", "ingress", "egress"), ("ruleid", "protocol", "cidr|securitygroupname")
    ),
}
MAY_BE_EMPTY = frozenset(["name", "description", "value"])
# The members of a security rule besides, by its protocol.
RULES = ("ingressrule", "egressrule", "ingress", "egress")
OF_PROTOCOL = {
    **dict.fromkeys(("tcp", "udp"), ("startport", "endport|endpoint")),
    "icmp": ("icmptype|icmpctype", "icmpcode"),
}
# Fields that always hold a list of objects.
LISTS = frozenset(
    [
        "nic",
        "ingressrule",
        "egressrule",
        "ingress",
        "egress",
        "tags",
        "capacity",
        "user",
        "uuidList",
        "service",
        "provider",
        "servicelist",
        "stickinesspolicy",
    ]
)
# Lists of texts. In XML one text stands alone.
TEXT_LISTS = frozenset(["virtualmachineids"])
# Fields that hold a list only below the field that is named first. Elsewhere (a job's result, the answer of a creation)
# `securitygroup` and `template` are one object.
NESTED = frozenset(
    [
        ("virtualmachine", "securitygroup"),
        ("virtualmachine", "affinitygroup"),
        ("registertemplateresponse", "template"),
        ("uploadtemplateresponse", "template"),
        ("counterresponse", "counter"),
        ("service", "capability"),
        ("vpc", "network"),
    ]
)
# All fields of a root whose name begins with `list` are lists, except for these.
SINGLE = frozenset(["count", "capability", "templatepermission", "errorcode", "errortext", "cserrorcode"])
