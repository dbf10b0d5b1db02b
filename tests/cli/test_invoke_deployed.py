"""``ddsbackup invoke --deployed``: the local cloud runs the uploaded package."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest

from cli.cloud import DEFAULT_URL, cloud_url
from localcloud import LocalCloud
from tests.localcloud.functions import NO_DATEUTIL, new_function, package, until
from tests.localcloud.sdk import build


pytestmark = NO_DATEUTIL
Run = Callable[..., Any]
Application = Callable[..., Path]
IN_THE_CHECKOUT = "def handler(event, context):\n    return 'from the checkout'\n"
DEPLOYED = """
    def handler(event, context):
        print("working on it")
        if "fail" in event:
            raise ValueError("no such luck")
        return {"deployed": event}
    """


@pytest.fixture
def arguments(application: Application, cloud: LocalCloud) -> Iterator[list[str]]:
    """Arguments to invoke the function ``sample``, whose code in the cloud differs from the source folder."""
    build(sdk.FunctionGraphClient, cloud).create_function(new_function("sample", package(DEPLOYED)))
    template = application(IN_THE_CHECKOUT)
    yield ["invoke", "sample", "--template", str(template), "--cloud", cloud.url, "--deployed"]
    cloud.reset()


def test_output(ddsbackup: Run, arguments: list[str], cloud: LocalCloud) -> None:
    """Result, log and report are printed as for a function in its source folder."""
    ran = ddsbackup(*arguments, "-e", "-", stdin='{"a": 1}')
    start, log, end, report = ran.err.splitlines()
    request_id = cloud.invocations()[0]["request_id"]

    assert (ran.status, ran.json) == (0, {"deployed": {"a": 1}})
    assert (start, log, end) == (f"START RequestId: {request_id}", "working on it", f"END RequestId: {request_id}")
    assert report.startswith(f"REPORT RequestId: {request_id}  Duration: ")
    assert "(cold start)" in report


def test_failure(ddsbackup: Run, arguments: list[str]) -> None:
    """The exit status is 1, and standard error has the traceback."""
    ran = ddsbackup(*arguments, "-e", "-", stdin='{"fail": 1}')

    assert (ran.status, ran.out) == (1, "")
    assert 'raise ValueError("no such luck")' in ran.err
    assert "ValueError: no such luck" in ran.err


def test_json(ddsbackup: Run, arguments: list[str]) -> None:
    """The document has the same keys as without --deployed."""
    ran = ddsbackup(*arguments, "-t", "direct", "--json")

    assert set(ran.json) == {"ok", "result", "error", "report", "messages"}
    assert ran.json["report"]["cold_start"] is True


def test_async(ddsbackup: Run, arguments: list[str], cloud: LocalCloud) -> None:
    """Only the request id is printed, which identifies the invocation later."""
    ran = ddsbackup(*arguments, "-e", "-", "--async", stdin='{"a": 1}')
    [invocation] = until(cloud.invocations)

    assert (ran.status, ran.err) == (0, "")
    assert invocation["request_id"] == ran.out.strip()
    assert invocation["source"] == "AsyncInvokeFunction"


def test_not_deployed(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """The message names the missing function and the deployed ones."""
    build(sdk.FunctionGraphClient, cloud).create_function(new_function("simple"))
    template = application(IN_THE_CHECKOUT)
    ran = ddsbackup("invoke", "sample", "-t", "direct", "--template", template, "--cloud", cloud.url, "--deployed")

    assert ran.status == 2
    assert f"there is no function 'sample' at {cloud.url}, did you mean 'simple'? Deployed: simple" in ran.err


def test_an_error_of_the_api_is_printed(ddsbackup: Run, arguments: list[str], cloud: LocalCloud) -> None:
    """The message has the status, code and message of FunctionGraph."""
    cloud.set_faults([{"path": "/invocations$", "answer": {"status": 429}}])
    ran = ddsbackup(*arguments, "-t", "direct")

    assert ran.status == 2
    assert "answered 429 (FSS.0429: Too many requests.)" in ran.err


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--async"], "--async needs --deployed"),
        (["--deployed"], "--deployed needs --cloud"),
        (["--deployed", "--cloud", "local", "--timeout", "3"], "remove --env-file and --timeout"),
        (["--deployed", "--cloud", "local", "--env-file", "x"], "remove --env-file and --timeout"),
    ],
)
def test_options_that_do_not_go_together(ddsbackup: Run, options: list[str], fault: str) -> None:
    """The message says what to change."""
    ran = ddsbackup("invoke", "create_backup", "-t", "timer", *options)

    assert ran.status == 2
    assert fault in ran.err


def test_local_is_the_default_address() -> None:
    """`--cloud local` is the default address of `ddsbackup serve`. The scheme of a URL is optional."""
    assert cloud_url("local") == DEFAULT_URL == "http://127.0.0.1:8600"
    assert cloud_url("127.0.0.1:1/") == "http://127.0.0.1:1"
