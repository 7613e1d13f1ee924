# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_api: reading and changing commands, every option and refusal, and secrets."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
import yaml
from ansible_collections.cloudn.compute.plugins.module_utils.api import BadAnswer, Client
from ansible_collections.cloudn.compute.plugins.module_utils.raw import native_command
from asked import sent_to
from samples import FORMATS, NEW, UNKNOWN
from specs import good

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_api"
# By generation: the count of a page of 10 of 30 objects, a length that user data can't have, what is said of a machine
# that does not run, and of a command that does not exist.
COUNTED = {"3": 10, "4": 30}
TOO_LONG = {"3": 2100, "4": 32800}
NOT_RUNNING = {"3": 530, "4": 431}
NO_COMMAND = {"3": 432, "4": 401}


# Reading


@FORMATS
@pytest.mark.parametrize("check", [False, True])
def test_a_listing_is_returned_and_changes_nothing(
    run_module: Run, emulator: Any, check: bool, response_format: str
) -> None:
    done = good(run_module(MODULE, command="listZones", _check=check, response_format=response_format))
    assert (done["changed"], done["actions"]) == (False, [])
    assert done["result"].keys() == {"count", "zone"}
    assert done["result"]["count"] == 2
    assert [zone["name"] for zone in done["result"]["zone"]] == ["jp-e1a", "jp-e1b"]
    assert done["result"]["zone"][0]["localstorageenabled"] is False
    assert sent_to(emulator) == ["listZones"]
    assert "jobs" not in done and "diff" not in done


def test_formats_give_the_same(run_module: Run, generation: str, vm_id: str) -> None:
    for command in ("listVirtualMachines", "listZones", "listSecurityGroups", "listAsyncJobs", "listCapabilities"):
        json_, xml = (run_module(MODULE, command=command, response_format=one)["result"] for one in ("json", "xml"))
        for shown in [*json_.get("virtualmachine", []), *xml.get("virtualmachine", [])]:
            shown.pop("details", None)  # CloudStack 4 writes it as a text into XML
        assert json_ == xml
        assert (xml == {}) is ((generation, command) == ("4", "listAsyncJobs"))  # it lists pending jobs only


