# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client: what it sends and repeats, how it reads answers, and what no error shows."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    ApiError,
    BadAnswer,
    Client,
    CloudnError,
    Deadline,
    NotGranted,
    NotSent,
    UnknownOutcome,
    UsageError,
    is_read,
    signature,
)
from ansible_collections.cloudn.compute.plugins.module_utils.api.client import flatten
from ansible_collections.cloudn.compute.plugins.module_utils.api.errors import shown
from cloudn_emulator import Emulator
from servers import serving

ZONES = '{"listzonesresponse": {"count": 1, "zone": [{"id": "1", "name": "a"}]}}'
HTML = (502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>")


def refusal(code: int, text: str = "no") -> str:
    return f'{{"ROOT": {{"uuidList": [], "errorcode": {code}, "errortext": "{text}"}}}}'


def test_a_call_is_signed_and_ends(script: Any, connect: Callable[..., Client]) -> None:
    script.json(ZONES)
    client = connect(now=lambda: 0.0)
    assert client.call("listZones", {"available": True, "id": None}) == {"count": 1, "zone": [{"id": "1", "name": "a"}]}
    sent = script.requests[0]
    assert sent.pop("signature") == signature.sign(sent, "the-secret-key")
    assert sent == {
        "command": "listZones",
        "apikey": "the-api-key",
        "response": "json",
        "available": "true",
        "signatureversion": "3",
        "expires": "1970-01-01T00:10:00+0000",
    }


def test_a_request_without_expiry_and_in_xml_has_only_what_it_needs(
    script: Any, connect: Callable[..., Client]
) -> None:
    script.json(ZONES)
    connect(signature_expires=0, response_format="xml").call("listZones")
    assert script.requests[0].keys() == {"command", "apikey", "signature"}


def test_one_connection_serves_many_calls(script: Any, client: Client) -> None:
    script.json(ZONES)
    for _call in range(5):
        client.call("listZones")
    assert len(script.connections) == 1


def test_each_thread_has_its_own_connection(script: Any, client: Client) -> None:
    script.json(ZONES)
    client.call("listZones")
    thread = threading.Thread(target=lambda: [client.call("listZones") for _call in range(3)])
    thread.start()
    thread.join()
    assert len(script.connections) == 2


def test_long_requests_are_forms_in_utf_8(script: Any, client: Client) -> None:
    script.json('{"ROOT": {"jobid": "j"}}')
    client.call("deployVirtualMachine", {"userdata": "A" * 5000, "displayname": "ウェブ"})
    assert script.methods == ["POST"]
    assert script.requests[0]["userdata"] == "A" * 5000
    assert script.requests[0]["displayname"] == "ウェブ"


@pytest.mark.parametrize(
    ("params", "flat"),
    [
        ({"ids": ["a", "b"]}, {"ids": "a,b"}),
        ({"ids": []}, {"ids": ""}),
        ({"tags": {"role": "web", "env": "x"}}, {"tags[0].key": "role", "tags[0].value": "web", "tags[1].key": "env", "tags[1].value": "x"}),
        ({"l": [{"account": "a", "group": "g,h"}]}, {"l[0].account": "a", "l[0].group": "g,h"}),
        ({"a": True, "b": False, "c": 0, "d": None, "e": ""}, {"a": "true", "b": "false", "c": "0", "e": ""}),
    ],
)  # fmt: skip
def test_parameters_are_flattened(params: dict[str, Any], flat: dict[str, str]) -> None:
    assert flatten(params) == flat


def test_text_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(UsageError, match="securitygroupids: 'a,b' holds a comma"):
        flatten({"securitygroupids": ["a,b"]})
    with pytest.raises(UsageError, match="displayname: .* beyond the basic plane"):
        flatten({"displayname": "web \U0001f600"})


def test_account_goes_where_it_is_taken(script: Any, connect: Callable[..., Client]) -> None:
    script.json('{"ROOT": {}}')
    client = connect(account="other", domain_id="9")
    client.call("listVirtualMachines")
    client.call("listZones")
    assert (script.requests[0]["account"], script.requests[0]["domainid"]) == ("other", "9")
    assert "account" not in script.requests[1]


def page(*ids: int) -> str:
    zones = ", ".join(f'{{"id": "{number}"}}' for number in ids)
    return (
        f'{{"listzonesresponse": {{"count": {len(ids)}, "zone": [{zones}]}}}}' if ids else '{"listzonesresponse": {}}'
    )


@pytest.mark.parametrize(("answer", "ids"), [(page(), []), (page(1), [1]), (page(1, 2), [1, 2])])
def test_a_short_list_is_one_request(script: Any, client: Client, answer: str, ids: list[int]) -> None:
    script.json(answer)
    assert [int(item["id"]) for item in client.list("listZones")] == ids
    assert [(request["page"], request["pagesize"]) for request in script.requests] == [("1", "500")]


@pytest.mark.parametrize("trouble", [HTML, (503, {}, b""), (504, {}, b"x"), None, (200, {}, b'{"cut'), (429, {}, b"")])
def test_reads_are_repeated(script: Any, client: Client, clock: Any, trouble: Any) -> None:
    script.answers = [trouble, trouble]
    script.json(ZONES)
    assert client.call("listZones")["count"] == 1
    assert len(script.requests) == 3
    assert len(clock.pauses) == 2
    assert 0.25 <= clock.pauses[0] <= 0.5 <= clock.pauses[1] <= 1.0


def test_each_repetition_is_signed_anew(script: Any, connect: Callable[..., Client], clock: Any) -> None:
    script.answers = [HTML]
    script.json(ZONES)
    connect(now=clock).call("listZones")
    assert script.requests[0]["expires"] != script.requests[1]["expires"] or clock.pauses[0] < 1


def test_credentials_that_were_right_are_tried_once_more(script: Any, client: Client) -> None:
    """A command that was refused for its credentials was not done. This counts for changes too."""
    script.json(ZONES)
    client.call("listZones")
    for refusals in (1, 2):
        script.requests.clear()
        script.answers.clear()
        for _refusal in range(refusals):
            script.json(refusal(401), status=401)
        if refusals == 1:
            script.json('{"createvolumeresponse": {"id": "1", "jobid": "j"}}')
            assert client.call("createVolume")["id"] == "1"
        else:
            with pytest.raises(ApiError, match="check api_key and api_secret"):
                client.call("createVolume")
        assert script.commands() == ["createVolume", "createVolume"]


def test_credentials_that_are_wrong_are_tried_once(script: Any, client: Client) -> None:
    script.json(refusal(401), status=401)
    with pytest.raises(ApiError, match="check api_key and api_secret"):
        client.call("listZones")
    assert len(script.requests) == 1


@pytest.mark.parametrize("accepted", [True, False], ids=["after another command", "as the first command"])
def test_a_401_for_one_command_alone_means_that_the_service_lacks_it(
    script: Any, client: Client, accepted: bool
) -> None:
    """CloudStack 4 answers 401 to a command that it does not know. Measured on CloudStack 4.23."""
    if accepted:
        script.json(ZONES)
        client.call("listZones")
    script.answers = []
    script.requests.clear()
    if accepted:
        script.json(refusal(401), refusal(401), status=401)
        script.json(ZONES)
    else:
        script.json(refusal(401), status=401)
        script.json(ZONES)
        script.json(refusal(401), status=401)
    with pytest.raises(
        NotGranted, match="listThings: .*401.*accepts them for other commands.*Is listTags meant"
    ) as refused:
        client.call("listThings")
    with pytest.raises(NotGranted, match="does not know this command"):  # it is not asked again
        client.call("listThings")
    assert (refused.value.code, refused.value.status) == (401, 401)
    assert sorted(script.commands()) == ["listThings", "listThings", "listZones"]


def test_a_refusal_of_the_first_command_is_checked_with_another_command(script: Any, client: Client) -> None:
    script.json(refusal(401), status=401)
    script.json(ZONES)
    script.json('{"createvolumeresponse": {"id": "1", "jobid": "j"}}')
    assert client.call("createVolume")["id"] == "1"
    assert script.commands() == ["createVolume", "listZones", "createVolume"]


FOREIGN = (b"", b"<html>", b"\x00\xff", b'{"error": "no"}', b'{"error": {"code": 7}}', b'{"errorresponse": {}}')
STRANGE_STATUSES = (204, 301, 303, 307, 400, 401, 403, 404, 407, 408, 413, 414, 429, 431, 432, 500, 502, 530)


@pytest.mark.parametrize("body", FOREIGN)
@pytest.mark.parametrize("status", STRANGE_STATUSES)
def test_only_an_error_of_this_api_is_a_refusal_of_a_change(
    script: Any, client: Client, status: int, body: bytes
) -> None:
    """A server in front of the service may write anything else, after the service has done the command."""
    script.answers = [(status, {}, b"" if status == 204 else body)]
    with pytest.raises(UnknownOutcome, match=f"createVolume: .*HTTP {status}"):
        client.call("createVolume")
    assert script.commands() == ["createVolume"]


@pytest.mark.parametrize("status", [status for status in STRANGE_STATUSES if status != 414])
def test_a_read_with_an_answer_of_another_server_is_tried_again(script: Any, client: Client, status: int) -> None:
    script.answers = [(status, {}, b"")]
    script.json(ZONES)
    assert client.list("listZones") == [{"id": "1", "name": "a"}]
    assert len(script.requests) == 2
    assert len(script.connections) == 2  # the first one might hold another answer


BODIES_OF_OTHERS = (
    '{"error": "maintenance"}',
    '{"error": {"message": "maintenance"}}',
    '{"html": {"body": "please log in"}}',
    '{"Envelope": {}}',
    '{"listzonesresponse": {}}',
    '{"listvolumesresponse": {"count": 1, "volume": [{"id": "1"}]}}',
    '{"errorresponse": {}}',
    '{"response": {}}',
    "{}",
    "[]",
    "<Envelope/>",
    "<listzonesresponse/>",
    '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
)


@pytest.mark.parametrize("body", BODIES_OF_OTHERS)
@pytest.mark.parametrize("command", ["listVirtualMachines", "destroyVirtualMachine"])
def test_a_body_of_another_command_or_server_is_a_bad_answer(
    script: Any, connect: Callable[..., Client], command: str, body: str
) -> None:
    script.json(body)
    with pytest.raises(BadAnswer, match=f"{command}: the answer can't be read"):
        connect(retries=2).call(command)
    assert len(script.requests) == (3 if command == "listVirtualMachines" else 1)


@pytest.mark.parametrize(
    ("command", "root"),
    [
        ("restoreVirtualMachine", "restorevmresponse"),
        ("revokeSecurityGroupIngress", "revokesecuritygroupingress"),
        ("revokeSecurityGroupIngress", "revokesecuritygroupingressresponse"),
        ("revokeSecurityGroupEgress", "revokesecuritygroupegress"),
        ("resetSSHKeyForVirtualMachine", "resetSSHKeyforvirtualmachineresponse"),
        ("updateVMAffinityGroup", "updatevirtualmachineresponse"),
        ("listCounters", "counterresponse"),
        ("listSnapshot", "listsnapshotsresponse"),
        ("assignVirtualMachine", "moveuservmresponse"),  # not recorded: any root that is not known to be another's
    ],
)
def test_other_roots_of_a_command_are_known(script: Any, client: Client, command: str, root: str) -> None:
    content = {} if command.startswith("list") else {"jobid": "j"}
    script.json(json.dumps({root: content}))
    assert client.call(command) == content


def test_a_root_of_another_command_is_not_taken_for_that_of_an_unknown_one(script: Any, client: Client) -> None:
    script.json('{"destroyvirtualmachineresponse": {"jobid": "j"}}')
    with pytest.raises(BadAnswer, match="belongs to another command"):
        client.call("assignVirtualMachine")


@pytest.mark.parametrize("content", ["{}", '{"success": "false"}', '{"success": false}', '{"errorcode": "x"}'])
def test_a_change_without_a_result_has_an_unknown_outcome(script: Any, client: Client, content: str) -> None:
    script.json(f'{{"ROOT": {content}}}')
    with pytest.raises(UnknownOutcome, match="createVolume: the answer can't be read"):
        client.call("createVolume")
    script.answers.clear()
    script.json('{"ROOT": {"success": true}}')
    with pytest.raises(UnknownOutcome, match="createVolume: the answer can't be read: it has no job"):
        client.call("createVolume")


def test_a_job_belongs_to_one_change(script: Any, client: Client) -> None:
    script.json('{"ROOT": {"jobid": "j1"}}', '{"ROOT": {"jobid": "j2"}}', '{"ROOT": {"jobid": "j1"}}')
    client.call("stopVirtualMachine")
    client.call("startVirtualMachine")
    with pytest.raises(UnknownOutcome, match="rebootVirtualMachine: the answer names 'j1', which is not a new job"):
        client.call("rebootVirtualMachine")


def test_repetitions_end(script: Any, connect: Callable[..., Client], clock: Any) -> None:
    script.answers = [HTML]
    with pytest.raises(BadAnswer, match="listZones: the answer can't be read: it is an HTML page .*HTTP 502"):
        connect(retries=3).call("listZones")
    assert len(script.requests) == 4


def test_repetitions_keep_to_the_deadline(script: Any, connect: Callable[..., Client], clock: Any) -> None:
    script.answers = [HTML]
    with pytest.raises(NotSent, match=r"no answer within the time for the task \(wait_timeout\)"):
        connect(retries=1000).call("listZones", deadline=Deadline(20, clock))
    assert sum(clock.pauses) <= 20


@pytest.mark.parametrize("trouble", [HTML, (503, {}, b""), None, (200, {}, b'{"cut'), (500, {}, b"oops")])
def test_changes_are_never_repeated(script: Any, client: Client, trouble: Any) -> None:
    script.answers = [trouble]
    with pytest.raises(UnknownOutcome):
        client.call("deployVirtualMachine", {"name": "web1"})
    assert len(script.requests) == 1


def test_an_unreachable_service_is_reported(connect: Callable[..., Client]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/client/api"
    client = Client(url, "the-api-key", "the-secret-key", retries=2, sleep=lambda _seconds: None)
    for command in ("listZones", "deployVirtualMachine"):
        with pytest.raises(
            NotSent, match=f"{command}: the service was not reached .no connection.; check api_url"
        ) as raised:
            client.call(command)
        assert raised.value.message.endswith(f"; check api_url ({url}) and the network")


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://user:p@ss@h.invalid:1/client/api?apikey=k&signature=s#x", "https://h.invalid:1/client/api"),
        ("http://[::1]:8080/api", "http://[::1]:8080/api"),
        ("http://[", "no address"),
    ],
)
def test_addresses_are_shown_without_secrets(url: str, seen: str) -> None:
    assert shown(url) == seen


