"""The report of a run as JSON, as an email and in the log, within the limits of SMN for any number of backups."""

import json
import logging
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.paths import CHECKOUT
from shared.model import Backup, Notification
from shared.notify import Sender
from shared.prune.daily_limit import Allowance
from shared.prune.deletion import Failure
from shared.prune.report import MAX_BYTES, PruneItem, email_lines, run_notification, serialize_run, summary_line
from shared.prune.run import BackupResult, PrunedInstance, PruneOutcome, PruneRun
from shared.report import Status
from tests.prune.backups import NOW


SCHEMA = json.loads((CHECKOUT / "docs" / "events" / "dds.backup.pruned.schema.json").read_text(encoding="utf-8"))
SENDER = Sender("urn:fss:cn-north-4:p:function:default:prune_backups", "cn-north-4", "p", "request-1")
BUSY = Failure("busy", "in another operation", retryable=True, cloud_code="DBS.200019")
DENIED = Failure("denied", "not allowed", retryable=False)
UNLISTED = PruneRun(("t",), NOW, "last=3", "UTC", failure=DENIED)


def make_run(
    *outcomes: PruneOutcome, instances: int = 1, name: str = "nightly", failure: Failure = BUSY, **facts: Any
) -> PruneRun:
    """Return a run in which each instance has one backup of each given outcome."""
    reasons = {PruneOutcome.KEPT: ("last", "daily"), PruneOutcome.PROTECTED: ("building",)}
    pruned = [
        PrunedInstance(
            f"{number:032x}in02",
            f"{name}-{number}",
            tuple(
                BackupResult(
                    Backup(f"{place:032x}br02", name, "i", "COMPLETED", NOW - timedelta(days=place), size=2**20),
                    outcome,
                    reasons.get(outcome, ("no_rule",)),
                    failure if outcome in {PruneOutcome.LEFT, PruneOutcome.FAILED} else None,
                )
                for place, outcome in enumerate(outcomes)
            ),
            held_back=PruneOutcome.HELD_BACK in outcomes,
        )
        for number in range(instances)
    ]
    given: dict[str, Any] = {"dry_run": False, "instances": tuple(pruned), **facts}
    return PruneRun(("timer", "Nightly", "t"), NOW, "last=3 daily=7", "UTC", **given)


def smn_bytes(notification: Notification) -> int:
    """Return the bytes of the message structure, which SMN limits."""
    return len(json.dumps({"default": notification.body, "email": notification.email, "sms": notification.sms}))


RUNS = {
    "pruned": make_run(PruneOutcome.KEPT, PruneOutcome.DELETED, allowance=Allowance(20, 1, 2)),
    "no task list": make_run(PruneOutcome.POSTPONED, allowance=Allowance(1, 0, None, 1)),
    "nothing to prune": make_run(),
    "dry run": make_run(PruneOutcome.WOULD_BE_DELETED, dry_run=True, warnings=("an odd thing",)),
    "not listed": UNLISTED,
    "every outcome": make_run(*PruneOutcome, force=True),
    "cut": make_run(*[PruneOutcome.DELETED] * 1000),
}


