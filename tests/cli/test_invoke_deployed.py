"""``ddsbackup invoke --deployed``: the local cloud runs the uploaded package."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest

from cli.cloud import DEFAULT_URL, cloud_url
from cli.huaweicloud.resources import marked
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
    """The result goes to standard output, the end of the log and the request id to standard error."""
    ran = ddsbackup(*arguments, "-e", "-", stdin='{"a": "\u00e4"}')
    start, log, end, last = ran.err.splitlines()
    request_id = cloud.invocations()[0]["request_id"]

    assert (ran.status, ran.json) == (0, {"deployed": {"a": "\u00e4"}})
    assert f"Start invoke request '{request_id}'" in start
    assert log == "working on it"
    assert f"Finish invoke request '{request_id}', duration: " in end
    assert last == f"RequestId: {request_id}"


def test_failure(ddsbackup: Run, arguments: list[str]) -> None:
    """The exit status is 1, and standard error has the traceback."""
    ran = ddsbackup(*arguments, "-e", "-", stdin='{"fail": 1}')

    assert (ran.status, ran.out) == (1, "")
    assert 'raise ValueError("no such luck")' in ran.err
    assert "ValueError: no such luck" in ran.err


def test_json(ddsbackup: Run, arguments: list[str], cloud: LocalCloud) -> None:
    """The document has what FunctionGraph's API returns."""
    document = ddsbackup(*arguments, "-t", "direct", "--json").json

    assert list(document) == ["ok", "result", "error", "report", "log"]
    assert document["report"] == {"request_id": cloud.invocations()[0]["request_id"]}
    assert document["log"][1] == "working on it"


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
    assert "there is no function 'sample' in cn-north-4, did you mean 'simple'? Deployed: simple" in ran.err


def test_an_error_of_the_api_is_printed(ddsbackup: Run, arguments: list[str], cloud: LocalCloud) -> None:
    """The message has the status, code and message of FunctionGraph."""
    cloud.set_faults([{"path": "/invocations$", "answer": {"status": 403}}])
    ran = ddsbackup(*arguments, "-t", "direct")

    assert ran.status == 1
    assert "FunctionGraph.InvokeFunction: " in ran.err
    assert "(HTTP 403)" in ran.err
    assert "What to do: " in ran.err


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--async"], "--async needs --region, or --deployed with --cloud"),
        (["--stack-name", "x"], "--stack-name needs --region, or --deployed with --cloud"),
        (["--cloud", "local", "--region", "cn-north-4"], "give either --cloud"),
        (["--region", "cn-north-4", "--timeout", "3"], "remove --env-file and --timeout"),
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


@pytest.fixture
def two_stacks(application: Application, cloud: LocalCloud) -> Iterator[list[str]]:
    """Arguments to invoke the function ``sample``, which two stacks have with a prefix, and a third one without."""
    client = build(sdk.FunctionGraphClient, cloud)
    project = cloud.connection()["project_id"]
    for stack, name in (("red", "red_sample"), ("blue", "blue_sample"), ("plain", "sample")):
        content = package(f"def handler(event, context):\n    return '{stack}'\n")
        client.create_function(new_function(name, content, description=marked("Backups.", stack, project)))
    yield ["invoke", "sample", "-t", "direct", "--template", str(application(IN_THE_CHECKOUT))]
    cloud.reset()


def test_the_function_of_a_stack(ddsbackup: Run, two_stacks: list[str], cloud: LocalCloud) -> None:
    """--stack-name finds the function by the mark of the stack, whatever its prefix. Without it, the name counts."""
    here = ("--cloud", cloud.url, "--deployed")
    by_stack = [ddsbackup(*two_stacks, *here, "--stack-name", stack).out.strip() for stack in ("red", "blue", "plain")]
    unknown = ddsbackup(*two_stacks, *here, "--stack-name", "green")

    assert by_stack == ["red", "blue", "plain"]
    assert ddsbackup(*two_stacks, *here).out == "plain\n"
    assert unknown.status == 2
    assert "there is no function 'sample' in the stack green in cn-north-4. Deployed: none" in unknown.err


def test_a_name_that_several_functions_end_in(ddsbackup: Run, two_stacks: list[str], cloud: LocalCloud) -> None:
    """The end of a name has to be unique."""
    urn = f"urn:fss:cn-north-4:{cloud.connection()['project_id']}:function:default:sample"
    build(sdk.FunctionGraphClient, cloud).delete_function(sdk.DeleteFunctionRequest(function_urn=urn))
    ran = ddsbackup(*two_stacks, "--cloud", cloud.url, "--deployed")

    assert ran.status == 2
    assert "end in 'sample': " in ran.err
    assert "Give --stack-name" in ran.err


def test_the_real_cloud(
    ddsbackup: Run, two_stacks: list[str], cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--region takes the keys of the environment and calls the endpoint of the region; the rest is the same."""
    given = cloud.connection()
    names = {"AK": "access_key", "SK": "secret_key", "SECURITY_TOKEN": "security_token", "PROJECT_ID": "project_id"}
    for name, key in names.items():
        monkeypatch.setenv(f"HUAWEICLOUD_SDK_{name}", str(given[key]))  # type: ignore[literal-required]
    asked = []

    def endpoint(service: str, region: str) -> str:
        asked.append((service, region))
        return cloud.url

    monkeypatch.setattr("cli.huaweicloud.access.regional_endpoint", endpoint)
    ran = ddsbackup(*two_stacks, "--region", "eu-west-101", "--stack-name", "red", "--json")
    accepted = ddsbackup(*two_stacks, "--region", "eu-west-101", "--stack-name", "red", "--async", "--json")
    until(lambda: len(cloud.invocations()) > 1)

    assert (ran.status, ran.json["ok"], ran.json["result"]) == (0, True, "red")
    assert set(asked) == {("functiongraph", "eu-west-101")}
    assert accepted.json["ok"]
    assert [one["source"] for one in cloud.invocations() if one["request_id"] == accepted.json["request_id"]] == [
        "AsyncInvokeFunction"
    ]
    assert given["secret_key"] not in ran.out + ran.err


def test_the_real_cloud_without_keys(ddsbackup: Run, two_stacks: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which variables to set."""
    for name in ("AK", "SK"):
        monkeypatch.delenv(f"HUAWEICLOUD_SDK_{name}", raising=False)
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/nowhere")
    ran = ddsbackup(*two_stacks, "--region", "cn-north-4")

    assert ran.status == 2
    assert "found no keys. Set HUAWEICLOUD_SDK_AK" in ran.err


def test_an_event_that_is_no_object(ddsbackup: Run, arguments: list[str]) -> None:
    """FunctionGraph's API takes only objects."""
    ran = ddsbackup(*arguments, "-e", "-", stdin="[1]")

    assert ran.status == 2
    assert "the event is a list, expected an object" in ran.err


def test_local_is_the_default_address() -> None:
    """`--cloud local` is the default address of `ddsbackup serve`. The scheme of a URL is optional."""
    assert cloud_url("local") == DEFAULT_URL == "http://127.0.0.1:8600"
    assert cloud_url("127.0.0.1:1/") == "http://127.0.0.1:1"
