"""docs/restore.md: its commands work when they are pasted, and print what it says."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from cli.dds import open_dds
from cli.main import main
from cli.paths import CHECKOUT
from cli.restore import password
from cli.restore.display import connection_string
from cli.restore.proposal import CREATION, FROM_BACKUP, TO_A_TIME
from localcloud import LocalCloud
from localcloud.seed import RWUSER
from shared.cloud import operations
from shared.format import duration
from tests.cli.test_restore import SECRET, with_incremental_backups
from tests.deliveries import CloudClock


Run = Callable[..., Any]
PAGE = (CHECKOUT / "docs" / "restore.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^ *```(sh|text)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
CLOCK = re.compile(r"""curl .*"advance": (\d+)""")


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def commands(text: str) -> Iterator[str]:
    for kind, block in BLOCK.findall(text):
        if kind == "sh":
            yield from (line.strip() for line in block.splitlines())


def shape(text: str) -> str:
    """The text without what differs from run to run: ids, times, durations, addresses, line breaks."""
    for pattern, name in (
        (r"[0-9a-f]{32}(in|br)\d\d|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
        (r"\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d(:?\d\d)?Z?", "TIME"),
        (r"\d+ (d|h|min|s)( \d+ (h|min|s))?", "DURATION"),
        (r"(127\.0\.0\.1|192\.168\.\d+\.\d+):\d+(,[\d.:]+)*", "ADDRESS"),
        (r"on port\s+\d+", "on port PORT"),
    ):
        text = re.sub(pattern, name, text)
    return " ".join(text.split())


@pytest.fixture
def clock(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> CloudClock:
    """The local cloud stands for every region. Sleeping moves its clock. Somebody is at the terminal."""
    clock, given = CloudClock(cloud), cloud.connection()
    names = {"AK": "access_key", "SK": "secret_key", "SECURITY_TOKEN": "security_token", "PROJECT_ID": "project_id"}
    for name, key in names.items():
        monkeypatch.setenv(f"HUAWEICLOUD_SDK_{name}", str(given[key]))  # type: ignore[literal-required]
    monkeypatch.setattr("cli.huaweicloud.access.regional_endpoint", lambda *_: cloud.url)
    monkeypatch.setattr("cli.dds.SystemClock", lambda: clock)
    monkeypatch.setattr("cli.dds._LocalClock", lambda _: clock)
    monkeypatch.setattr("cli.restore.follow.INTERVAL", 60.0)
    monkeypatch.setattr("cli.restore.command.is_interactive", lambda: True)
    monkeypatch.setattr("cli.restore.password.is_interactive", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    return clock


def test_every_command_is_understood() -> None:
    """ddsbackup accepts every option and argument of the page."""
    lines = [line for line in commands(PAGE) if line.startswith("ddsbackup")]

    assert len(lines) > 8
    for line in lines:
        _, name, *arguments = shlex.split(line)
        assert main.commands[name].make_context(name, arguments).params


@pytest.mark.slow
def test_a_tired_person_gets_a_backup_back(ddsbackup: Run, clock: CloudClock) -> None:
    """Each command in its order, with the answers of a person. The output has what the page shows."""
    made = ""
    output = ""
    for kind, block in BLOCK.findall(section("Restore a backup")):
        if kind == "text":
            shown = block.replace("[y/N]:", "[y/N]")
            assert shape(shown) in shape(output), output
            continue
        _, *arguments = shlex.split(block)
        typed = f"y\n{SECRET}\n{SECRET}\n" if "--backup" in arguments else ""
        ran = ddsbackup(*(made if word == "NEW-INSTANCE" else word for word in arguments), stdin=typed)
        assert ran.status == 0, ran.err
        output = ran.out + ran.err
        made = (re.findall(r"customers-\d{8}T\d{6}Z", output) or [made])[0]

    assert "mongodb://rwuser:<password>@" in output


@pytest.mark.slow
def test_a_point_in_time(ddsbackup: Run, cloud: LocalCloud, clock: CloudClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command of the page, with a time of today."""
    monkeypatch.setenv(password.VARIABLE, SECRET)
    with_incremental_backups(cloud)
    clock.sleep(86_400)
    (line,) = commands(section("To a point in time"))
    moment = (clock.now() - timedelta(hours=1)).isoformat(timespec="seconds")
    _, *arguments = shlex.split(re.sub(r"--time \S+", f"--time {moment}", line))

    ran = ddsbackup(*arguments, "--wait", stdin="y\n")

    assert ran.status == 0, ran.err
    assert "mongodb://" in ran.out


