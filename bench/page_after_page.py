# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists all machines as simply as can be, one largest page after the other: `page_after_page.py MODULE_UTILS`."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, sys.argv[1])

from api import Client

PAGE = 500

client = Client(*(os.environ[f"CLOUDN_API_{name}"] for name in ("URL", "KEY", "SECRET")))
number, length = 0, PAGE
while length == PAGE:
    number += 1
    answer = client.call("listVirtualMachines", {"page": number, "pagesize": PAGE})
    length = len(answer.get("virtualmachine", []))
