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
        ("registertemplateresponse", "template"),
        ("uploadtemplateresponse", "template"),
        ("counterresponse", "counter"),
        ("service", "capability"),
        ("vpc", "network"),
    ]
)
# All fields of a root whose name begins with `list` are lists, except for these.
SINGLE = frozenset(["count", "capability", "templatepermission"])