def test_a_long_listing_is_read_whole(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(vms=1200) as (run, emulator):
        done = good(run(MODULE, command="listVirtualMachines"))
        assert done["result"]["count"] == 1200
        assert len({vm["id"] for vm in done["result"]["virtualmachine"]}) == 1200
        assert len(emulator.requests) <= 10


def test_the_last_page_may_be_full(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(vms=500) as (run, emulator):
        result = good(run(MODULE, command="listVirtualMachines"))["result"]
        assert (result["count"], len(result["virtualmachine"])) == (500, 500)
        assert len(emulator.requests) <= 8


@pytest.mark.parametrize("paging", [{"page": 2, "pagesize": 20}, {"PAGE": "2", "PageSize": "20"}])
def test_one_page_is_read_where_it_is_asked_for(
    run_module_as: Callable[..., Any], generation: str, paging: Result
) -> None:
    """The count of CloudStack 3 is of this page, that of CloudStack 4 of all pages."""
    with run_module_as(vms=30) as (run, emulator):
        done = good(run(MODULE, command="listVirtualMachines", params=paging))
        assert (done["result"]["count"], len(done["result"]["virtualmachine"])) == (COUNTED[generation], 10)
        assert len(emulator.requests) == 1


def test_half_of_paging_is_refused_by_the_service(run_module: Run) -> None:
    assert run_module(MODULE, command="listZones", params={"pagesize": 5})["error_code"] == 431


@FORMATS
def test_an_empty_listing_is_empty(run_module: Run, response_format: str) -> None:
    done = good(run_module(MODULE, command="listVirtualMachines", response_format=response_format))
    assert done["result"] == {}


@FORMATS
def test_a_list_command_that_gives_one_object_is_read(run_module: Run, response_format: str) -> None:
    done = good(run_module(MODULE, command="listCapabilities", response_format=response_format))
    assert done["result"]["capability"]["securitygroupsenabled"] is True


def test_tags_can_be_a_filter(run_module: Run, client: Client, vm_id: str) -> None:
    client.wait(
        client.call("createTags", {"resourcetype": "UserVm", "resourceids": [vm_id], "tags": {"role": "web"}})["jobid"]
    )
    for role, count in (("web", 1), ("db", None)):
        done = good(run_module(MODULE, command="listVirtualMachines", params={"tags": {"role": role}}))
        assert done["result"].get("count") == count


def test_a_job_is_read_and_not_waited_for(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=30) as (run, _emulator):
        (job_id,) = run("cloudn_vm", name="web1", wait=False, **NEW)["jobs"]
        done = good(run(MODULE, command="queryAsyncJobResult", params={"jobid": job_id}))
        assert (done["changed"], done["result"]["jobstatus"]) == (False, 0)
        assert "jobs" not in done


@pytest.mark.generation("3", reason="CloudStack 4 lists pending jobs only")
def test_a_listing_of_jobs_shows_no_old_passwords(run_module: Run, emulator: Any, vm_id: str) -> None:
    (job,) = emulator.store.jobs.values()
    done = good(run_module(MODULE, command="listAsyncJobs"))
    assert done["result"]["asyncjobs"][0]["jobresult"]["virtualmachine"]["passwordenabled"] is True
    assert job.result["virtualmachine"]["password"] not in json.dumps(done)


# Changing


@FORMATS
def test_check_mode_sends_nothing_that_changes(
    run_module: Run, sent: Callable[[], list[str]], emulator: Any, vm_id: str, response_format: str
) -> None:
    options = {"command": "destroyVirtualMachine", "params": {"id": vm_id}, "response_format": response_format}
    told = good(run_module(MODULE, _check=True, **options))
    assert (told["changed"], told["result"]) == (True, {})
    assert emulator.requests == []
    done = good(run_module(MODULE, **options))
    assert sent() == ["destroyVirtualMachine"]
    assert told["actions"] == done["actions"] == [f"destroyVirtualMachine id={vm_id}"]
    assert done["changed"] is True
    assert done["result"]["virtualmachine"]["state"] == "Destroyed"
    assert "jobs" not in done


def test_a_command_that_is_done_at_once_returns_its_answer(
    run_module: Run, client: Client, vm_id: str, emulator: Any
) -> None:
    params = {"id": vm_id, "group": "back", "haenable": False, "displayname": None}
    done = good(run_module(MODULE, command="updateVirtualMachine", params=params))
    assert done["changed"] and done["result"]["virtualmachine"]["group"] == "back"
    assert done["actions"] == [f"updateVirtualMachine id={vm_id} group=back haenable=false"]
    assert sent_to(emulator) == ["updateVirtualMachine"]
    assert client.list("listVirtualMachines")[0]["group"] == "back"


@FORMATS
def test_the_id_of_a_new_object_is_returned(run_module: Run, emulator: Any, response_format: str) -> None:
    params = {
        "zoneid": emulator.vars["zone"],
        "templateid": emulator.vars["template"],
        "serviceofferingid": "88ce379e-a686-4ae4-946f-dc3358275276",
        "name": "web1",
    }
    done = good(run_module(MODULE, command="deployVirtualMachine", params=params, response_format=response_format))
    machine = done["result"]["virtualmachine"]
    assert done["result"]["id"] == machine["id"]
    assert (machine["state"], bool(machine["password"])) == ("Running", True)
    assert (machine["memory"], machine["haenable"]) == (2048, False)
    assert "jobs" not in done


def test_values_are_sent_in_every_form(run_module: Run, client: Client, vm_id: str, emulator: Any) -> None:
    other = client.call("createSecurityGroup", {"name": "lb"})["securitygroup"]["id"]
    rule = {
        "securitygroupid": other,
        "startport": 80,
        "endport": "80",
        "protocol": "tcp",
        "usersecuritygrouplist": [{"account": "flatuser", "group": "lb"}, {"account": "flatuser", "group": "default"}],
    }
    done = good(run_module(MODULE, command="authorizeSecurityGroupIngress", params=rule))
    assert len(done["result"]["securitygroup"]["ingressrule"]) == 2
    tags = {"resourcetype": "UserVm", "resourceids": [vm_id], "tags": {"role": "web", "n": 1, "b": True}}
    done = good(run_module(MODULE, command="createTags", params=tags))
    assert done["result"] == {"success": True}
    assert done["actions"] == [
        f"createTags resourcetype=UserVm resourceids={vm_id} tags[0].key=role tags[0].value=web tags[1].key=n "
        "tags[1].value=1 tags[2].key=b tags[2].value=true"
    ]
    spelled_out = {"tags[0].key": "role", **{name: tags[name] for name in ("resourcetype", "resourceids")}}
    good(run_module(MODULE, command="deleteTags", params=spelled_out))
    (machine,) = client.list("listVirtualMachines")
    assert {tag["key"]: tag["value"] for tag in machine["tags"]} == {"n": "1", "b": "true"}
    emulator.clear()
    cidrs = {"securitygroupid": other, "protocol": "icmp", "icmptype": -1, "icmpcode": -1}
    cidrs["cidrlist"] = ["192.0.2.0/24", "198.51.100.0/24"]
    good(run_module(MODULE, command="authorizeSecurityGroupIngress", params=cidrs))
    assert emulator.requests[0]["params"]["cidrlist"] == "192.0.2.0/24,198.51.100.0/24"


def test_without_waiting_the_job_is_returned(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=0.2) as (run, emulator):
        vm_id = run("cloudn_vm", name="web1", **NEW)["vm"]["id"]
        emulator.clear()
        done = good(run(MODULE, command="stopVirtualMachine", params={"id": vm_id}, wait=False))
        assert sent_to(emulator) == ["stopVirtualMachine"]
        assert done["changed"] is True
        assert done["result"] == {"jobid": done["jobs"][0]}
        collected = good(run("cloudn_job", jobs=done["jobs"]))
        assert collected["job"]["result"]["vm"]["state"] == "Stopped"


@pytest.mark.parametrize("timeout", [0, 1])
def test_a_job_that_takes_too_long_is_an_error_that_names_it(run_module_as: Callable[..., Any], timeout: int) -> None:
    with run_module_as() as (run, emulator):
        vm_id = run("cloudn_vm", name="web1", **NEW)["vm"]["id"]
        emulator.settings.job_seconds = 30
        done = run(MODULE, command="stopVirtualMachine", params={"id": vm_id}, wait_timeout=timeout)
        assert done["failed"] and done["changed"] is True
        (job_id,) = done["jobs"]
        assert done["job_id"] == job_id and done["command"] == "stopVirtualMachine"
        assert f"stopVirtualMachine: job {job_id} is still pending after {timeout} s (wait_timeout)" in done["msg"]
        assert "go on at the service: run cloudn_job" in done["msg"]


def test_a_job_that_fails_is_an_error_with_its_reason(run_module: Run, generation: str, vm_id: str) -> None:
    good(run_module(MODULE, command="stopVirtualMachine", params={"id": vm_id}))
    done = run_module(MODULE, command="rebootVirtualMachine", params={"id": vm_id})
    assert done["failed"] and done["changed"] is True
    assert done["msg"].startswith(f"rebootVirtualMachine: job {done['job_id']} failed: ")
    assert done["error_code"] == NOT_RUNNING[generation] and done["error_text"] in done["msg"]
    assert "jobs" not in done


def test_a_job_that_the_service_forgets_is_an_error(
    run_module: Run, vm_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native_command.job, "follow", lambda _client, ids, _timeout: [{"jobid": ids[0]}])
    done = run_module(MODULE, command="stopVirtualMachine", params={"id": vm_id})
    assert done["failed"] and "is not known to the service (any more)" in done["msg"]


def test_a_job_that_cannot_be_followed_is_an_error_that_names_it(
    run_module: Run, vm_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_args: Any) -> None:
        raise BadAnswer("queryAsyncJobResult: the answer can't be read", "queryAsyncJobResult", 503)

    monkeypatch.setattr(native_command.job, "follow", lost)
    done = run_module(MODULE, command="stopVirtualMachine", params={"id": vm_id})
    assert done["failed"] and done["changed"] is True
    assert done["jobs"] == [done["job_id"]]
    assert done["command"] == "stopVirtualMachine"
    assert done["msg"] == (
        "stopVirtualMachine: queryAsyncJobResult: the answer can't be read; so job "
        f"{done['job_id']} can't be followed: run cloudn_job with its id"
    )


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_answer_is_reported_and_nothing_is_sent_again(
    run_module: Run, emulator: Any, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    send = requests.adapters.HTTPAdapter.send
    tries = []

    def unreliable(self: Any, prepared: Any, **options: Any) -> Any:
        tries.append(prepared)
        if after:
            send(self, prepared, **options)
        raise requests.ConnectionError("connection reset")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", unreliable)
    done = run_module(MODULE, command="createSecurityGroup", params={"name": "web"}, api_retries=5)
    assert done["failed"]
    assert done["msg"] == (
        "createSecurityGroup: the connection broke before the answer was complete. It is not known whether it was done: look "
        "before you run the task again, which would do it once more"
    )
    assert len(tries) == 1
    assert sent_to(emulator) == ["createSecurityGroup"] * after


def test_only_the_send_counts_as_long_as_it_takes(run_module_as: Callable[..., Any]) -> None:
    """A short time for waiting does not cut off the answer: otherwise nobody would know what was done."""
    with run_module_as(latency_ms=400) as (run, emulator):
        done = good(run(MODULE, command="createSecurityGroup", params={"name": "web"}, wait_timeout=0))
        assert done["result"]["securitygroup"]["name"] == "web"
        assert sent_to(emulator) == ["createSecurityGroup"]


# What the service refuses


@pytest.mark.parametrize("command", ["listNothing", "listzones", "doSomething", "enableAccount"])
@FORMATS
def test_an_unknown_command_is_an_error_that_says_so(
    run_module: Run, generation: str, command: str, response_format: str
) -> None:
    done = run_module(MODULE, command=command, response_format=response_format)
    assert done["failed"] and done["error_code"] == done["http_status"] == NO_COMMAND[generation]
    assert done["command"] == command
    assert f"The service does not know {command}, or does not grant it to this account: " in done["msg"]


@FORMATS
def test_a_missing_parameter_is_the_services_error(run_module: Run, response_format: str) -> None:
    for command in ("extractVolume", "stopVirtualMachine"):
        done = run_module(MODULE, command=command, response_format=response_format)
        assert done["failed"] and done["error_code"] == 431
        assert done["msg"].startswith(f"{command}: Unable to execute API command")
        assert "due to missing parameter" in done["msg"]


def test_a_bad_value_is_the_services_error(run_module: Run) -> None:
    done = run_module(MODULE, command="startVirtualMachine", params={"id": UNKNOWN})
    assert done["error_code"] == 431 and UNKNOWN in done["msg"]


# What is refused before anything is sent


@pytest.mark.parametrize("command", ["list zones", "listZones&x=y", "listZones\n", "list2", "ゾーン"])
def test_text_that_is_no_command_is_refused(refused: Run, emulator: Any, command: str) -> None:
    assert refused(MODULE, command=command) == f"command: {command!r} is no name of a command, such as listZones"
    assert emulator.requests == []


def test_a_command_is_needed(refused: Run) -> None:
    assert refused(MODULE) == "missing required arguments: command"
    assert "wait_timeout: must be at least 0, not -1" in refused(MODULE, command="listZones", wait_timeout=-1)


# Values of secret_params are masked wherever they occur, so these are none of the letters of a message.
@pytest.mark.parametrize("option", ["params", "secret_params"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        *(
            ({name: "QQQQ"}, f"{name} can't be given, the module sets it itself")
            for name in ("apikey", "signature", "response", "command", "signatureversion", "expires", "apiKey", "COMMAND")
        ),
        ({"a b": "QQQQ"}, "'a b' is no name of a parameter"),
        ({"": "QQQQ"}, "'' is no name of a parameter"),
        ({"name=x&command": "QQQQ"}, "'name=x&command' is no name of a parameter"),
        ({"tags[x].key": "QQQQ"}, "'tags[x].key' is no name of a parameter"),
        *(
            ({"name": value}, "name must be a text, a number, a truth value, a list or dictionary")
            for value in ({"a": {"b": "QQQQ"}}, {"a": None}, ["QQQQ", {"b": "QQQQ"}], [{"b": "QQQQ"}, "QQQQ"], [["QQQQ"]],
                          [{"a": ["QQQQ"]}], [None])
        ),
    ],
)  # fmt: skip
def test_bad_parameters_are_refused_before_a_request(
    refused: Run, emulator: Any, option: str, given: Result, said: str
) -> None:
    for command in ("listZones", "createSecurityGroup"):
        assert refused(MODULE, command=command, **{option: given}).startswith(f"{option}: {said}")
    assert emulator.requests == []


@pytest.mark.parametrize("name", ["password", "userdata", "privatekey", "Password", "userData"])
def test_secrets_belong_elsewhere(refused: Run, emulator: Any, name: str) -> None:
    message = refused(MODULE, command="updateVirtualMachine", params={"id": UNKNOWN, name: "wS4nifujs"})
    assert message == f"params: {name} is secret: put it into secret_params, whose values are not shown"
    assert emulator.requests == []


@pytest.mark.parametrize("first", ["a b", "Password", "id"])
def test_secrets_that_are_elsewhere_are_not_shown(run_module: Run, emulator: Any, first: str) -> None:
    """A refusal returns the options, which must not show secrets."""
    wrong = {"userdata": "wS4nifujs", "password": "wS4nifujs", "apiKey": "wS4nifujs"}
    done = run_module(
        MODULE, command="updateVirtualMachine", params={first: "wS4nifujs" if first != "id" else "1", **wrong}
    )
    assert done["failed"]
    shown = done["invocation"]["module_args"]["params"]
    assert [shown[name] for name in wrong] == ["***"] * 3
    if first != "a b":
        assert "wS4nifujs" not in json.dumps(done)
    assert emulator.requests == []


def test_a_name_in_both_kinds_of_parameters_is_refused(refused: Run) -> None:
    message = refused(MODULE, command="createVolume", params={"name": "a", "id": "b"}, secret_params={"Name": "QQQQ"})
    assert message == "params, secret_params: name is in both"


def test_text_that_the_service_does_not_take_is_refused(refused: Run, emulator: Any) -> None:
    options = {"command": "createSecurityGroup"}
    for params in ({"name": "a\U0001f600"}, {"tags": {"a\U0001f600": "b"}}, {"tags": [{"key": "\U0001f600"}]}):
        assert "has a character beyond the basic plane" in refused(MODULE, params=params, **options)
    assert "holds a comma" in refused(MODULE, params={"ids": ["a,b"]}, **options)
    for value in ("se\ncret\U0001f600", ["se\ncret,b"], {"key": "se\ncret\U0001f600"}):
        message = refused(MODULE, secret_params={"description": value}, **options)
        assert message.startswith("secret_params: description has a character beyond the basic plane (an emoji?), or")
        assert "cret" not in message.replace("secret_params", "")
    assert emulator.requests == []


# Secrets


@FORMATS
@pytest.mark.parametrize("check", [False, True])
def test_secrets_are_nowhere(
    run_module: Run, emulator: Any, vm_id: str, capfd: Any, check: bool, response_format: str
) -> None:
    text = base64.b64encode(b"#cloud-config\npassword: wS4nifujs").decode()
    options = {"params": {"id": vm_id, "group": "back"}, "secret_params": {"userdata": text}}
    done = good(
        run_module(
            MODULE, command="updateVirtualMachine", _check=check, _diff=True, response_format=response_format, **options
        )
    )
    assert done["actions"] == [f"updateVirtualMachine id={vm_id} group=back userdata=***"]
    assert "secret_params" in done["invocation"]["module_args"]
    assert text not in json.dumps(done)
    assert text not in json.dumps(emulator.requests)
    assert [r["params"]["userdata"] for r in emulator.requests] == ([] if check else [f"({len(text)} characters)"])
    assert text not in "".join(capfd.readouterr())


def test_secrets_are_not_in_failures(run_module: Run, emulator: Any, generation: str, vm_id: str) -> None:
    for secret, more in (
        ("no-base64!-wS4nifujs", {}),
        ("A" * TOO_LONG[generation], {}),
        ("d1M0bmlmdWpz", {"id": UNKNOWN}),
    ):
        params = {"id": vm_id, **more}
        done = run_module(MODULE, command="updateVirtualMachine", params=params, secret_params={"userdata": secret})
        assert done["failed"] and done["error_code"] == 431
        assert secret not in json.dumps(done)
    good(run_module(MODULE, command="stopVirtualMachine", params={"id": vm_id}))
    secret = "wS4nifujs-mine"
    options = {"command": "resetPasswordForVirtualMachine", "params": {"id": vm_id}}
    done = good(run_module(MODULE, secret_params={"password": secret}, **options))
    assert done["actions"] == [f"resetPasswordForVirtualMachine id={vm_id} password=***"]
    assert secret not in json.dumps(done)
    assert secret not in json.dumps(emulator.requests)


def test_long_user_data_is_sent(run_module: Run, emulator: Any, vm_id: str) -> None:
    text = base64.b64encode(b"x" * 1536).decode()
    good(run_module(MODULE, command="updateVirtualMachine", params={"id": vm_id}, secret_params={"userdata": text}))
    assert emulator.requests[-1]["params"]["userdata"] == "(2048 characters)"


def test_secrets_may_be_read_by_reading_commands(run_module: Run, emulator: Any) -> None:
    done = good(run_module(MODULE, command="listSecurityGroups", secret_params={"securitygroupname": "nothing-such"}))
    assert done["result"] == {}
    assert emulator.requests[0]["params"]["securitygroupname"] == "nothing-such"


def test_secrets_are_not_on_the_screen(playbook: Callable[..., Any], vm_id: str) -> None:
    secret = "d1M0bmlmdWpz"
    task = {
        "name": "User data",
        "cloudn.compute.cloudn_api": {
            "command": "updateVirtualMachine",
            "params": {"id": vm_id},
            "secret_params": {"userdata": secret},
        },
    }
    done = playbook(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), "-vvv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "userdata=***" in done.stdout
    assert secret not in done.stdout + done.stderr
