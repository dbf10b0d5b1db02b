"""``ddsbackup demo``: every step happens, or the exit status is 1."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.event.samples import CARRIERS


Run = Callable[..., Any]
Application = Callable[..., Path]


def test_everything_happens(ddsbackup: Run) -> None:
    """One event of every trigger creates backups that complete, and their job ids arrive on the topic."""
    ran = ddsbackup("demo", "--json")
    story = ran.json
    assert (ran.status, ran.err, story["ok"], story["failures"]) == (0, "", True, [])
    assert [event["trigger"] for event in story["events"]] == list(CARRIERS)
    assert len(story["backups"]) == 12
    assert all(backup["statuses"] == ["BUILDING", "COMPLETED"] for backup in story["backups"])
    messages = [message["message"] for event in story["events"] for message in event["messages"]]
    assert all(any(backup["job_id"] in message for message in messages) for backup in story["backups"])
    assert story["redelivery"]["new_backups"] == 0
    assert {result["outcome"] for result in story["redelivery"]["result"]["results"]} == {"ALREADY_EXISTS"}


def test_the_output_for_people_has_every_step(ddsbackup: Run) -> None:
    """In a pipe the output is plain text with every trigger, outcome and status."""
    ran = ddsbackup("demo")
    assert (ran.status, ran.err) == (0, "")
    assert all(f"\n{trigger} " in ran.out for trigger in CARRIERS)
    assert ran.out.count("CREATED ") == 12
    assert ran.out.count("BUILDING → COMPLETED") == 12
    assert ran.out.count("ALREADY_EXISTS") == 2
    assert "All of it happened: 10 events, 12 backups, 12 job ids on the topic" in ran.out
    assert "\x1b" not in ran.out


BROKEN = {
    "raises": ("raise ValueError('broken')", "timer: ValueError: broken"),
    "says nothing": ("return None", "timer: status None, expected SUCCEEDED"),
    "fails": (
        "return {'status': 'FAILED', 'results': [{'instance_id': 'i', 'outcome': 'FAILED', 'message': 'busy'}]}",
        "timer, i: FAILED, expected CREATED (busy)",
    ),
    "invents a backup": (
        "return {'status': 'SUCCEEDED', 'results': [dict(instance_id='i', outcome='CREATED', job_id='j')]}",
        "timer, i: job id j did not arrive on the topic",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_failures_are_printed(ddsbackup: Run, application: Application, how: str) -> None:
    """The exit status is 1, and standard error has every failure and the log."""
    body, failure = BROKEN[how]
    ran = ddsbackup("demo", "--template", broken_application(application, body))
    assert ran.status == 1
    assert f"FAILED {failure}" in ran.err
    assert "in the log" in ran.err
    assert "All of it happened" not in ran.out


def test_failures_are_in_the_document(ddsbackup: Run, application: Application) -> None:
    """With --json the document has the failures."""
    body, failure = BROKEN["raises"]
    ran = ddsbackup("demo", "--json", "--template", broken_application(application, body))
    assert (ran.status, ran.json["ok"]) == (1, False)
    assert failure in ran.json["failures"]


def broken_application(application: Application, body: str) -> Path:
    template = application(f"def handler(event, context):\n    print('in the log')\n    {body}\n")
    template.write_text(template.read_text().replace("FunctionName: sample", "FunctionName: create_backup"))
    return template


def test_template_without_the_function(ddsbackup: Run, application: Application) -> None:
    """The demo needs create_backup."""
    ran = ddsbackup("demo", "--template", application("def handler(event, context): ...\n"))
    assert ran.status == 2
    assert "has no function 'create_backup'. Known: sample" in ran.err