@pytest.mark.slow
@pytest.mark.usefixtures("clock")
def test_a_deleted_instance(ddsbackup: Run, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command of the page, with the network of another instance."""
    monkeypatch.setenv(password.VARIABLE, SECRET)
    plan = ddsbackup("restore", "--cloud", cloud.url, "--instance", "customers", "--dry-run", "--json").json["plan"]
    new = plan["new_instance"]
    (line,) = commands(section("A deleted instance"))
    for word, value in (
        ("VPC-ID", new["vpc_id"]),
        ("SUBNET-ID", new["subnet_id"]),
        ("GROUP-ID", new["security_group_id"]),
    ):
        line = line.replace(word, value)
    _, *arguments = shlex.split(line)

    assert ddsbackup(*arguments, "--wait", stdin="y\n").status == 0


@pytest.mark.slow
@pytest.mark.usefixtures("clock")
def test_the_rehearsal(ddsbackup: Run, cloud: LocalCloud) -> None:
    """On a local cloud, with one move of its clock."""
    for line in commands(section("Rehearse it")):
        if move := CLOCK.search(line):
            cloud.advance(float(move[1]))
        elif "serve" not in line:
            _, *arguments = shlex.split(line.replace("--cloud local", f"--cloud {cloud.url}"))
            ran = ddsbackup(*arguments, stdin=f"y\n{SECRET}\n{SECRET}\n")
            assert ran.status == 0, ran.err

    assert "customers-copy is restored, after" in ran.out


def test_the_table_of_times() -> None:
    """What the command estimates."""
    rows = re.findall(r"^\| (\d+) (GB|TB) \| (.*?) \| (.*?) \|$", section("How long it takes"), re.MULTILINE)

    assert len(rows) == 3
    for number, unit, *shown in rows:
        megabytes = int(number) * 1024 ** (2 if unit == "TB" else 1)
        for text, speed in zip(shown, (FROM_BACKUP, TO_A_TIME), strict=True):
            low, high = (duration(round((create + megabytes / speed) / 60) * 60) for create in CREATION)
            assert text in (f"{low} to {high}", f"{low.removesuffix(' min')} to {high}")


def test_the_table_of_permissions() -> None:
    """It has the actions of the operations that the commands call."""
    table = section("Permissions")
    used = (
        operations.LIST_INSTANCES,
        operations.LIST_BACKUPS,
        operations.LIST_TASKS,
        operations.SHOW_QUOTAS,
        operations.SHOW_JOB_DETAIL,
        operations.LIST_RESTORE_TIMES,
        operations.RESTORE_NEW_INSTANCE,
    )

    rows = [row for row in table.splitlines() if row.startswith("| `")]
    assert len(rows) == len(used)
    for operation in used:
        assert any(f"`{operation.action}`" in row and f"`{operation.identity_action}`" in row for row in rows), (
            operation
        )


def test_the_script_is_python() -> None:
    """It compiles."""
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    assert ast.parse(re.sub("^   ", "", script, flags=re.MULTILINE)).body


@pytest.mark.slow
def test_a_lost_document_comes_back(
    ddsbackup: Run, cloud: LocalCloud, clock: CloudClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script of the page, with the connection string that the command prints. What exists stays as it is."""
    authority = tmp_path / "ca.pem"
    authority.write_text(cloud.authority())
    monkeypatch.setenv(password.VARIABLE, SECRET)
    source = next(one for one in open_dds(cloud.url, None, clock).list_instances() if one.name == "customers")

    def address(text: str, secret: str) -> str:
        return f"{text.replace('<password>', secret)}&tlsCAFile={authority}&tlsAllowInvalidHostnames=true"

    original = address(connection_string(source), RWUSER)
    client: Any
    with pymongo.MongoClient(original) as client:
        customers = client["crm"]["customers"]
        before = customers.find_one({"number": "C-7"})
        assert before
        customers.delete_one({"number": "C-7"})
        customers.update_one({"number": "C-8"}, {"$set": {"vip": "changed"}})

    ran = ddsbackup("restore", "--cloud", cloud.url, "--backup", "before-release-42", "--wait", "--yes")
    (found,) = re.findall(r"mongodb://\S+", ran.out)
    monkeypatch.setenv("COPY", address(found, SECRET))
    monkeypatch.setenv("ORIGINAL", original)
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    program = ["-W", "ignore", "-c", re.sub("^   ", "", script, flags=re.MULTILINE)]
    done = subprocess.run([sys.executable, *program], capture_output=True, text=True, check=True)

    with pymongo.MongoClient(original) as client:
        assert client["crm"]["customers"].find_one({"number": "C-7"}) == before
        changed = client["crm"]["customers"].find_one({"number": "C-8"})
    assert changed
    assert changed["vip"] == "changed"
    assert done.stdout == f"copied {before['_id']}\n"
