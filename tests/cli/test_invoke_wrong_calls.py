"""``ddsbackup invoke``: wrong calls have exit status 2 and one message."""

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


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["smaple", "-t", "direct"], "", "has no function 'smaple', did you mean 'sample'? Known: sample"),
        (["sample"], "", "give either an event (-e FILE, -e - for standard input) or a trigger (-t TRIGGER)"),
        (["sample", "-t", "timer", "-e", "-"], "{}", "give either an event"),
        (["sample", "-t", "time"], "", "'time' is not one of 'timer', 'smn',"),
        (
            ["sample", "-e", "-"],
            '{"a": 1,\n "b" 2}',
            "standard input is not JSON: Expecting ':' delimiter at line 2, ",
        ),
        (["sample", "-e", "-"], "", "standard input is not JSON: it is empty"),
        (["sample", "-e", "-"], b"\xff", "standard input is not UTF-8 text"),
        (["sample", "-e", "-"], "[" * 100_000, "nested too deeply"),
        (["sample", "-e", "-"], "1" * 5000, "standard input is not a usable event: it has a number of too many digits"),
        (["sample", "-t", "direct", "--set", f"name={'[' * 2000}"], "", "which is not usable: it is nested too deeply"),
        (["sample", "-e", "-"], '"' + "x" * 6 * 1024 * 1024 + '"', "expected an event of at most 6291456 (6 MB)"),
        (["sample", "-e", "nowhere.json"], "", "cannot read the event nowhere.json: No such file or directory"),
        (["sample", "-e", "-", "--set", "name=x"], "{}", "--set changes a sample event (-t TRIGGER)"),
        (["sample", "-t", "timer", "--set", "nme=x"], "", "cannot set nme: the event has version, "),
        (["sample", "-t", "direct", "--timeout", "0"], "", "0.0 is not in the range"),
        (["sample", "-t", "direct", "--env-file", "nowhere"], "", "cannot read nowhere"),
        (["sample", "-t", "direct", "--cloud", "http://127.0.0.1:1"], "", "start one with ddsbackup serve"),
        (["sample", "-t", "direct", "--cloud", "127.0.0.1:1"], "", "no local cloud answers at http://127.0.0.1:1 ("),
        (["sample", "-t", "direct", "--cloud", "http://[::1"], "", "no local cloud answers at http://[::1"),
    ],
)
def test_wrong_call(
    ddsbackup: Run, application: Application, arguments: list[str], stdin: str | bytes, message: str
) -> None:
    """Nothing runs, and standard output is empty."""
    ran = ddsbackup("invoke", *arguments, "--template", application(ECHO), stdin=stdin)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
    assert "START" not in ran.err


def test_wrong_template(ddsbackup: Run, application: Application) -> None:
    """The message has file, line and key."""
    template = application(ECHO, "Timeout: 1")
    ran = ddsbackup("invoke", "sample", "-t", "direct", "--template", template)
    assert ran.status == 2
    assert f"{template}:10: Resources.Sample.Properties.Timeout: found 1, expected" in ran.err


def test_cloud_that_gives_no_credentials(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """If IAM fails, the function is not invoked, and the message has the call and the status."""
    cloud.set_faults([{"path": "securitytokens", "answer": {"status": 503}}])
    ran = ddsbackup("invoke", "sample", "-t", "direct", "--template", application(ECHO), "--cloud", cloud.url)
    assert ran.status == 2
    assert "/v3.0/OS-CREDENTIAL/securitytokens answered 503" in ran.err
