"""``ddsbackup demo``: every step happens, or the exit status is 1."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.event.samples import CARRIERS


Run = Callable[..., Any]
Application = Callable[..., Path]


@pytest.mark.slow
def test_everything_happens(ddsbackup: Run) -> None:
    """Every backup completes and is announced, the lost document is back, and each drill has its outcome."""
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
    told = [step["what"] for step in story["restore"]["steps"]]
    assert [line for line in told if "C-4711 is copied back: 49 documents" in line]
    verified, failed = story["drills"]
    assert types_of(verified) == ["dds.drill.started", "dds.drill.verified"]
    assert types_of(failed) == ["dds.drill.started", "dds.drill.failed"]
    assert [drill["steps"][-1]["who"] for drill in (verified, failed)] == ["cleaned up", "cleaned up"]


def types_of(drill: Any) -> list[str]:
    """Return the types of what a drill has published, in order."""
    return [json.loads(message["message"])["type"] for message in drill["messages"]]


def test_the_output_for_people_has_every_step(ddsbackup: Run) -> None:
    """In a pipe the output is plain text with every trigger, outcome and status."""
    ran = ddsbackup("demo")
    assert (ran.status, ran.err) == (0, "")
    assert all(f"\n{trigger} " in ran.out for trigger in CARRIERS)
    assert ran.out.count("CREATED ") == 12
    assert ran.out.count("BUILDING → COMPLETED") == 12
    assert ran.out.count("ALREADY_EXISTS") == 2
    assert "10 events, 12 backups, 12 job ids on the topic, none twice" in ran.out
    stories = ran.out[ran.out.index("A document is lost, and comes back") :]
    steps = [line[9:24].strip() for line in stories.splitlines() if re.match(r"  \d\d:\d\d  \w", line)]
    drill = ["begun", "restored", "checked"]
    assert [step for step in steps if step not in {"customers", "ledger", "customers-copy"}] == [
        *(*drill, "verified", "RTO", "RPO", "marked", "cleaned up"),
        *(*drill, "failed", "cleaned up"),
    ]
    assert "| DDS restore drill failed: ledger, the copy is not what was backed up" in stories
    assert max(map(len, stories.splitlines())) <= 80
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
    template.write_text(template.read_text().replace("FunctionName: sample", "FunctionName: create_backup") + DRILLS)
    return template


DRILLS = """
  Drills:
    Type: HC::Serverless::Function
    Properties:
      FunctionName: drill_backups
      CodeUri: functions/sample
      Handler: index.handler
      Runtime: Python3.10
"""


def test_template_without_the_function(ddsbackup: Run, application: Application) -> None:
    """The demo needs create_backup."""
    ran = ddsbackup("demo", "--template", application("def handler(event, context): ...\n"))
    assert ran.status == 2
    assert "has no function 'create_backup'. Known: sample" in ran.err
