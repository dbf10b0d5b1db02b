"""``ddsbackup invoke``: output and exit status."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localcloud import LocalCloud


Run = Callable[..., Any]
Application = Callable[..., Path]

ECHO = """
def handler(event, context):
    print("working on it")
    return event
"""


def test_human_output(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """The result goes to standard output; START, the log, END and REPORT go to standard error, in this order."""
    template = application(ECHO)
    ran = ddsbackup("invoke", "sample", "-t", "api-page", "--template", template, "--cloud", cloud.url)
    assert (ran.status, ran.json["backup"]["instance_id"]) == (0, "a89dab5e39394eccbdb77b19d57b0180in02")
    start, log, end, report = ran.err.splitlines()
    request_id = start.removeprefix("START RequestId: ")
    assert log == "working on it"
    assert end == f"END RequestId: {request_id}"
    assert report.startswith(f"REPORT RequestId: {request_id}  Duration: ")
    for part in ("Billed Duration: ", "Memory Size: 128 MB", "Max Memory Used: ", "Init Duration: ", "(cold start)"):
        assert part in report


@pytest.mark.parametrize(("returned", "printed"), [("None", ""), ("'plain text'", "plain text\n"), ("5", "5\n")])
def test_result_as_it_is(
    ddsbackup: Run, application: Application, cloud: LocalCloud, returned: str, printed: str
) -> None:
    """An empty body prints nothing, and text is printed without quotes."""
    template = application(f"def handler(event, context):\n    return {returned}\n")
    ran = ddsbackup("invoke", "sample", "-t", "direct", "--template", template, "--cloud", cloud.url)
    assert ran.out == printed


def test_json_output(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """With --json standard output is one document. The log stays on standard error."""
    template = application(ECHO)
    ran = ddsbackup(
        "invoke", "Sample", "-e", "-", "--json", "--template", template, "--cloud", cloud.url, stdin='{"ä": 1}'
    )
    assert (ran.status, ran.out.count("\n")) == (0, 1)
    assert {key: ran.json[key] for key in ("ok", "result", "error", "messages")} == {
        "ok": True,
        "result": {"ä": 1},
        "error": None,
        "messages": [],
    }
    assert list(ran.json["report"]) == [
        "request_id",
        "duration_ms",
        "billed_duration_ms",
        "init_duration_ms",
        "memory_size_mb",
        "max_memory_used_mb",
        "cold_start",
    ]
    assert "working on it" in ran.err


def test_failure(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """If the function raises, the exit status is 1, and the traceback has only its own frames."""
    template = application("def handler(event, context):\n    raise ValueError('no such thing')\n")
    arguments = ("invoke", "sample", "-t", "direct", "--template", template, "--cloud", cloud.url)
    as_json, for_people = ddsbackup(*arguments, "--json"), ddsbackup(*arguments)
    assert (as_json.status, for_people.status) == (1, 1)
    assert (as_json.json["ok"], as_json.json["result"]) == (False, None)
    error = as_json.json["error"]
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such thing")
    assert "index.py" in error["stackTrace"][0]
    assert for_people.out == ""
    assert "ValueError: no such thing" in for_people.err
    assert 'index.py", line 2, in handler' in for_people.err


def test_more_memory_than_the_function_has(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """There is a warning, because the platform would have killed the function."""
    source = "def handler(event, context):\n    return len(bytearray(event['mb'] * 1024 * 1024))\n"
    arguments = ("invoke", "sample", "-e", "-", "--template", application(source), "--cloud", cloud.url)
    assert "WARNING the function used more memory than it has" in ddsbackup(*arguments, stdin='{"mb": 150}').err
    assert "WARNING" not in ddsbackup(*arguments, stdin='{"mb": 1}').err


def test_timeout(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """--timeout overrides the template, and the log up to the timeout is there."""
    template = application(
        "import time\n\ndef handler(event, context):\n    print('slow')\n    time.sleep(600)\n", "Timeout: 600"
    )
    ran = ddsbackup(
        "invoke", "sample", "-t", "direct", "--timeout", "0.3", "--json", "--template", template, "--cloud", cloud.url
    )
    assert ran.status == 1
    assert ran.json["error"]["errorType"] == "FunctionTimeout"
    assert "slow" in ran.err


def test_changed_sample(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """--set changes the sample event of -t."""
    template = application(ECHO)
    ran = ddsbackup(
        "invoke", "sample", "-t", "TIMER", "--set", "trigger_name=Weekly", "--template", template, "--cloud", cloud.url
    )
    assert ran.json["trigger_name"] == "Weekly"


def test_template_of_the_current_directory(
    ddsbackup: Run, application: Application, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A template.yaml in the current directory is used instead of the installed one."""
    monkeypatch.chdir(application(ECHO).parent)
    assert ddsbackup("invoke", "sample", "-t", "direct", "--cloud", cloud.url).status == 0


def test_as_a_command(application: Application, cloud: LocalCloud) -> None:
    """The installed command works in a pipe: event in, result out, no color."""
    command = Path(sys.executable).with_name("ddsbackup")
    template = application(ECHO)
    ran = subprocess.run(
        [command, "invoke", "sample", "-e", "-", "--template", template, "--cloud", cloud.url],
        input=b'{"a": "\xc3\xa4"}',
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0
    assert json.loads(ran.stdout) == {"a": "ä"}
    assert b"\x1b" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_function_is_left_running(application: Application, cloud: LocalCloud, number: signal.Signals) -> None:
    """A signal that ends the command ends the function too."""
    command = Path(sys.executable).with_name("ddsbackup")
    template = application(
        "import os, time\n\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(600)\n", "Timeout: 600"
    )
    arguments = [str(command), "invoke", "sample", "-t", "direct", "--template", str(template), "--cloud", cloud.url]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("START")
        pid = int(process.stderr.readline())
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
    assert process.returncode not in (0, 2)
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
