"""Exit statuses: the same in all commands, as in the table of docs/README.md."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest

from cli.invoke.display import failed_status
from cli.json_value import Json
from cli.main import main
from cli.paths import CHECKOUT
from localcloud import LocalCloud
from tests.localcloud.functions import NO_DATEUTIL, new_function, package
from tests.localcloud.sdk import build


Run = Callable[..., Any]
Application = Callable[..., Path]
every_command = pytest.mark.parametrize("command", sorted(main.commands))

WRONG_CALLS = {
    "demo": ["--no-such-option"],
    "serve": ["--seed", "nowhere.yaml"],
    "event": ["cron"],
    "explain": ["retention", "dayly=3"],
    "invoke": ["create_backup"],
    "wait": [],
    "backups": ["--retention", "nightly=1"],
    "restore": [],
    "report": ["--parameter", "nowhere"],
    "simulate": ["--template", "nowhere.yaml"],
    "init": ["--time", "2am", "--yes"],
    "validate": ["--template", "nowhere.yaml"],
    "package": ["--template", "nowhere.yaml"],
    "permissions": ["--template", "nowhere.yaml"],
    "cost": ["--template", "nowhere.yaml"],
    "terraform": ["--template", "nowhere.yaml"],
    "deploy": ["--parameter", "nowhere"],
    "destroy": [],
    "doctor": ["--parameter", "nowhere"],
}

FIRST_WORDS = {"event": ["timer"], "explain": ["timer"], "invoke": ["x"]}

FAILURES = {
    "serve": ["--stop", "--port", "1"],
    "invoke": ["create_backup", "-t", "direct", "--set", "instance_id=unknown"],
    "validate": ["--template", "wrong.yaml"],
    "package": ["--template", "wrong.yaml"],
    "terraform": ["--template", "wrong.yaml"],
    "deploy": ["--template", "wrong.yaml", "--cloud", "http://127.0.0.1:1"],
}


@every_command
def test_success_is_0(ddsbackup: Run, command: str) -> None:
    """So is --help."""
    assert ddsbackup(command, "--help").status == 0


@every_command
def test_a_wrong_call_is_2(ddsbackup: Run, command: str) -> None:
    """An option, file or value that the command cannot use. Standard output is empty, and there is no traceback."""
    ran = ddsbackup(command, *WRONG_CALLS[command])

    assert (ran.status, ran.out) == (2, "")
    assert "Error: " in ran.err


@pytest.mark.parametrize("command", FAILURES)
def test_a_failure_is_1(ddsbackup: Run, command: str, cloud: LocalCloud) -> None:
    """The call is right, but what it asks for fails."""
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    Path("wrong.yaml").write_text(text.replace("0 0 2 * * ?", "0 0 25 * * ?"), encoding="utf-8")
    here = ("--cloud", cloud.url) if command == "invoke" else ()
    given = ("--parameter", "NotifyEmail=dba@example.com", "--parameter", "InstanceId=x") if command == "deploy" else ()

    assert ddsbackup(command, *FAILURES[command], *here, *given).status == 1


@every_command
def test_ctrl_c_is_130(ddsbackup: Run, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on standard output."""

    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main.commands[command], "callback", interrupt)
    ran = ddsbackup(command, *FIRST_WORDS.get(command, []))

    assert (ran.status, ran.out) == (130, "")


def test_the_table_has_every_status() -> None:
    """docs/README.md describes all, 3 for wait and restore alone. The other pages refer to it."""
    text = (CHECKOUT / "docs" / "README.md").read_text(encoding="utf-8")
    table = text.partition("| Exit status |")[2].partition("\n\n")[0]

    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == ["0", "1", "2", "3", "130"]
    assert set(WRONG_CALLS) == set(main.commands)


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ({"status": "FAILED"}, "FAILED"),
        ({"status": "PARTIALLY_FAILED", "results": []}, "PARTIALLY_FAILED"),
        ({"statusCode": 207, "body": '{"status": "PARTIALLY_FAILED"}'}, "PARTIALLY_FAILED"),
        ({"statusCode": 409, "body": "{}"}, "HTTP 409"),
        ({"statusCode": 200, "body": "not JSON"}, None),
        ({"statusCode": 200, "body": "[1]"}, None),
        ({"statusCode": 202, "body": '{"status": "SUCCEEDED"}'}, None),
        ({"status": "SUCCEEDED"}, None),
        ({"status": 5}, None),
        ("FAILED", None),
        (None, None),
    ],
)
def test_results_that_are_failures(result: Json, status: str | None) -> None:
    """The report of a function of this application, also in the body of a response to the API gateway."""
    assert failed_status(result) == status


def test_a_failed_result_of_invoke(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """The exit status is 1, the document is not ok, and the result is there. A partial failure is one, too."""
    template = application("def handler(event, context):\n    return event\n")
    arguments = ("invoke", "sample", "-e", "-", "--template", template, "--cloud", cloud.url)
    failed, partial = {"status": "FAILED"}, {"status": "PARTIALLY_FAILED"}
    for_people = ddsbackup(*arguments, stdin=json.dumps(failed))
    as_json = ddsbackup(*arguments, "--json", stdin=json.dumps(partial))

    assert (for_people.status, for_people.json) == (1, failed)
    assert "The status of the result is FAILED, so the exit status is 1." in for_people.err
    assert (as_json.status, as_json.json["ok"], as_json.json["result"]) == (1, False, partial)


@NO_DATEUTIL
def test_a_failed_result_of_a_deployed_function(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """So it is with --deployed."""
    content = package("def handler(event, context):\n    return {'status': 'FAILED'}\n")
    build(sdk.FunctionGraphClient, cloud).create_function(new_function("sample", content))
    template = application("def handler(event, context): ...\n")
    ran = ddsbackup(
        "invoke", "sample", "-t", "direct", "--json", "--deployed", "--template", template, "--cloud", cloud.url
    )
    cloud.reset()

    assert (ran.status, ran.json["ok"], ran.json["result"]) == (1, False, {"status": "FAILED"})
