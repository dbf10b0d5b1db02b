"""The names and marks of restore drills."""

from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.drills import GRACE, TAG, DrillName, is_drill, is_of_drill, read_verified, short_id, verified
from shared.errors import CloudError, DeniedError, TransientError
from shared.model import JOBS_KEPT, Backup, Instance, InstanceTask
from tests.fakes import START, FakeClock, FakeDds, FakeJobs, make_retrying


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


def test_a_name_is_in_utc() -> None:
    """Whatever the zone of the slot and of the machine."""
    later = SLOT.astimezone(timezone(timedelta(hours=8)))

    assert str(DrillName.of(later, BACKUP)) == str(NAME)
    assert DrillName.of(later, BACKUP).slot.tzinfo is timezone.utc


def test_a_drill_is_known_by_its_name_or_its_tag() -> None:
    """A renamed drill is still one, and so is one without its tag."""
    assert TAG == "ddsbackup-drill"
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


def test_a_restart_in_the_second_of_the_restores_end_is_after_it() -> None:
    """DDS gives whole seconds."""
    assert list(verified([restore(), restart(after=timedelta(minutes=10))]))


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


def test_a_backup_is_of_a_drill_by_the_name_of_its_instance() -> None:
    """Its own name tells nothing."""
    assert is_of_drill(Backup("b", "n", "i", "COMPLETED", None, instance_name=str(NAME)))
    assert not is_of_drill(Backup("b", str(NAME), "i", "COMPLETED", None, instance_name="customers"))


def test_a_short_id_is_the_part_of_a_backups_id_that_a_name_has() -> None:
    """The rest is the kind of the backup."""
    assert short_id(BACKUP) == NAME.backup == BACKUP[:32]


def test_drill_backups_and_audit_backups_agree_when_a_drill_has_leaked() -> None:
    """A deletion takes some minutes."""
    assert timedelta(minutes=15) == GRACE


def task(age: timedelta, *, is_restart: bool = False, status: str = "Completed") -> InstanceTask:
    """A task of a drill, created that long before the start of the fake clock."""
    begin = START - age
    return InstanceTask(f"{age}", is_restart, "copy", str(NAME), status, begin, begin + timedelta(minutes=9))


@pytest.mark.parametrize(("days", "found"), [(29.9, 1), (30, 1), (30.1, 0)])
def test_what_is_verified_is_read_from_the_task_list_of_30_days(days: float, found: int) -> None:
    """DDS keeps it no longer."""
    dds = FakeDds(FakeClock())
    dds.restores = [task(timedelta(days=days)), task(timedelta(days=days, minutes=-10), is_restart=True)]

    assert [one.name for one in read_verified(FakeJobs(dds), make_retrying(dds.clock))] == [NAME] * found
    assert timedelta(days=30) == JOBS_KEPT


def test_the_reading_of_what_is_verified_is_tried_again() -> None:
    """It has time for that."""
    dds = FakeDds(FakeClock(), job_faults=[TransientError("x")] * 4)

    assert read_verified(FakeJobs(dds), make_retrying(dds.clock)) == []


@pytest.mark.parametrize("error", [DeniedError("x"), TransientError("x")])
def test_a_task_list_that_cannot_be_read_is_an_error(error: CloudError) -> None:
    """Nothing is known then, which differs from nothing being verified."""
    dds = FakeDds(FakeClock(), job_faults=[error] * 5)

    with pytest.raises(type(error)):
        read_verified(FakeJobs(dds), make_retrying(dds.clock))


class SlowJobs(FakeJobs):
    """A task list that notes how long it may take."""

    patience = 0.0

    def restoring_between(self, since: datetime, until: datetime, *, patience: float = 0.0) -> list[InstanceTask]:
        self.patience = patience
        return []


@pytest.mark.parametrize(("left", "patience"), [(300, 30), (9, 9)])
def test_the_reading_of_what_is_verified_leaves_time_for_the_rest(left: float, patience: float) -> None:
    """It takes half a minute at most."""
    jobs = SlowJobs(FakeDds(FakeClock()))

    read_verified(jobs, make_retrying(jobs.dds.clock, left))

    assert jobs.patience == patience
