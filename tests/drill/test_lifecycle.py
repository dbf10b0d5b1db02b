"""What DDS lists of a drill decides its next step."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.drill.lifecycle import CHECKS_WITHIN, OPEN, Drill, Outcome, Step, decide, find_drills
from shared.drills import TAG, DrillName
from shared.model import Backup, Instance, InstanceTask
from tests.fakes import START


NAME = f"drill-20261124T030000Z-{'b' * 32}"
MAX_AGE = timedelta(hours=6)
BORN = START + timedelta(minutes=5)
BACKUP = Backup("b" * 32 + "br02", "nightly", "source", "COMPLETED", START - timedelta(hours=2))
RESTORE = InstanceTask("t1", False, "copy", NAME, "Completed", BORN, BORN + timedelta(minutes=20))
RESTART = InstanceTask("t2", True, "copy", NAME, "Completed", BORN + timedelta(minutes=30))
COPY = Instance("copy", NAME, created=BORN)
SOURCE = Instance("source", "shop")


def drill(
    tag: str | None = "open", *, status: str = "normal", actions: tuple[str, ...] = (), restore: str = "Completed"
) -> Drill:
    """A drill whose instance and restore are in these states."""
    tags = {TAG: tag} if tag else {}
    (found,) = find_drills(
        [replace(COPY, status=status, actions=actions, tags=tags), SOURCE],
        [replace(RESTORE, status=restore, ended_at=None if restore == "Running" else RESTORE.ended_at)],
        {"b" * 32: BACKUP},
    )
    return found


def with_restart(status: str) -> Drill:
    """A verified drill whose instance was restarted."""
    return replace(drill("verified"), restart=replace(RESTART, status=status))


@pytest.mark.parametrize(
    ("found", "step", "code", "outcome"),
    [
        (drill(None, status="creating", actions=("CREATE",), restore="Running"), "WAIT", "restoring", None),
        (drill(None, restore="Running"), "WAIT", "restoring", None),
        (drill(None, actions=("CREATE",)), "WAIT", "restoring", None),
        (drill(None, status="abnormal", actions=("CREATE",), restore="Running"), "WAIT", "restoring", None),
        (drill(None, status="frozen"), "WAIT", "restoring", None),
        (drill(None, status="createfail", restore="Failed"), "DELETE", "restore_failed", "FAILED"),
        (drill(None, status="createfail", restore="Running"), "DELETE", "restore_failed", "FAILED"),
        (drill(None, status="abnormal"), "DELETE", "restore_failed", "FAILED"),
        (drill(None, restore="Failed"), "DELETE", "restore_failed", "FAILED"),
        (drill(None), "TAG", "restored", None),
        (drill("open"), "CHECK", "restored", None),
        (drill("verified"), "RESTART", "verified", None),
        (drill("verified", actions=("REBOOT",)), "WAIT", "restarting", None),
        (with_restart("Running"), "WAIT", "restarting", None),
        (with_restart("Completed"), "DELETE", "verified", None),
        (with_restart("Failed"), "DELETE", "not_restarted", "INCONCLUSIVE"),
        (drill("failed"), "DELETE", "failed", None),
        (drill("inconclusive"), "DELETE", "inconclusive", None),
        (drill("overdue", status="abnormal"), "DELETE", "overdue", None),
        (drill("failed", actions=("DELETE_INSTANCE",)), "WAIT", "deleting", None),
    ],
)
def test_the_next_step(found: Drill, step: str, code: str, outcome: str | None) -> None:
    """The states of the instance, of its tasks and of its tag lead to one step."""
    decision = decide(found, BORN + timedelta(hours=1), MAX_AGE)

    assert (decision.step, decision.code, decision.outcome) == (step, code, outcome)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            drill(None, status="creating", actions=("CREATE", "X"), restore="Running"),
            "the instance is not ready: CREATE, X",
        ),
        (drill(None, status="frozen"), "the instance is not ready: frozen"),
        (drill("open"), "the data is restored"),
        (drill("failed", actions=("DELETE_INSTANCE",)), "DDS is deleting the instance"),
        (drill("failed"), "the outcome is published"),
        (drill("verified"), "the backup is verified"),
        (with_restart("Running"), "the instance is being restarted"),
        (with_restart("Completed"), "the backup is verified"),
        (
            with_restart("Failed"),
            "all checks have passed, but the instance could not be restarted, so the backup is not marked as verified",
        ),
    ],
)
def test_the_reason_of_a_step_in_a_sentence(found: Drill, message: str) -> None:
    """The report, the log and the mails have it."""
    assert decide(found, BORN, MAX_AGE).message == message


def test_the_tag_and_the_outcome_are_written_as_the_page_says() -> None:
    """Drills of earlier releases have to be understood."""
    assert (OPEN, [outcome.value for outcome in Outcome]) == ("open", ["VERIFIED", "FAILED", "INCONCLUSIVE", "OVERDUE"])
    assert timedelta(hours=1) == CHECKS_WITHIN
    unlisted = replace(drill(None, status="createfail"), restore=None)
    assert unlisted.is_restored is None
    assert "createfail" in decide(unlisted, BORN, MAX_AGE).message


@pytest.mark.parametrize(
    ("found", "code", "outcome"),
    [
        (drill(None, status="creating", actions=("CREATE",), restore="Running"), "too_old", Outcome.OVERDUE),
        (drill("open"), "too_old", Outcome.OVERDUE),
        (drill("failed"), "too_old", None),
        (drill("verified"), "not_restarted", Outcome.INCONCLUSIVE),
        (with_restart("Running"), "not_restarted", Outcome.INCONCLUSIVE),
        (with_restart("Completed"), "too_old", None),
    ],
)
def test_what_is_too_old_is_deleted_in_whatever_state(found: Drill, code: str, outcome: Outcome | None) -> None:
    """An outcome that is published already is not replaced, but a verification that could not be marked is."""
    decision = decide(found, BORN + MAX_AGE, MAX_AGE)

    assert (decision.step, decision.code, decision.outcome) == (Step.DELETE, code, outcome)
    assert (
        code != "too_old"
        or decision.message == f"the instance is {found.instance.status}, and older than DRILL_MAX_AGE"
    )
    assert decide(found, BORN + MAX_AGE - timedelta(seconds=1), MAX_AGE).code != "too_old"


def test_what_is_being_deleted_is_left_alone_however_old() -> None:
    """DDS is at it."""
    decision = decide(drill("failed", actions=("DELETE_INSTANCE",)), BORN + 2 * MAX_AGE, MAX_AGE)

    assert decision.step is Step.WAIT


def test_the_reason_of_a_failed_restore_is_that_of_the_task() -> None:
    """Without one, the status of the instance is said."""
    failed = drill(None, status="createfail", restore="Failed")
    assert failed.restore
    told = replace(failed, restore=replace(failed.restore, fail_reason="no room"))

    assert decide(told, BORN, MAX_AGE).message == "no room"
    assert "createfail" in decide(failed, BORN, MAX_AGE).message


def test_drills_are_found_by_their_names_alone() -> None:
    """Everything else that DDS lists of them is looked up, and may be missing."""
    other = replace(COPY, id="other", name=f"drill-20261124T040000Z-{'c' * 32}", created=None)
    found = find_drills([COPY, SOURCE, other, replace(SOURCE, name="drill-1")], [RESTART, RESTORE], {"b" * 32: BACKUP})

    assert [one.instance.id for one in found] == ["copy", "other"]
    first, second = found
    assert (first.restore, first.restart, first.backup, first.source_id) == (RESTORE, RESTART, BACKUP, "source")
    assert first.source == replace(SOURCE, name="drill-1")
    assert (first.born, first.is_restored, first.outcome) == (BORN, True, None)
    assert (second.restore, second.restart, second.backup, second.source, second.source_id) == (None, *[None] * 3, "")
    assert second.born == DrillName.of(START + timedelta(hours=1), "c" * 32).slot


def test_a_restart_counts_only_after_the_restore() -> None:
    """A completed one is preferred to a later one that failed or runs."""
    early = replace(RESTART, id="t0", created_at=BORN)
    later = replace(RESTART, id="t3", status="Failed", created_at=BORN + timedelta(hours=1))

    (found,) = find_drills([COPY], [early, RESTORE], {})
    assert found.restart is None
    (found,) = find_drills([COPY], [early, later, RESTART, RESTORE], {})
    assert found.restart == RESTART
    assert RESTORE.ended_at
    at_once = replace(RESTART, created_at=RESTORE.ended_at)
    (found,) = find_drills([COPY], [at_once, RESTORE], {})
    assert found.restart == at_once


def test_without_a_time_of_the_instance_the_restore_tells_its_age() -> None:
    """And the slot, if there is no restore either, which is earlier still."""
    (found,) = find_drills([replace(COPY, created=None)], [RESTORE], {})

    assert found.born == RESTORE.created_at