def test_a_late_answer_is_an_unknown_outcome(script: Any, connect: Callable[..., Client]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/client/api"
        client = Client(url, "k", "s", timeout=0.1, retries=0)
        with pytest.raises(UnknownOutcome, match=r"no complete answer within 0.1 s \(api_timeout\)"):
            client.call("stopVirtualMachine")


def test_refusals_carry_what_the_service_said(script: Any, client: Client) -> None:
    script.json(refusal(431, "missing parameter id"), status=431)
    with pytest.raises(ApiError) as caught:
        client.call("startVirtualMachine")
    error = caught.value
    assert (error.command, error.status, error.code, error.text) == (
        "startVirtualMachine",
        431,
        431,
        "missing parameter id",
    )
    assert str(error) == "startVirtualMachine: missing parameter id (error 431)"
    assert error.details() == {
        "command": "startVirtualMachine",
        "http_status": 431,
        "error_code": 431,
        "error_text": "missing parameter id",
    }
    assert len(script.requests) == 1


def test_a_refusal_of_a_read_is_not_repeated(script: Any, client: Client) -> None:
    script.json(refusal(530), status=530)
    with pytest.raises(ApiError):
        client.call("listZones")
    assert len(script.requests) == 1


def test_a_wrong_address_is_reported(script: Any, client: Client) -> None:
    script.answers = [(404, {"Content-Type": "text/html"}, b"<html>Not Found</html>")]
    with pytest.raises(BadAnswer, match="HTTP 404, and the answer is not one of this API; is api_url right") as raised:
        client.call("listZones")
    assert raised.value.message.endswith(f"is api_url right? It is {script.url}")


@pytest.mark.parametrize("url", ["http:///x", "http://[", "http://host:port/"])
def test_an_unusable_address_is_reported(url: str) -> None:
    with pytest.raises(CloudnError, match="api_url"):
        Client(url, "k", "s", retries=0).call("listZones")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("command", ["listZones", "deployVirtualMachine"])
def test_no_redirect_is_followed(script: Any, connect: Callable[..., Client], status: int, command: str) -> None:
    """A request holds a key, a signature and user data."""
    client = connect(retries=0)
    with serving() as other:
        for place in (other.url, script.url, "//127.0.0.1/", "/elsewhere"):
            script.answers = [(status, {"Location": place}, b"")]
            with pytest.raises(
                BadAnswer, match=f"{command}: .*redirects elsewhere .HTTP {status}.*set api_url"
            ) as caught:
                client.call(command, {"userdata": "A" * 5000})
            assert place not in str(caught.value)
        assert (len(script.requests), other.requests) == (4, [])


def test_clocks_that_differ_are_reported(script: Any, connect: Callable[..., Client]) -> None:
    script.json(refusal(401), status=401)
    with pytest.raises(ApiError, match=r"this machine's clock is (899|90\d) s behind the service's"):
        connect(now=lambda: time.time() - 900).call("listZones")
    with pytest.raises(ApiError, match="check api_key and api_secret"):
        connect().call("listZones")


def test_netrc_is_not_used(script: Any, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    script.json(ZONES)
    client.call("listZones")
    assert "Authorization" not in script.headers[0]


@pytest.mark.parametrize(
    "trouble", [HTML, None, (200, {}, b"x"), (302, {"Location": "http://x/"}, b""), (404, {}, b"x")]
)
@pytest.mark.parametrize("command", ["listZones", "deployVirtualMachine"])
def test_errors_hold_no_secret(script: Any, connect: Callable[..., Client], trouble: Any, command: str) -> None:
    script.answers = [trouble]
    with pytest.raises(CloudnError) as caught:
        connect(retries=1).call(command, {"userdata": "canary"})
    told = repr(vars(caught.value)) + str(caught.value) + repr(caught.value.__cause__)
    told = told.replace(f"is api_url right? It is {script.url}", "")  # the user's own, and nothing behind its path
    sent = script.requests[0]["signature"]
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for secret in ("the-api-key", "the-secret-key", "canary", "127.0.0.1", sent, urllib.parse.quote(sent, safe="")):
        assert secret not in told


@pytest.mark.parametrize(
    ("command", "read"),
    [
        ("listZones", True),
        ("queryAsyncJobResult", True),
        ("getVMPassword", True),
        ("deployVirtualMachine", False),
        ("listen", False),
        ("extractVolume", False),
        ("Listzones", False),
    ],
)
def test_commands_that_only_read_are_known_by_their_names(command: str, read: bool) -> None:
    assert is_read(command) is read


def test_the_client_works_without_ansible(script: Any) -> None:
    script.json(ZONES)
    module_utils = Path(__file__).parents[3] / "plugins" / "module_utils"
    program = (
        "import sys; from api import Client; "
        f"print(Client({script.url!r}, 'k', 's').list('listZones')); "
        "assert not any(name.split('.')[0] == 'ansible' for name in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(module_utils)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[{'id': '1', 'name': 'a'}]\n"), done.stderr


@pytest.mark.parametrize(
    ("dialect", "sent"),
    [
        ("cloudstack", [("listSnapshots", 200), ("listSnapshots", 200)]),
        ("cloudn", [("listSnapshots", 432), ("listSnapshot", 200), ("listSnapshot", 200)]),
    ],
)
def test_the_spelling_that_the_service_knows_is_remembered(dialect: str, sent: list[tuple[str, int]]) -> None:
    with Emulator(dialect=dialect) as emulator:
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        assert client.list("listSnapshots") == client.list("listSnapshots") == []
        assert [(request["command"], request["status"]) for request in emulator.requests] == sent


def test_a_refusal_shows_that_the_spelling_is_known() -> None:
    with Emulator(dialect="cloudn") as emulator:
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        for _attempt in range(2):
            with pytest.raises(ApiError, match="uploadTemplate: .*missing parameter displaytext"):
                client.call("registerTemplate", {"name": "x"})
        sent = [request["command"] for request in emulator.requests]
        assert sent == ["registerTemplate", "uploadTemplate", "uploadTemplate"]


def test_a_401_to_one_spelling_leads_to_the_other_spelling() -> None:
    rules = [{"kind": "unauthorized", "command": "listSnapshots"}]
    with Emulator(dialect="cloudn", faults=rules) as emulator:
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        assert client.list("listSnapshots") == client.list("listSnapshots") == []
        assert [request["command"] for request in emulator.requests][-2:] == ["listSnapshot"] * 2


def test_a_command_that_the_service_knows_in_neither_spelling_is_an_error() -> None:
    with Emulator(denied=["listSnapshots"]) as emulator:
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        for _attempt in range(2):
            with pytest.raises(NotGranted, match="listSnapshots: "):
                client.list("listSnapshots")
        assert [request["command"] for request in emulator.requests] == ["listSnapshots", "listSnapshot"] * 2
