"""Every ``ddsbackup event`` and ``invoke`` in the documentation works when it is pasted today."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import click
import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest
from click.testing import CliRunner

from cli.main import main
from cli.paths import CHECKOUT
from cli.preflight.functions import FUNCTIONS
from localcloud import LocalCloud
from shared.triggers.receive import receive
from tests.localcloud.functions import NO_DATEUTIL, new_function, package
from tests.localcloud.sdk import build


INSTANCE = "a89dab5e39394eccbdb77b19d57b0180in02"
COMMAND = re.compile(r"(?:^\s*|`)(?:\$ )?(?:\.venv/bin/)?ddsbackup (event|invoke) ([^`\n>|]+)(?:> (\S+))?")
CLOCK = re.compile(r"""curl .*-d '\{"advance": (\d+)\}' http://127\.0\.0\.1:8600/_local/clock""")
ECHO = "def handler(event, context):\n    return {'status': 'SUCCEEDED', 'event': event}\n"


def lines(page: Path) -> Iterator[re.Match[str]]:
    """The commands of a page, and the moves of the clock between them, in their order. Names in capitals filled in."""
    for line in page.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        match = CLOCK.search(line) or COMMAND.search(line)
        if match and (match.re is CLOCK or any(word in match[2] for word in (" -t", " -e", " timer", "timer "))):
            yield match


PAGES = [
    page
    for page in sorted([CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md"), CHECKOUT / "events" / "README.md"])
    if any(line.re is COMMAND for line in lines(page))
]


def test_the_pages_have_commands() -> None:
    """The pages are read, and the functions all appear."""
    commands = [line[0] for page in PAGES for line in lines(page)]

    assert len(commands) >= 15
    assert all(any(name in command for command in commands) for name in FUNCTIONS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_every_command_is_understood(page: Path) -> None:
    """ddsbackup accepts every option and argument."""
    for line in lines(page):
        if line.re is COMMAND:
            command = main.commands[line[1]]
            arguments = shlex.split(line[2])
            with command.make_context(line[1], arguments) as context:
                assert isinstance(context, click.Context)


@pytest.fixture
def regional(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The local cloud stands for every region, and has functions that return their event under the deployed names."""
    given = cloud.connection()
    names = {"AK": "access_key", "SK": "secret_key", "SECURITY_TOKEN": "security_token", "PROJECT_ID": "project_id"}
    for name, key in names.items():
        monkeypatch.setenv(f"HUAWEICLOUD_SDK_{name}", str(given[key]))  # type: ignore[literal-required]
    monkeypatch.setattr("cli.huaweicloud.access.regional_endpoint", lambda *_: cloud.url)
    for name in FUNCTIONS:
        build(sdk.FunctionGraphClient, cloud).create_function(new_function(name, package(ECHO)))
    yield
    cloud.reset()


@pytest.mark.slow
@NO_DATEUTIL
@pytest.mark.usefixtures("regional")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_every_command_does_what_the_page_says(
    page: Path, cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands run in their order. Each event is valid, of today, and has a good outcome."""
    monkeypatch.chdir(tmp_path)
    results = []
    for line in lines(page):
        if line.re is CLOCK:
            cloud.advance(float(line[1]))
            continue
        given = line[2].replace("$(date -u +%FT%TZ)", f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}")
        arguments = [INSTANCE if word == "YOUR-INSTANCE" else word for word in shlex.split(given)]
        for position, word in enumerate(arguments):
            if arguments[position - 1] == "--cloud":
                arguments[position] = cloud.url
            elif word in {"=YOUR-INSTANCE", "instance_id=YOUR-INSTANCE"}:
                arguments[position] = f"instance_id={INSTANCE}"
        ran = CliRunner().invoke(main, [line[1], *(word for word in arguments if word != "--json"), *as_json(line[1])])
        assert ran.exit_code == 0, (line[0], ran.output)
        if line[3]:
            Path(line[3]).write_text(ran.stdout, encoding="utf-8")
        if line[1] == "invoke":
            document = json.loads(ran.stdout)
            assert document["ok"]
            check(arguments[0], document["result"], cloud)
            results.append(document["result"])
    if page.name == "recipes.md":  # the first audit misses nothing, the one two days later reports the backup
        audits = [audit for result in results for audit in result.get("audits", [])]
        assert [audit["totals"]["missed"] for audit in audits] == [0, 1]


def as_json(name: str) -> list[str]:
    """The option for the document of a command that has one."""
    return ["--json"] if name == "invoke" else []


def check(function: str, result: Any, cloud: LocalCloud) -> None:
    """Check the result of a function by what a reader expects of it."""
    assert result["status"] == "SUCCEEDED"
    if "event" in result:  # a deployed function of this test
        got = receive(result["event"], FUNCTIONS[function].request, request_id="test")
        assert (len(got.requests), list(got.rejected)) == (1, [])
        return
    CHECKS[function](result, cloud)


def check_created(result: Any, _: LocalCloud) -> None:
    """A new backup of each instance is made."""
    assert {item["outcome"] for item in result["results"]} == {"CREATED"}


def check_tracked(result: Any, cloud: LocalCloud) -> None:
    """The question has an answer, or the window ends now."""
    for answer in result.get("answers", []):
        assert answer["state"] == "COMPLETED"
    for window in result.get("windows", []):
        assert is_now(window["until"], cloud, minutes=10)


def check_pruned(result: Any, _: LocalCloud) -> None:
    """No backup is protected because it seems to be of the future."""
    assert "begun_later" not in json.dumps(result)
    assert result["runs"]


def check_audited(result: Any, cloud: LocalCloud) -> None:
    """The audit is of now."""
    for audit in result["audits"]:
        assert is_now(audit["audited_at"], cloud, minutes=10)


def is_now(text: str, cloud: LocalCloud, minutes: int) -> bool:
    """Whether a time is about now by the clock of the cloud."""
    now = datetime.now(timezone.utc) + timedelta(seconds=cloud.clock_offset())
    return abs(datetime.fromisoformat(text.replace("Z", "+00:00")) - now) < timedelta(minutes=minutes)


CHECKS: dict[str, Callable[[Any, LocalCloud], None]] = {
    "create_backup": check_created,
    "track_backups": check_tracked,
    "prune_backups": check_pruned,
    "audit_backups": check_audited,
}
