"""A deployment whose process is killed in the middle of a replacement."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cli.deploy.deployment import look_up, services
from cli.paths import CHECKOUT
from localcloud import LocalCloud
from tests.deploy.conftest import App, Output
from tests.localcloud.functions import until


PROCESS = """
import json, sys
from pathlib import Path
from cli.main import main
from cli.deploy import deployment
from cli.huaweicloud import access
from tests.deploy.conftest import App

folder, url, text, source = sys.argv[1:]
app = App(Path(folder), access.open_access(url, None), text, source)
app.access.sleep = lambda _: None

@main.command()
def killable():
    app.deploy()

main(["killable"])
"""
"""`ddsbackup deploy` with the packages of the tests."""
LONG = 120.0

REPLACEMENT = [
    ("DELETE", "fgs/functions/", 1),
    ("POST", "fgs/functions$", 1),
    ("PUT", "async-invoke-config$", 1),
    ("POST", "triggers/", 1),
    ("POST", "triggers/", 2),
]
"""The calls of the replacement of a function that change something: method, path, and which of these calls."""


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    """Processes that end with the test."""
    with ExitStack() as stack:
        yield stack


def there(app: App) -> dict[Any, Any]:
    found = look_up(services(app.access, app.stack), app.stack)
    return {item.resource.key: dict(item.resource.fields) for item in found}


def stopped_at(
    app: App, cloud: LocalCloud, processes: ExitStack, call: tuple[str, str, int], number: signal.Signals, *faults: Any
) -> "subprocess.Popen[str]":
    """Deploy in a process of its own, and send it a signal when the cloud has carried out a call and not answered it.

    *faults* are further rules.
    """
    method, path, nth = call
    cloud.set_faults([{"method": method, "path": path, "nth": nth, "delay": 3600}, *faults])
    arguments = [sys.executable, "-c", PROCESS, str(app.folder), cloud.url, app.text, app.source]
    process = processes.enter_context(
        subprocess.Popen(
            arguments, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
        )
    )
    processes.callback(process.kill)
    until(lambda: cloud.faults()[0]["acted"] == 1 or process.poll() is not None, LONG)
    assert process.poll() is None, process.communicate()[1]
    process.send_signal(number)
    return process


@pytest.mark.slow
@pytest.mark.parametrize("call", REPLACEMENT, ids=str)
def test_the_next_run_completes_what_a_killed_process_began(
    deployed: App, cloud: LocalCloud, document: Output, processes: ExitStack, call: tuple[str, str, int]
) -> None:
    """Nothing is stored on this machine: the cloud lacks what the template has, and the next run creates it."""
    deployed.change("Python3.10", "Python3.12")

    process = stopped_at(deployed, cloud, processes, call, signal.SIGKILL)

    assert process.wait(LONG) == -signal.SIGKILL
    cloud.set_faults([])
    deployed.deploy()
    assert document()["error"] is None
    kinds = sorted(kind.value for kind, _ in there(deployed))
    assert kinds.count("trigger") == 2
    assert len(kinds) == 9
    deployed.deploy()
    assert document()["changes"] == []


@pytest.mark.slow
@pytest.mark.parametrize("call", REPLACEMENT, ids=str)
def test_sigterm_puts_the_old_back(
    deployed: App, cloud: LocalCloud, processes: ExitStack, call: tuple[str, str, int]
) -> None:
    """The process reports the state before it ends with 143, as a shell reports the signal."""
    before = there(deployed)
    deployed.change("Python3.10", "Python3.12")

    process = stopped_at(deployed, cloud, processes, call, signal.SIGTERM)

    out, err = process.communicate(timeout=LONG)
    run = json.loads(out)
    assert process.returncode == 128 + signal.SIGTERM
    assert (run["error"]["operation"], run["is_put_back"], run["consequences"]) == ("SIGTERM", True, [])
    assert "What was to be replaced is back as it was" in err
    assert there(deployed) == before


@pytest.mark.slow
def test_sigterm_says_what_is_missing(deployed: App, cloud: LocalCloud, processes: ExitStack) -> None:
    """The timer cannot be put back, because its service fails."""
    deployed.change("0 0 2", "0 0 3")
    broken = {"method": "POST", "path": "triggers/", "answer": {"status": 500}}

    process = stopped_at(deployed, cloud, processes, ("DELETE", "triggers/", 1), signal.SIGTERM, broken)

    out, err = process.communicate(timeout=LONG)
    assert process.returncode == 128 + signal.SIGTERM
    said = "There is no scheduled backup now: the trigger backup TIMER Nightly is gone."
    assert (json.loads(out)["is_put_back"], json.loads(out)["consequences"]) == (False, [said])
    assert said in err
