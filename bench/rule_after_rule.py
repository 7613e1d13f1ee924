# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a security group with rules as simply as can be, and prints the seconds: `rule_after_rule.py MODULE_UTILS NAME COUNT`.

Each rule is sent when the job of the one before has ended, and nothing is done meanwhile but to ask how it is.
"""

from __future__ import annotations

import os
import sys
import time

sys.path.insert(0, sys.argv[1])

from api import Client

client = Client(*(os.environ[f"CLOUDN_API_{name}"] for name in ("URL", "KEY", "SECRET")))
began = time.monotonic()
group = client.call("createSecurityGroup", {"name": sys.argv[2]})["securitygroup"]["id"]
for port in range(8000, 8000 + int(sys.argv[3])):
    rule = {"securitygroupid": group, "startport": port, "endport": port, "cidrlist": ["192.0.2.0/24"]}
    job = client.call("authorizeSecurityGroupIngress", {"protocol": "tcp", **rule})["jobid"]
    while not client.call("queryAsyncJobResult", {"jobid": job})["jobstatus"]:
        pass
print(time.monotonic() - began)
