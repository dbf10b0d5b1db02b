"""The backups that exist already: of the same event, of the same name, and within min_interval."""

import pytest

from shared import identity
from shared.create.existing import ExistingBackups
from shared.create.report import Outcome
from shared.create.request import BackupRequest
from shared.identity import digest
from tests.fakes import INSTANCES, A, FakeClock, FakeDds, make_creation, name_request


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


def slow_list(dds: FakeDds, clock: FakeClock, seconds: float) -> None:
    """Let each list take that many seconds."""

    def outage(call: str) -> None:
        if call == "list":
            clock.sleep(seconds)

    dds.outage = outage


def test_a_list_that_takes_long_is_not_read_for_each_instance(clock: FakeClock, dds: FakeDds) -> None:
    """It is fresh for 30 seconds after its last page."""
    slow_list(dds, clock, 40)
    creation = make_creation(dds, clock, request=BackupRequest(instance_ids=INSTANCES))

    for instance_id in INSTANCES:
        creation.back_up(instance_id)

    assert dds.calls.count("list") == 1
    clock.sleep(31)
    creation.back_up(A)
    assert dds.calls.count("list") == 2


def test_a_list_that_began_before_a_wait_is_read_again(clock: FakeClock, dds: FakeDds) -> None:
    """Its end came after the wait began, but its first page is older."""
    existing = ExistingBackups(dds, name_request(BackupRequest(instance_ids=INSTANCES)), INSTANCES, clock)
    slow_list(dds, clock, 20)
    existing.find(A, listed_since=-1)

    existing.find(A, listed_since=10)

    assert dds.calls == ["list", "list"]


def test_digests_are_computed_once_for_an_instance(
    clock: FakeClock, dds: FakeDds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their number does not depend on how many backups are listed."""
    ids = tuple(f"{number:032x}in02" for number in range(200))
    names = name_request(BackupRequest(instance_ids=ids))
    for instance_id in ids:
        dds.add(instance_id, names.name(instance_id), names.description(""))
    existing = ExistingBackups(dds, names, ids, clock)
    made: list[tuple[str, ...]] = []

    def counted(*parts: str) -> str:
        made.append(parts)
        return digest(*parts)

    monkeypatch.setattr(identity, "digest", counted)

    assert all(existing.find(instance_id, listed_since=-1) for instance_id in ids)

    assert len(made) == len(ids)


def test_two_instances_with_the_same_digest_are_told_apart(
    clock: FakeClock, dds: FakeDds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where names are unique, only the first gets a backup, and the result of the second says why."""
    monkeypatch.setattr(identity, "digest", lambda *parts: "0" * 64)
    creation = make_creation(dds, clock, request=BackupRequest(instance_ids=INSTANCES[:2]))

    assert creation.back_up(INSTANCES[0]).outcome is Outcome.CREATED
    result = creation.back_up(INSTANCES[1])

    assert result.code == "name_conflict"
    assert f"this event made of instance {INSTANCES[0]}" in str(result.message)


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


def test_min_interval_is_judged_again_after_a_wait(clock: FakeClock, dds: FakeDds) -> None:
    """The instance may be busy with the backup of another event, of which the first list knew nothing."""
    request = BackupRequest(instance_ids=INSTANCES[:2], min_interval="12h")
    creation = make_creation(dds, clock, request=request)
    creation.back_up(INSTANCES[1])
    make_creation(dds, clock, identity=("test", "2")).back_up(A)

    result = creation.back_up(A)

    assert (result.outcome, result.code) == (Outcome.SKIPPED, "min_interval")
    assert len(dds.backups) == 2


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
