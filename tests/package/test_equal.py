"""The slim package is equal to the stock SDK: the same requests byte for byte, the same results, the same errors."""

import inspect
import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from cli.paths import CHECKOUT
from shared.cloud import dds, smn
from tests.package.recorder import ANSWERS, BSON, SLOW, Recorder, recorder


CALLS = [
    "DdsBackups.create",
    "DdsBackups.list",
    "DdsBackups.list with all filters",
    "DdsBackups.delete",
    "DdsJobs.created_between",
    "DdsJobs.show",
    "DdsInstances.list",
    "SmnTopic.publish",
    "with a user's own key",
]
STOCK = [str(CHECKOUT), sysconfig.get_path("purelib")]
CHANGING = (
    (rb"X-Sdk-Date: \d{8}T\d{6}Z", b"X-Sdk-Date: ..."),
    (rb"Signature=[0-9a-f]{64}", b"Signature=..."),
    (rb"app/[0-9a-f-]{36}", b"app/..."),
)
"""What differs from call to call: the time, what is signed with it, and a random number in the User-Agent."""


def make(path: list[str], home: Path, job: dict[str, Any]) -> list[str]:
    """The outcomes of calls made in a process that sees *path* and the standard library only."""
    command = [sys.executable, "-I", "-S", "-B", str(Path(__file__).with_name("calls.py"))]
    environment = {"PATH": os.defpath, "HOME": str(home)}
    text = json.dumps(job | {"path": path})
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return re.sub("0x[0-9a-f]+", "0x...", done.stdout).splitlines()


def asked(server: Recorder) -> list[bytes]:
    """What the server was asked, less what differs from call to call."""
    requests = list(server.requests)
    server.requests.clear()
    for pattern, replacement in CHANGING:
        requests = [re.sub(pattern, replacement, request) for request in requests]
    return requests


@pytest.fixture
def both(unpacked: Path, tmp_path: Path) -> Callable[..., tuple[list[bytes], list[str]]]:
    """Make calls with the slim package and with the stock SDK; the requests and the outcomes, which are the same."""

    def make_both(
        calls: list[str],
        answers: list[str],
        *,
        endpoint: str = "http://{}",
        environment: dict[str, str] | None = None,
        read: float = 5.0,
    ) -> tuple[list[bytes], list[str]]:
        results = []
        with recorder() as server:
            address = f"127.0.0.1:{server.server_address[1]}"
            proxies = {name: value.format(address) for name, value in (environment or {}).items()}
            job = {"calls": calls, "endpoint": endpoint.format(address), "environment": proxies, "read": read}
            for path in ([str(unpacked)], STOCK):
                server.answers[:] = answers
                outcomes = make(path, tmp_path, job)
                results.append((asked(server), outcomes))
                assert not server.answers
        (requests, outcomes), stock = results
        for answer, ours, theirs in zip_longest(answers, outcomes, stock[1]):
            assert ours == theirs, answer
        assert requests == stock[0]
        return requests, outcomes

    return make_both


Both = Callable[..., tuple[list[bytes], list[str]]]


def test_every_call_of_the_adapters_is_made() -> None:
    """A new method belongs into calls.py too."""
    methods = {
        f"{kind.__name__}.{name}"
        for module in (dds, smn)
        for kind in vars(module).values()
        if inspect.isclass(kind) and kind.__module__ == module.__name__
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }

    assert methods == {call.split()[0] for call in CALLS if "." in call}


def test_every_call_sends_the_same_and_gets_the_same(both: Both) -> None:
    """Method, target, headers in their order and in their case, body; then each field of the answer."""
    requests, outcomes = both(CALLS, ["ok"] * len(CALLS))

    assert len(requests) == len(CALLS)
    assert any(b"backup_description=key%3A%C3%BC" in request for request in requests)
    assert all('"returned"' in outcome for outcome in outcomes)


def test_every_answer_is_understood_alike(both: Both) -> None:
    """Each to each call: the same result, or the same error with the same words, code, request id and causes."""
    _, outcomes = both([call for call in CALLS for _ in ANSWERS], [*ANSWERS] * len(CALLS))

    assert len(outcomes) == len(CALLS) * len(ANSWERS)
    assert len({json.loads(outcome).get("raised") for outcome in outcomes}) > len(ANSWERS)


@pytest.mark.parametrize(
    ("call", "kind"), [("DdsBackups.create", "AmbiguousError"), ("DdsBackups.list", "TransientError")]
)
def test_an_answer_in_bson_is_an_error_that_says_so(unpacked: Path, tmp_path: Path, call: str, kind: str) -> None:
    """Which DDS never sends; the stock SDK fails to read ours, with an error of the same kind."""
    with recorder() as server:
        job = {"calls": [call], "endpoint": f"http://127.0.0.1:{server.server_address[1]}", "environment": {}}
        server.answers[:] = [BSON, BSON]
        slim, stock = (json.loads(make(path, tmp_path, job)[0])["raised"] for path in ([str(unpacked)], STOCK))

    assert slim.startswith(f"{kind}: no usable answer: ImportError: bson was left out of this package")
    assert stock.startswith(f"{kind}: no usable answer: InvalidBSON")


@pytest.mark.parametrize("call", ["DdsBackups.create", "DdsBackups.list"])
def test_an_answer_that_comes_too_late_is_the_same_error(both: Both, call: str) -> None:
    """Ambiguous where something may have been done."""
    _, (outcome,) = both([call], [SLOW], read=0.2)

    assert ("AmbiguousError" in outcome, "TransientError" in outcome) == (
        call.endswith("create"),
        call.endswith("list"),
    )


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://no-such-host.invalid", "https://{}"])
def test_no_connection_is_the_same_error(both: Both, endpoint: str) -> None:
    """Refused, unknown, and no TLS at the other end, for which the certificates are read."""
    _, outcomes = both(CALLS[:2], [], endpoint=endpoint)

    assert all("TransientError" in outcome for outcome in outcomes)


def test_a_proxy_is_used_alike(both: Both) -> None:
    """HTTP_PROXY of the function's environment, with a password."""
    proxy = {"HTTP_PROXY": "http://user:secret@{}"}
    requests, _ = both(CALLS[:2], ["ok"] * 2, endpoint="http://dds.example", environment=proxy)

    assert requests[0].startswith(b"POST http://dds.example/v3/a-project/backups HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic" in requests[0]