@pytest.mark.parametrize("name", RUNS)
def test_each_event_fits_its_schema(name: str) -> None:
    """The schema describes every field and allows no other."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    event = json.loads(run_notification(RUNS[name], SENDER, NOW).body)

    jsonschema.validate(event, SCHEMA, cls=jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(event | {"data": event["data"] | {"more": 1}}, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_a_small_run_is_reported_completely() -> None:
    """Each backup has its outcome and the reasons."""
    result = make_run(PruneOutcome.KEPT, PruneOutcome.PROTECTED, PruneOutcome.DELETED, PruneOutcome.LEFT)

    document = serialize_run(result)

    assert document["outcome"] == "UNFINISHED"
    assert document["time"] == "2026-11-24T03:00:00Z"
    assert document["totals"] == {
        "instances": 1,
        "kept": 1,
        "protected": 1,
        "deleted": 1,
        "would_be_deleted": 0,
        "postponed": 0,
        "held_back": 0,
        "left": 1,
        "failed": 0,
    }
    assert document["deleted_kb"] == 2**20
    (instance,) = document["instances"]
    assert [(b["outcome"], b["reasons"]) for b in instance["backups"]] == [
        ("KEPT", ["last", "daily"]),
        ("PROTECTED", ["building"]),
        ("DELETED", ["no_rule"]),
        ("LEFT", ["no_rule"]),
    ]
    assert instance["backups"][3]["failure"]["cloud_code"] == "DBS.200019"
    assert document["left_out"] == {"instances": 0, "backups": 0}


@pytest.mark.parametrize(
    ("allowance", "text"),
    [
        (
            Allowance(20, 3, 0),
            "20 deletions a day, 17 of them now; 3 being deleted now, the task list of the last 24 hours tells of none",
        ),
        (
            Allowance(20, 3, 18),
            "20 deletions a day, 2 of them now; 3 being deleted now, 18 in the task list of the last 24 hours",
        ),
        (
            Allowance(20, 0, None, 25),
            "20 deletions a day, 0 of them now; 0 being deleted now, the task list could not be read, 25 by",
        ),
    ],
)
def test_the_report_says_which_deletions_it_counted(allowance: Allowance, text: str) -> None:
    """The largest count decides how many backups the run could delete."""
    run = make_run(PruneOutcome.DELETED, allowance=allowance)

    (line,) = [line for line in email_lines(run) if line.startswith("Limit: ")]
    assert line.removesuffix(" earlier requests of this event") == f"Limit: {text}"
    assert serialize_run(run)["daily_limit"] == {
        "max_deletes": 20,
        "being_deleted": allowance.being_deleted,
        "in_task_list": allowance.in_task_list,
        "in_invocation": allowance.in_invocation,
        "allowed": allowance.allowed,
    }


def test_a_large_run_lists_deleted_backups_before_kept_ones() -> None:
    """The totals count all of them."""
    result = make_run(*[PruneOutcome.KEPT] * 30, PruneOutcome.DELETED, instances=300)

    document = serialize_run(result)

    assert (document["totals"]["kept"], document["totals"]["deleted"]) == (9000, 300)
    assert len(document["instances"]) == 300 - document["left_out"]["instances"]
    listed = [b["outcome"] for instance in document["instances"] for b in instance["backups"]]
    assert listed.count("DELETED") == len(document["instances"])
    assert len(listed) == 300 * 31 - document["left_out"]["backups"]


def test_instances_with_a_change_come_first() -> None:
    """Many of 5,000 unchanged instances are left out. The one with a failure is listed."""
    quiet = make_run(PruneOutcome.KEPT, instances=5000).instances
    loud = make_run(PruneOutcome.FAILED, instances=1, name="loud").instances

    document = serialize_run(PruneRun(("t",), NOW, "last=3", "UTC", dry_run=False, instances=(*quiet, *loud)))

    assert document["instances"][0]["instance_name"] == "loud-0"
    assert document["instances"][0]["backups"][0]["outcome"] == "FAILED"
    assert document["left_out"]["instances"] > 1000
    assert document["totals"]["instances"] == 5001


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(PruneOutcome), max_size=60),
    st.integers(0, 400),
    st.sampled_from(["nightly", "\u00fc" * 60, '"' * 60, "\U0001f600" * 64, "\n" * 64]),
)
def test_no_run_exceeds_smns_limits(outcomes: list[PruneOutcome], instances: int, name: str) -> None:
    """The limit is 256 KB in JSON form, for any characters in the names. The totals are always complete."""
    result = make_run(*outcomes, instances=instances, name=name)

    notification = run_notification(result, SENDER, NOW)

    assert smn_bytes(notification) <= 256 * 1024
    assert len(notification.subject) <= 120
    data = json.loads(notification.body)["data"]
    assert sum(data["totals"].values()) == instances * (len(outcomes) + 1)
    shown = sum(len(instance["backups"]) for instance in data["instances"])
    assert shown + data["left_out"]["backups"] == instances * len(outcomes)
    assert len(data["instances"]) + data["left_out"]["instances"] == instances


@given(st.integers(0, MAX_BYTES))
def test_a_run_is_cut_to_the_given_size(room: int) -> None:
    """It is longer only if the totals alone need more."""
    result = make_run(*PruneOutcome, instances=20)
    bare = len(json.dumps(json.dumps({**serialize_run(result, 0)})))

    assert len(json.dumps(json.dumps(serialize_run(result, room)))) <= max(room, bare) + 100


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (make_run(), "0 deleted, 0 kept"),
        (make_run(PruneOutcome.DELETED, PruneOutcome.KEPT, PruneOutcome.PROTECTED), "1 deleted, 2 kept"),
        (make_run(PruneOutcome.WOULD_BE_DELETED, dry_run=True), "dry run, 1 would be deleted, 0 kept"),
        (
            make_run(PruneOutcome.FAILED, PruneOutcome.LEFT, PruneOutcome.HELD_BACK, PruneOutcome.POSTPONED),
            "0 deleted, 0 kept, 1 failed, 1 not yet deleted, 1 held back, 1 left for later",
        ),
        (UNLISTED, "nothing deleted, the backups could not be listed"),
    ],
    ids=range(5),
)
def test_the_summary_counts_every_outcome(result: PruneRun, text: str) -> None:
    """It is the subject of the email and the text message."""
    assert summary_line(result) == text
    notification = run_notification(result, SENDER, NOW)
    assert notification.subject == f"DDS backups pruned: {text}"
    assert text in notification.sms


def test_an_email_says_what_happened_and_what_to_do() -> None:
    """It has the result, the rules, a table, and each backup with the reason."""
    result = make_run(*PruneOutcome, instances=2, warnings=("an odd thing",))

    text = "\n".join(email_lines(result))

    assert text.startswith("2 backups deleted, 2 GB freed.\nBackups of the instances marked * are held back")
    for part in (
        'send {"force": true}; else change RETENTION',
        "an odd thing",
        "Rules: last=3 daily=7 (time zone UTC)",
        "Time: 2026-11-24T03:00:00Z",
        "Could not be deleted (2):",
        "Left for the next run, since MAX_DELETES is reached (2):",
        "no rule keeps it; busy: in another operation",
        "Kept (2):",
        ": last, daily",
    ):
        assert part in text
    (head,) = [line for line in text.splitlines() if line.startswith("Instance ")]
    (total,) = [line for line in text.splitlines() if line.startswith("All ")]
    assert head.split()[1:] == [outcome.value for outcome in PruneOutcome]
    assert total.split()[1:] == ["2"] * 8
    assert all(len(line) == len(head) for line in text.splitlines() if line.startswith(("All ", "* night")))


def test_a_dry_run_explains_how_to_delete() -> None:
    """The first line names the setting."""
    first, *_ = email_lines(make_run(PruneOutcome.WOULD_BE_DELETED, dry_run=True))

    assert first.startswith("This was a dry run: nothing was deleted. To delete, set DRY_RUN to false")


def test_a_run_without_a_list_says_why() -> None:
    """It shows no empty table."""
    text = list(email_lines(UNLISTED))

    assert text[0] == "Nothing was deleted, since the backups could not be listed: not allowed"
    assert len(text) == 3


def test_long_sections_of_an_email_are_cut() -> None:
    """Each says how many lines are left out."""
    text = list(email_lines(make_run(*[PruneOutcome.DELETED] * 150, instances=101)))

    assert "  ... and 15050 more" in text
    assert "... and 1 more instances" in text
    assert len(text) < 250


@pytest.mark.parametrize(
    ("run", "notified", "status", "codes", "unfinished"),
    [
        (make_run(PruneOutcome.DELETED), True, Status.SUCCEEDED, [], False),
        (make_run(PruneOutcome.DELETED), False, Status.FAILED, ["not_notified"], True),
        (
            make_run(PruneOutcome.WOULD_BE_DELETED, PruneOutcome.HELD_BACK, dry_run=True),
            True,
            Status.SUCCEEDED,
            [],
            False,
        ),
        (make_run(PruneOutcome.HELD_BACK), True, Status.FAILED, ["needs_force"], False),
        (make_run(PruneOutcome.DELETED, PruneOutcome.LEFT), True, Status.PARTIALLY_FAILED, ["busy"], True),
        (make_run(PruneOutcome.FAILED, failure=DENIED), True, Status.FAILED, ["denied"], False),
        (UNLISTED, True, Status.FAILED, ["denied"], False),
    ],
    ids=range(7),
)
def test_a_run_succeeds_if_nothing_is_left_to_do(
    run: PruneRun, *, notified: bool, status: Status, codes: list[str], unfinished: bool
) -> None:
    """Only a retryable failure or an unpublished report needs a redelivery."""
    item = PruneItem(run, notified)

    assert (item.status, item.codes, item.unfinished) == (status, codes, unfinished)


@pytest.mark.parametrize(
    ("run", "events"),
    [
        (make_run(PruneOutcome.DELETED), []),
        (make_run(PruneOutcome.FAILED, failure=DENIED), [(logging.ERROR, "backup FAILED")]),
        (make_run(PruneOutcome.LEFT), [(logging.WARNING, "backup LEFT")]),
        (make_run(PruneOutcome.HELD_BACK), [(logging.WARNING, "backups held back")]),
        (make_run(warnings=("an odd thing",)), [(logging.WARNING, "odd request")]),
        (UNLISTED, [(logging.ERROR, "backups not listed")]),
    ],
    ids=range(6),
)
def test_the_log_has_a_line_for_each_problem(run: PruneRun, events: list[tuple[int, str]]) -> None:
    """A final problem is an error, one that a redelivery may solve is a warning."""
    assert [(level, message) for level, message, _ in PruneItem(run, notified=True).log_events()] == events
