# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs and pages in the emulator."""

from __future__ import annotations

import time

import pytest

# --- jobs


def test_jobs_are_listed_oldest_first_pending_and_done(emulate):
    api = emulate(job_seconds=1)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ+0000", time.gmtime())
    done = api("createTags", resourceids="none", resourcetype="UserVm", tags__key="k", tags__value="v")["jobid"]
    pending = [api.deployment(name) for name in ("one", "two")]
    time.sleep(0.2)
    first, *others = api("listAsyncJobs", startdate=began)["asyncjobs"]
    assert (first["jobid"], first["jobstatus"], first["jobresult"]["errorcode"]) == (done, 2, 431)
    assert [(job["jobid"], job["jobinstanceid"]) for job in others] == [(job["jobid"], job["id"]) for job in pending]
    assert {(job["jobstatus"], job["jobinstancetype"]) for job in others} == {(0, "VirtualMachine")}
    assert all("jobresult" not in job for job in others)
    assert api("listAsyncJobs", keyword="deployvm")["count"] == 2
    assert api("listAsyncJobs", page=2, pagesize=2)["asyncjobs"][0]["jobid"] == pending[1]["jobid"]
    assert api("listAsyncJobs", startdate="2099-01-01T00:00:00Z+0000") == {}


@pytest.mark.parametrize("date", ["2026-11-23T16:17:14+0000", "2026-11-23", "2026-11-23T16:17:14Z+00:00", "soon"])
def test_other_forms_of_dates_are_refused(api, refused, date):
    with refused(431):
        api("listAsyncJobs", startdate=date)


def test_a_date_has_its_offset(api):
    api.wait(api.deployment("one")["jobid"])
    ahead = time.gmtime(time.time() + 9 * 3600 - 60)  # a minute ago, in Japan
    assert api("listAsyncJobs", startdate=time.strftime("%Y-%m-%dT%H:%M:%SZ+0900", ahead))["count"] == 1
    assert api("listAsyncJobs", startdate=time.strftime("%Y-%m-%dT%H:%M:%SZ+0000", ahead)) == {}


def test_dates_are_read_as_java_does(api):
    api.wait(api.deployment("one")["jobid"])
    assert api("listAsyncJobs", startdate="2099-13-01T00:00:00Z+0000") == {}  # the next January
    assert api("listAsyncJobs", startdate="2000-1-1T0:0:0Z+0000 and more")["count"] == 1


def test_listings_of_jobs_know_no_project(api):
    api.wait(api.deployment("one")["jobid"])
    assert [api("listAsyncJobs", projectid=id)["count"] for id in ("", "-1", "no-such")] == [1, 1, 1]


@pytest.mark.parametrize(("id", "code"), [("-1", 431), ("", 431), ("no-such", 431), ("foreign", 531)])
def test_unknown_jobs_and_those_of_another_account_are_refused(emulate, refused, id, code):
    api = emulate(neighbour=True)
    with refused(code):
        api("queryAsyncJobResult", jobid=api.vars["foreignjob"] if id == "foreign" else id)


# --- pages


def test_the_count_is_of_the_page_or_of_all_pages(emulate):
    """CloudStack 4 counts all pages. The default is the count of the page, as in CloudStack 3."""
    api = emulate(vms=12)
    assert [len(api("listVirtualMachines", page=page, pagesize=5)["virtualmachine"]) for page in (1, 2, 3)] == [5, 5, 2]
    assert [api("listVirtualMachines", page=page, pagesize=5)["count"] for page in (1, 2, 3)] == [5, 5, 2]
    api.emulator.settings.count_all = True
    assert [api("listVirtualMachines", page=page, pagesize=5)["count"] for page in (1, 2, 3)] == [12, 12, 12]
    assert "count" not in api("listVirtualMachines", page=4, pagesize=5)


def test_pages_of_many_machines_come_newest_first(emulate):
    api = emulate(vms=1200)
    assert len(api.vms()) == 500
    pages = [api.vms(page=page, pagesize=500) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [500, 500, 200, 0]
    assert len({vm["id"] for page in pages for vm in page}) == 1200
    assert all(max(_created(one)) < min(_created(other)) for one, other in zip(pages[:2], pages[1:3], strict=True))
    assert _created(pages[0]) != sorted(_created(pages[0]))  # the order within a page means nothing
    assert api.vms(page=0, pagesize=7) == api.vms(page=1, pagesize=7)


def _created(vms):
    return [vm["created"] for vm in vms]


def test_volumes_come_newest_first(emulate):
    api = emulate(vms=30)
    pages = [api("listVolumes", page=page, pagesize=10)["volume"] for page in (1, 2, 3)]
    assert all(min(_created(one)) > max(_created(other)) for one, other in zip(pages[:2], pages[1:], strict=True))


def test_seeded_machines_vary_and_are_the_same_again(emulate):
    first, again = (emulate(vms=200).vms(pagesize=500, page=1) for _time in range(2))
    assert [vm["id"] for vm in first] == [vm["id"] for vm in again]
    for field in ("zonename", "templatename", "serviceofferingname", "state", "group"):
        assert len({vm.get(field) for vm in first}) > 1, field
    assert len({vm["name"] for vm in first}) == len({vm["nic"][0]["ipaddress"] for vm in first}) == 200
    assert any(not vm["displayname"].isascii() for vm in first)
    assert {len(vm["tags"]) for vm in first} == {0, 2}
    assert {group["name"] for vm in first for group in vm["securitygroup"]} == {"web", "app", "db", "cache", "batch"}


def test_ten_thousand_machines_can_be_seeded(emulate):
    api = emulate(vms=10_000)
    assert len(api.vms(page=20, pagesize=500)) == 500
