"""A run as JSON and as text, within SMN's limits however many backups there are."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model import Backup, Notification
from shared.notify import Sender
from shared.prune.deletion import Failure
from shared.prune.report import MAX_BYTES, email_lines, run_notification, serialize_run, summary_line
from shared.prune.run import BackupResult, PrunedInstance, PruneOutcome, PruneRun
from tests.prune.made import NOW


SENDER = Sender("urn:fss:cn-north-4:p:function:default:prune_backups", "cn-north-4", "p", "request-1")
BUSY = Failure("busy", "in another operation", retryable=True, cloud_code="DBS.200019")
DENIED = Failure("denied", "not allowed", retryable=False)


def run(
    *outcomes: PruneOutcome, instances: int = 1, name: str = "nightly", failure: Failure = BUSY, **facts: Any
) -> PruneRun:
    """A run in which each of some instances has a backup of each outcome."""
    fates = {PruneOutcome.KEPT: ("last", "daily"), PruneOutcome.PROTECTED: ("building",)}
    pruned = [
        PrunedInstance(
            f"{number:032x}in02",
            f"{name}-{number}",
            tuple(
                BackupResult(
                    Backup(f"{place:032x}br02", name, "i", "COMPLETED", NOW - timedelta(days=place), size=2**20),
                    outcome,
                    fates.get(outcome, ("no_rule",)),
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


def message(notification: Notification) -> int:
    """The bytes of what SMN counts: the message structure."""
    return len(json.dumps({"default": notification.body, "email": notification.email, "sms": notification.sms}))


def test_a_small_run_is_told_whole() -> None:
    """Each backup with what became of it, and why."""
    result = run(PruneOutcome.KEPT, PruneOutcome.PROTECTED, PruneOutcome.DELETED, PruneOutcome.LEFT)

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


def test_a_large_run_lists_what_was_deleted_rather_than_what_was_kept() -> None:
    """And counts all of it."""
    result = run(*[PruneOutcome.KEPT] * 30, PruneOutcome.DELETED, instances=300)

    document = serialize_run(result)

    assert (document["totals"]["kept"], document["totals"]["deleted"]) == (9000, 300)
    assert len(document["instances"]) == 300 - document["left_out"]["instances"]
    listed = [b["outcome"] for instance in document["instances"] for b in instance["backups"]]
    assert listed.count("DELETED") == len(document["instances"])
    assert len(listed) == 300 * 31 - document["left_out"]["backups"]


def test_instances_that_something_happens_to_come_first() -> None:
    """Of 5,000 quiet ones many are left out; the one that is not quiet is there."""
    quiet = run(PruneOutcome.KEPT, instances=5000).instances
    loud = run(PruneOutcome.FAILED, instances=1, name="loud").instances

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
    """256 KB, whatever the names hold; and the totals are always whole."""
    result = run(*outcomes, instances=instances, name=name)

    notification = run_notification(result, SENDER, NOW)

    assert message(notification) <= 256 * 1024
    assert len(notification.subject) <= 120
    data = json.loads(notification.body)["data"]
    assert sum(data["totals"].values()) == instances * (len(outcomes) + 1)
    shown = sum(len(instance["backups"]) for instance in data["instances"])
    assert shown + data["left_out"]["backups"] == instances * len(outcomes)
    assert len(data["instances"]) + data["left_out"]["instances"] == instances


@given(st.integers(0, MAX_BYTES))
def test_the_room_is_kept_to(room: int) -> None:
    """Unless the totals alone need more."""
    result = run(*PruneOutcome, instances=20)
    bare = len(json.dumps(json.dumps({**serialize_run(result, 0)})))

    assert len(json.dumps(json.dumps(serialize_run(result, room)))) <= max(room, bare) + 100


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (run(), "0 deleted, 0 kept"),
        (run(PruneOutcome.DELETED, PruneOutcome.KEPT, PruneOutcome.PROTECTED), "1 deleted, 2 kept"),
        (run(PruneOutcome.WOULD_BE_DELETED, dry_run=True), "dry run, 1 would be deleted, 0 kept"),
        (
            run(PruneOutcome.FAILED, PruneOutcome.LEFT, PruneOutcome.HELD_BACK, PruneOutcome.POSTPONED),
            "0 deleted, 0 kept, 1 failed, 1 not yet deleted, 1 held back, 1 left for later",
        ),
        (PruneRun(("t",), NOW, "last=3", "UTC", failure=DENIED), "nothing deleted, the backups could not be listed"),
    ],
    ids=range(5),
)
def test_the_headline_says_it_all(result: PruneRun, text: str) -> None:
    """In the mail's subject and on a telephone."""
    assert summary_line(result) == text
    notification = run_notification(result, SENDER, NOW)
    assert notification.subject == f"DDS backups pruned: {text}"
    assert text in notification.sms


def test_a_mail_says_what_happened_and_what_to_do() -> None:
    """Verdict, rules, a table, and each backup with the reason."""
    result = run(*PruneOutcome, instances=2, warnings=("an odd thing",))

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


def test_a_dry_run_says_how_to_make_it_a_real_one() -> None:
    """The first thing everybody gets."""
    first, *_ = email_lines(run(PruneOutcome.WOULD_BE_DELETED, dry_run=True))

    assert first.startswith("This was a dry run: nothing was deleted. To delete, set DRY_RUN to false")


def test_a_run_without_a_list_says_why() -> None:
    """And shows no empty table."""
    text = list(email_lines(PruneRun(("t",), NOW, "last=3", "UTC", failure=DENIED)))

    assert text[0] == "Nothing was deleted, since the backups could not be listed: not allowed"
    assert len(text) == 3


def test_long_sections_are_cut() -> None:
    """A mail is no database."""
    text = list(email_lines(run(*[PruneOutcome.DELETED] * 150, instances=101)))

    assert "  ... and 15050 more" in text
    assert "... and 1 more instances" in text
    assert len(text) < 250
