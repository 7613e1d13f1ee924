# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes machines and disks as simply as can be: `raw_site.py MODULE_UTILS MACHINES DISKS PARALLEL`. Prints the seconds.

It looks up nothing twice and checks nothing. All is sent at once, at most PARALLEL requests at a time. The tags follow when all
machines have ids. A disk is attached when its job and that of its machine have ended.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor

sys.path.insert(0, sys.argv[1])

from api import Client
from api.jobs import ago

PAUSE, TOGETHER = 0.2, 100
PENDING = 0
machines, disks, parallel = map(int, sys.argv[2:])
client = Client(*(os.environ[f"CLOUDN_API_{name}"] for name in ("URL", "KEY", "SECRET")))


def first(command: str, name: str, **more: str) -> str:
    """Return the id of an object."""
    return str(next(one["id"] for one in client.list(command, more) if one["name"] == name))


def tagged(kind: str, answers: list[dict[str, str]]) -> list[Future[dict[str, str]]]:
    """Send the tags of what was made."""
    ids = [one["id"] for one in answers]
    tag = {"resourcetype": kind, "tags": {"cloudn_site": "raw"}}
    parts = [ids[at : at + TOGETHER] for at in range(0, len(ids), TOGETHER)]
    return [threads.submit(client.call, "createTags", {**tag, "resourceids": part}) for part in parts]


began = time.monotonic()
zone = first("listZones", "jp-e1a")
since = ago(client, 3600)
image = first("listTemplates", "CentOS 6.2 64bit", templatefilter="executable")
machine = {"zoneid": zone, "templateid": image, "serviceofferingid": first("listServiceOfferings", "v1")}
disk = {"zoneid": zone, "diskofferingid": first("listDiskOfferings", "Small")}
with ThreadPoolExecutor(parallel) as threads:
    begun = [
        threads.submit(client.call, "deployVirtualMachine", {**machine, "name": f"raw{number}"})
        for number in range(machines)
    ]
    made = [threads.submit(client.call, "createVolume", {**disk, "name": f"disk{number}"}) for number in range(disks)]
    answers = [one.result() for one in begun]
    of_disks = [one.result() for one in made]
    more = [*tagged("UserVm", answers), *tagged("Volume", of_disks)]
    jobs = {one["jobid"] for one in (*answers, *of_disks)} | {one.result()["jobid"] for one in more}
    waiting = list(zip(answers, of_disks, strict=False))
    while jobs or waiting:
        time.sleep(PAUSE)
        states = {one["jobid"]: one["jobstatus"] for one in client.list("listAsyncJobs", {"startdate": since})}
        jobs = {job for job in jobs if states[job] == PENDING}
        ready = [pair for pair in waiting if not jobs.intersection(one["jobid"] for one in pair)]
        waiting = [pair for pair in waiting if pair not in ready]
        attached = [
            threads.submit(client.call, "attachVolume", {"id": it["id"], "virtualmachineid": vm["id"]})
            for vm, it in ready
        ]
        jobs |= {one.result()["jobid"] for one in attached}
print(time.monotonic() - began)
