"""The backups that exist already: of the same event, of the same name, and within min_interval."""

import pytest

from shared.create.report import Outcome
from shared.create.request import BackupRequest
from tests.fakes import INSTANCES, A, FakeClock, FakeDds, make_creation


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def dds(clock: FakeClock) -> FakeDds:
    return FakeDds(clock)


def test_an_older_backup_of_the_wanted_name_is_a_conflict(clock: FakeClock, dds: FakeDds) -> None:
    """It is not taken for the event's backup, since its description lacks the event's key."""
    dds.add(A, "mybackup1", "by hand", "COMPLETED")
    clock.sleep(3600)

    result = make_creation(dds, clock, request=BackupRequest(instance_id=A, name="mybackup1")).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "name_conflict", False)
    assert dds.backups[0].id in str(result.message)
    assert len(dds.backups) == 1


def test_the_wanted_name_on_another_instance_is_a_conflict(clock: FakeClock, dds: FakeDds) -> None:
    """Names are unique in the project, but the list of one instance does not show the backups of another."""
    dds.add(INSTANCES[1], "mybackup1")

    result = make_creation(dds, clock, request=BackupRequest(instance_id=A, name="mybackup1")).back_up(A)

    assert result.code == "name_conflict"


def test_the_list_is_read_again_after_30_seconds(clock: FakeClock, dds: FakeDds) -> None:
    """Another delivery may have made the backup in the meantime."""
    request = BackupRequest(instance_ids=INSTANCES[:2])
    creation = make_creation(dds, clock, request=request)
    creation.back_up(INSTANCES[0])
    dds.unique_names, dds.duration = False, 0
    make_creation(dds, clock, request=request).back_up(INSTANCES[1])
    clock.sleep(31)

    assert creation.back_up(INSTANCES[1]).outcome is Outcome.ALREADY_EXISTS


def test_one_list_serves_all_instances(clock: FakeClock, dds: FakeDds) -> None:
    """The names of an event's backups have a common stem."""
    creation = make_creation(dds, clock, request=BackupRequest(instance_ids=INSTANCES))

    for instance_id in INSTANCES:
        creation.back_up(instance_id)

    assert dds.calls.count("list") == 1


def test_a_region_that_does_not_filter_by_name_makes_no_difference(clock: FakeClock, dds: FakeDds) -> None:
    """The function filters the list itself."""
    dds.filters = False
    dds.add(A, "something-else")
    clock.sleep(100)

    assert make_creation(dds, clock).back_up(A).outcome is Outcome.CREATED
    assert make_creation(dds, clock).back_up(A).outcome is Outcome.ALREADY_EXISTS


def test_an_instance_with_a_backup_within_min_interval_is_skipped(clock: FakeClock, dds: FakeDds) -> None:
    """The message names the backup."""
    make_creation(dds, clock, identity=("test", "1")).back_up(A)
    clock.sleep(1800)

    request = BackupRequest(instance_id=A, min_interval="1h")
    result = make_creation(dds, clock, identity=("test", "2"), request=request).back_up(A)

    assert (result.outcome, result.code) == (Outcome.SKIPPED, "min_interval")
    assert dds.backups[0].name in str(result.message)


def test_a_redelivery_within_min_interval_finds_its_own_backup(clock: FakeClock, dds: FakeDds) -> None:
    """The event's own backup is no reason to skip."""
    request = BackupRequest(instance_id=A, min_interval="1h")
    make_creation(dds, clock, request=request).back_up(A)

    assert make_creation(dds, clock, request=request).back_up(A).outcome is Outcome.ALREADY_EXISTS


@pytest.mark.parametrize(
    ("status", "description", "age"),
    [
        ("FAILED", f"key:{'0' * 32}", 60),
        ("COMPLETED", "by hand", 60),
        ("COMPLETED", f"key:{'0' * 32}", 3700),
    ],
    ids=["failed", "made by hand", "too old"],
)
def test_other_backups_do_not_count_for_min_interval(
    clock: FakeClock, dds: FakeDds, status: str, description: str, age: float
) -> None:
    """Only a good backup that create_backup made, and that is young enough, is a reason to skip."""
    dds.duration = 0
    dds.add(A, "other", description, status)
    clock.sleep(age)
    request = BackupRequest(instance_id=A, min_interval=3600)

    assert make_creation(dds, clock, request=request).back_up(A).outcome is Outcome.CREATED
