"""The names and marks of restore drills."""

from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.drills import TAG, DrillName, is_drill, verified
from shared.model import Instance, InstanceTask


SLOT = datetime(2026, 11, 24, 6, tzinfo=timezone.utc)
BACKUP = f"{7:032x}br02"
NAME = DrillName.of(SLOT, BACKUP)


@given(st.integers(0, 7_000_000_000).map(lambda s: datetime.fromtimestamp(s / 7, timezone.utc)), st.uuids())
def test_a_name_tells_the_slot_and_the_backup(slot: datetime, backup: UUID) -> None:
    """Reading the name of a drill gives what it was made of, to the second."""
    backup_id = f"{backup.hex}br02"
    name = DrillName.of(slot, backup_id)

    assert DrillName.parse(str(name)) == name == DrillName(slot.replace(microsecond=0), backup_id[:32])
    assert len(str(name)) <= 64


@pytest.mark.parametrize(
    "name",
    ["customers", f"{NAME}x", f"x{NAME}", str(NAME).upper(), f"drill-20261324T060000Z-{'0' * 32}", f"{NAME}\n"],
)
def test_other_names_are_none(name: str) -> None:
    """A name that differs in one character is not that of a drill."""
    assert DrillName.parse(name) is None


def test_a_drill_is_known_by_its_name_or_its_tag() -> None:
    """A renamed drill is still one, and so is one without its tag."""
    assert is_drill(Instance("a", str(NAME)))
    assert is_drill(Instance("a", "renamed", tags={TAG: ""}))
    assert not is_drill(Instance("a", "customers", tags={"backup": "nightly"}))


def restore(status: str = "Completed") -> InstanceTask:
    """The restore of a drill that takes ten minutes."""
    return InstanceTask("1", False, "copy", str(NAME), status, SLOT, SLOT + timedelta(minutes=10))


def restart(status: str = "Completed", after: timedelta = timedelta(minutes=12)) -> InstanceTask:
    """The restart of the drill's instance."""
    return InstanceTask("2", True, "copy", "any", status, SLOT + after, SLOT + after + timedelta(minutes=1))


def test_a_completed_restore_and_restart_verify_a_backup() -> None:
    """The mark tells the drill, its end and the duration of the restore."""
    (found,) = verified([restart(), restore()])

    assert found.name == NAME
    assert found.time == SLOT + timedelta(minutes=13)
    assert found.restored_in == 600


@pytest.mark.parametrize(
    "tasks",
    [
        [restore()],
        [restart()],
        [restore("Failed"), restart()],
        [restore("Running"), restart()],
        [restore(), restart("Running")],
        [restore(), restart("Failed")],
        [restore(), restart(after=timedelta(minutes=9))],
    ],
)
def test_anything_less_verifies_nothing(tasks: list[InstanceTask]) -> None:
    """Both tasks have to be completed, the restart after the restore."""
    assert not list(verified(tasks))
