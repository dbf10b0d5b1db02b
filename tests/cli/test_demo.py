"""``ddsbackup demo``: all of it happens, or the exit status says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.payloads import CARRIERS


Run = Callable[..., Any]
Application = Callable[..., Path]


def test_everything_happens(ddsbackup: Run) -> None:
    """One event of every trigger makes backups, whose job ids arrive on the topic and which are COMPLETED."""
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


def test_people_read_all_of_it(ddsbackup: Run) -> None:
    """For people the same is plain text when it is piped: every trigger, job id, backup id and status."""
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
def test_what_did_not_happen_is_said(ddsbackup: Run, application: Application, how: str) -> None:
    """A function that does not do its work makes the exit status 1, with every failure and the log."""
    body, failure = BROKEN[how]
    ran = ddsbackup("demo", "--template", broken_application(application, body))
    assert ran.status == 1
    assert f"FAILED {failure}" in ran.err
    assert "in the log" in ran.err
    assert "All of it happened" not in ran.out


def test_what_did_not_happen_is_in_the_document(ddsbackup: Run, application: Application) -> None:
    """With --json too: the document says what failed."""
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
