"""The slim package equals the stock SDK: the same requests byte for byte, the same results, the same errors."""

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


pytestmark = pytest.mark.slow  # each test starts processes that see only the package, or only the stock SDK


CALLS = [
    "DdsBackups.create",
    "DdsBackups.list",
    "DdsBackups.list with all filters",
    "DdsBackups.list_all",
    "DdsBackups.delete",
    "DdsJobs.created_between",
    "DdsJobs.deleting_between",
    "DdsJobs.restoring_between",
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
"""Parts that differ in each call: the time, the signature of it, and a random number in the User-Agent."""


def make(path: list[str], home: Path, job: dict[str, Any]) -> list[str]:
    """The outcomes of calls in a process that can import only from *path* and the standard library."""
    command = [sys.executable, "-I", "-S", "-B", str(Path(__file__).with_name("calls.py"))]
    environment = {"PATH": os.defpath, "HOME": str(home)}
    text = json.dumps(job | {"path": path})
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return re.sub("0x[0-9a-f]+", "0x...", done.stdout).splitlines()


def received(server: Recorder) -> list[bytes]:
    """The requests to the server, without the parts that differ in each call."""
    requests = list(server.requests)
    server.requests.clear()
    for pattern, replacement in CHANGING:
        requests = [re.sub(pattern, replacement, request) for request in requests]
    return requests


@pytest.fixture
def both(unpacked: Path, tmp_path: Path) -> Callable[..., tuple[list[bytes], list[str]]]:
    """Make calls with the slim package and the stock SDK. Requests and outcomes must be equal, and are returned."""

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
                results.append((received(server), outcomes))
                assert not server.answers
        (requests, outcomes), stock = results
        for answer, ours, theirs in zip_longest(answers, outcomes, stock[1]):
            assert ours == theirs, answer
        assert requests == stock[0]
        return requests, outcomes

    return make_both


Both = Callable[..., tuple[list[bytes], list[str]]]

OUTCOMES = {"DdsBackups.create": "AmbiguousError", "DdsBackups.list": "TransientError"}
"""The error of a call whose answer is missing or unusable."""


def test_every_call_of_the_adapters_is_covered() -> None:
    """A new method of an adapter needs a call in calls.py."""
    methods = {
        f"{kind.__name__}.{name}"
        for module in (dds, smn)
        for kind in vars(module).values()
        if inspect.isclass(kind) and kind.__module__ == module.__name__
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }

    assert methods == {call.split()[0] for call in CALLS if "." in call}


def test_every_call_sends_the_same_request(both: Both) -> None:
    """Method, target, headers with their order and case, and body are equal, and so is each field of the answer."""
    requests, outcomes = both(CALLS, ["ok"] * len(CALLS))

    assert len(requests) == len(CALLS)
    assert any(b"backup_description=key%3A%C3%BC" in request for request in requests)
    assert all('"returned"' in outcome for outcome in outcomes)


def test_every_answer_gives_the_same_outcome(both: Both) -> None:
    """Each answer to each call gives the same result, or the same error with message, code, request id and causes."""
    _, outcomes = both([call for call in CALLS for _ in ANSWERS], [*ANSWERS] * len(CALLS))

    assert len(outcomes) == len(CALLS) * len(ANSWERS)
    assert len({json.loads(outcome).get("raised") for outcome in outcomes}) > len(ANSWERS)


def test_an_answer_in_bson_is_an_error_that_says_so(unpacked: Path, tmp_path: Path) -> None:
    """DDS never sends BSON. The stock SDK cannot read this answer, either, and raises an error of the same type."""
    with recorder() as server:
        job = {"calls": [*OUTCOMES], "endpoint": f"http://127.0.0.1:{server.server_address[1]}", "environment": {}}
        server.answers[:] = [BSON] * 2 * len(OUTCOMES)
        slim, stock = (
            [json.loads(outcome)["raised"] for outcome in make(path, tmp_path, job)]
            for path in ([str(unpacked)], STOCK)
        )

    for error, ours, theirs in zip(OUTCOMES.values(), slim, stock, strict=True):
        assert ours.startswith(f"{error}: no usable answer: ImportError: bson was left out of this package")
        assert theirs.startswith(f"{error}: no usable answer: InvalidBSON")


def test_an_answer_that_comes_too_late_is_the_same_error(both: Both) -> None:
    """The error is ambiguous if the call may have changed something."""
    _, outcomes = both([*OUTCOMES], [SLOW] * len(OUTCOMES), read=0.2)

    raised = [json.loads(outcome)["raised"] for outcome in outcomes]
    assert [text.partition(":")[0] for text in raised] == [*OUTCOMES.values()]


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://no-such-host.invalid", "https://{}"])
def test_no_connection_is_the_same_error(both: Both, endpoint: str) -> None:
    """The connection is refused, the host is unknown, or the server has no TLS. For the last, certificates are read."""
    _, outcomes = both(CALLS[:2], [], endpoint=endpoint)

    assert all("TransientError" in outcome for outcome in outcomes)


def test_a_proxy_is_used_in_the_same_way(both: Both) -> None:
    """HTTP_PROXY in the function's environment, with a password, applies."""
    proxy = {"HTTP_PROXY": "http://user:secret@{}"}
    requests, _ = both(CALLS[:2], ["ok"] * 2, endpoint="http://dds.example", environment=proxy)

    assert requests[0].startswith(b"POST http://dds.example/v3/a-project/backups HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic" in requests[0]
