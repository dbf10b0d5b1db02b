"""The backup of one instance, under every answer that DDS may give."""

from dataclasses import replace

import pytest

from shared.create.creation import CreationPolicy, OnBusy
from shared.create.report import Outcome
from shared.create.request import BackupRequest
from shared.errors import (
    AbsentError,
    AmbiguousError,
    CloudError,
    DeniedError,
    ExistsError,
    InvalidError,
    ThrottledError,
    TransientError,
)
from shared.fleet import Fence
from shared.identity import key_of
from tests.fakes import A, FakeClock, FakeDds, make_creation


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def dds(clock: FakeClock) -> FakeDds:
    return FakeDds(clock)


def test_a_backup_costs_one_list_and_one_create(clock: FakeClock, dds: FakeDds) -> None:
    """The result has the ids of the backup and of its job."""
    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.backup_id, result.job_id) == (Outcome.CREATED, dds.backups[0].id, "job-1")
    assert dds.calls == ["list", "create"]
    assert result.name == dds.backups[0].name
    assert key_of(dds.backups[0].description) == result.event_key
    assert result.attempts == 1


def test_a_redelivery_finds_the_backup_and_its_job(clock: FakeClock, dds: FakeDds) -> None:
    """It makes no backup and returns the same ids."""
    first = make_creation(dds, clock).back_up(A)
    clock.sleep(600)

    second = make_creation(dds, clock).back_up(A)

    assert second.outcome is Outcome.ALREADY_EXISTS
    assert (second.backup_id, second.job_id, second.backup_status) == (first.backup_id, first.job_id, "BUILDING")
    assert len(dds.backups) == 1


def test_another_event_makes_another_backup(clock: FakeClock, dds: FakeDds) -> None:
    """Their names differ."""
    make_creation(dds, clock, identity=("test", "1")).back_up(A)
    clock.sleep(600)

    result = make_creation(dds, clock, identity=("test", "2")).back_up(A)

    assert result.outcome is Outcome.CREATED
    assert len({backup.name for backup in dds.backups}) == 2


def test_a_name_that_exists_but_is_not_listed_is_left_for_a_redelivery(clock: FakeClock, dds: FakeDds) -> None:
    """DDS answers DBS.201201, and no such backup is listed within the settling time."""
    dds.create_faults = [ExistsError("exists")]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "already_exists", True)
    assert sum(clock.slept) == pytest.approx(10)
    assert dds.calls.count("create") == 1


def test_a_name_that_exists_when_the_time_is_over_is_left_for_a_redelivery(clock: FakeClock, dds: FakeDds) -> None:
    """The error alone could not be retried, but a redelivery can look again."""
    dds.create_faults = [ExistsError("exists")]

    result = make_creation(dds, clock, remaining=8).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.DEFERRED, "already_exists", True)


def test_a_concurrent_delivery_that_won_the_name_is_found(clock: FakeClock, dds: FakeDds) -> None:
    """It made the backup between the list and the create; the unique name is the lock."""
    other = make_creation(dds, clock)
    dds.create_faults = [lambda: other.back_up(A)]
    dds.duration = 0

    result = make_creation(dds, clock).back_up(A)

    assert result.outcome is Outcome.ALREADY_EXISTS
    assert len(dds.backups) == 1


def test_a_concurrent_delivery_is_found_behind_a_busy_instance_where_names_are_not_unique(
    clock: FakeClock, dds: FakeDds
) -> None:
    """There the lock is that an instance runs one operation at a time."""
    dds.unique_names, dds.duration = False, 4
    other = make_creation(dds, clock)
    dds.create_faults = [lambda: other.back_up(A)]

    result = make_creation(dds, clock).back_up(A)

    assert result.outcome is Outcome.ALREADY_EXISTS
    assert len(dds.backups) == 1


@pytest.mark.parametrize("on_busy", list(OnBusy))
def test_an_instance_busy_with_the_events_own_backup_is_not_skipped_or_failed(
    clock: FakeClock, dds: FakeDds, on_busy: OnBusy
) -> None:
    """The backup that another delivery made is found for each ON_BUSY."""
    dds.unique_names = False
    other = make_creation(dds, clock)
    dds.create_faults = [lambda: other.back_up(A)]

    result = make_creation(dds, clock, policy=CreationPolicy(on_busy=on_busy)).back_up(A)

    assert result.outcome is Outcome.ALREADY_EXISTS


def test_a_lost_answer_is_reconciled_by_name(clock: FakeClock, dds: FakeDds) -> None:
    """The backup is found, its job id recovered, and the create is not repeated."""
    dds.lost_answers = [AmbiguousError("read timeout")]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.job_id) == (Outcome.CREATED, "job-1")
    assert dds.calls.count("create") == 1
    assert "lost" in result.warnings[0]


def test_a_lost_answer_is_reconciled_although_the_list_lags(clock: FakeClock, dds: FakeDds) -> None:
    """The list is read again until the settling time is over."""
    dds.lost_answers = [AmbiguousError("read timeout")]
    dds.hidden_for = 7

    result = make_creation(dds, clock).back_up(A)

    assert result.outcome is Outcome.CREATED
    assert dds.calls.count("create") == 1


def test_a_lost_request_is_sent_again_only_after_the_settling_time(clock: FakeClock, dds: FakeDds) -> None:
    """After ten seconds the create is repeated under the same name."""
    dds.create_faults = [AmbiguousError("502")]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.attempts) == (Outcome.CREATED, 2)
    assert sum(clock.slept) == pytest.approx(10)
    assert len(dds.backups) == 1


def test_an_unknown_outcome_is_not_repeated_while_the_list_cannot_be_read(clock: FakeClock, dds: FakeDds) -> None:
    """A second create could make a second backup."""
    dds.lost_answers = [AmbiguousError("read timeout")]
    dds.list_faults = [None, *[TransientError("503")] * 20]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "outcome_unknown", True)
    assert dds.calls.count("create") == 1


def test_a_create_that_never_gets_an_answer_is_given_up(clock: FakeClock, dds: FakeDds) -> None:
    """After five lost answers a redelivery has to try again."""
    dds.create_faults = [AmbiguousError("504")] * 20

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable, result.attempts) == (
        Outcome.FAILED,
        "outcome_unknown",
        True,
        5,
    )


def test_an_unknown_outcome_at_the_deadline_is_deferred(clock: FakeClock, dds: FakeDds) -> None:
    """The settling time does not fit into the invocation."""
    dds.lost_answers = [AmbiguousError("read timeout")]
    dds.hidden_for = 100

    result = make_creation(dds, clock, remaining=8).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.DEFERRED, "outcome_unknown", True)
    assert clock.seconds <= 8


def test_a_busy_instance_is_waited_for(clock: FakeClock, dds: FakeDds) -> None:
    """The other operation takes 40 seconds."""
    dds.busy_until[A] = 40

    result = make_creation(dds, clock).back_up(A)

    assert result.outcome is Outcome.CREATED
    assert clock.seconds >= 40


def test_a_busy_instance_is_not_waited_for_beyond_the_deadline(clock: FakeClock, dds: FakeDds) -> None:
    """It is deferred as busy before the time of the invocation is over."""
    dds.busy_until[A] = 1000

    result = make_creation(dds, clock, remaining=60).back_up(A)

    assert (result.outcome, result.code, result.cloud_code) == (Outcome.DEFERRED, "busy", "DBS.200019")
    assert result.retryable
    assert clock.seconds <= 55


@pytest.mark.parametrize(
    ("on_busy", "outcome", "retryable"), [(OnBusy.SKIP, Outcome.SKIPPED, False), (OnBusy.FAIL, Outcome.FAILED, True)]
)
def test_on_busy_decides_at_once(
    clock: FakeClock, dds: FakeDds, on_busy: OnBusy, outcome: Outcome, *, retryable: bool
) -> None:
    """A skipped instance leaves nothing to do, and a redelivery tries a failed one again."""
    dds.busy_until[A] = 1000

    result = make_creation(dds, clock, policy=CreationPolicy(on_busy=on_busy)).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (outcome, "busy", retryable)
    assert clock.seconds == 0


def test_throttling_is_waited_out(clock: FakeClock, dds: FakeDds) -> None:
    """The rate limiter slows down until DDS accepts the create."""
    dds.create_faults = [ThrottledError("429")] * 6

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.attempts) == (Outcome.CREATED, 7)
    assert clock.seconds > 5


def test_retry_after_is_honoured(clock: FakeClock, dds: FakeDds) -> None:
    """DDS asks for a pause of 42 seconds."""
    dds.create_faults = [ThrottledError("429", retry_after=42)]

    make_creation(dds, clock).back_up(A)

    assert clock.slept == [42]


def test_throttling_up_to_the_deadline_is_deferred(clock: FakeClock, dds: FakeDds) -> None:
    """A redelivery tries again."""
    dds.list_faults = [ThrottledError("429")] * 1000

    result = make_creation(dds, clock, remaining=60).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.DEFERRED, "throttled", True)
    assert "create" not in dds.calls


def test_transient_errors_are_retried_and_then_given_up(clock: FakeClock, dds: FakeDds) -> None:
    """After five tries with growing pauses a redelivery has to try again."""
    dds.create_faults = [TransientError("busy system")] * 20

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable, result.attempts) == (Outcome.FAILED, "unavailable", True, 5)
    assert clock.slept == [0.5, 1, 2, 4]


def test_transient_errors_of_a_list_and_a_create_are_retried(clock: FakeClock, dds: FakeDds) -> None:
    """The backup is made."""
    dds.list_faults = [TransientError("503")]
    dds.create_faults = [TransientError("system busy")]

    assert make_creation(dds, clock).back_up(A).outcome is Outcome.CREATED


def test_a_pause_that_does_not_fit_is_not_begun(clock: FakeClock, dds: FakeDds) -> None:
    """Without time for another try the instance is deferred."""
    dds.create_faults = [TransientError("system busy")] * 9

    result = make_creation(dds, clock, remaining=2).back_up(A)

    assert (result.outcome, result.code) == (Outcome.DEFERRED, "unavailable")
    assert clock.seconds <= 1.5


def test_no_call_is_made_after_the_deadline(clock: FakeClock, dds: FakeDds) -> None:
    """The instance is deferred."""
    creation = make_creation(dds, clock, remaining=1)
    clock.sleep(1)

    result = creation.back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.DEFERRED, "out_of_time", True)
    assert not dds.calls


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidError("wrong", cloud_code="DBS.280277"), "invalid"),
        (DeniedError("no", cloud_code="DBS.280032"), "denied"),
        (AbsentError("gone", cloud_code="DBS.280110"), "not_found"),
    ],
)
def test_a_final_error_is_not_retried(clock: FakeClock, dds: FakeDds, error: CloudError, code: str) -> None:
    """Neither this delivery nor a redelivery tries again."""
    dds.create_faults = [error]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, code, False)
    assert result.cloud_code == error.cloud_code
    assert dds.calls == ["list", "create"]


def test_nothing_is_created_without_permission_to_list(clock: FakeClock, dds: FakeDds) -> None:
    """Only the list keeps an event from being backed up twice."""
    dds.list_faults = [DeniedError("no")]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code) == (Outcome.FAILED, "denied")
    assert dds.calls == ["list"]


def test_a_job_id_is_found_in_the_task_list(clock: FakeClock, dds: FakeDds) -> None:
    """In some regions the answer to a create has none."""
    dds.returns_job_id = False

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.job_id) == (Outcome.CREATED, "job-1")


def test_a_job_id_that_is_not_found_does_not_fail_the_backup(clock: FakeClock, dds: FakeDds) -> None:
    """The job id is None, and the result has the reason."""
    dds.returns_job_id = False
    dds.job_faults = [DeniedError("no")]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.job_id) == (Outcome.CREATED, None)
    assert "began with the backup (no)" in str(result.job_id_missing)


def test_the_events_backup_that_failed_is_reported_as_failed(clock: FakeClock, dds: FakeDds) -> None:
    """A redelivery finds it, and its outcome is FAILED."""
    make_creation(dds, clock).back_up(A)
    dds.backups[0] = replace(dds.backups[0], status="FAILED")

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "backup_failed", False)
    assert result.backup_id == dds.backups[0].id


def test_the_events_backup_that_is_being_deleted_is_reported_as_deleted(clock: FakeClock, dds: FakeDds) -> None:
    """It is not made again, since somebody wants it gone."""
    make_creation(dds, clock).back_up(A)
    dds.backups[0] = replace(dds.backups[0], status="DISABLED")

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "backup_deleted", False)
    assert len(dds.backups) == 1


def test_an_instance_that_is_not_allowed_costs_no_call(clock: FakeClock, dds: FakeDds) -> None:
    """ALLOWED_INSTANCES lists the instances that may be backed up."""
    result = make_creation(dds, clock, policy=CreationPolicy(fence=Fence(("b*", "c?")))).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "not_allowed", False)
    assert "b*, c?" in str(result.message)
    assert not dds.calls


@pytest.mark.parametrize(("strict", "outcome"), [(False, Outcome.CREATED), (True, Outcome.FAILED)])
def test_an_unusual_instance_id_is_a_warning_unless_strict(
    clock: FakeClock, dds: FakeDds, *, strict: bool, outcome: Outcome
) -> None:
    """The documents disagree on the shape of ids."""
    dds.instances = ["orders"]
    request = BackupRequest(instance_id="orders")

    result = make_creation(dds, clock, request=request, policy=CreationPolicy(strict_instance_ids=strict)).back_up(
        "orders"
    )

    assert result.outcome is outcome
    assert any("unusual" in warning for warning in result.warnings)
    assert bool(dds.calls) is not strict


def test_a_long_description_makes_room_for_the_key(clock: FakeClock, dds: FakeDds) -> None:
    """The key needs 37 of the 256 characters: the text is cut, with a warning."""
    result = make_creation(dds, clock, request=BackupRequest(instance_id=A, description="x" * 256)).back_up(A)

    assert len(str(dds.backups[0].description)) == 256
    assert key_of(dds.backups[0].description) == result.event_key
    assert any("shortened" in warning for warning in result.warnings)


def test_a_repeated_create_finds_its_instance_busy_with_the_first_one(clock: FakeClock, dds: FakeDds) -> None:
    """The answer of the first create is lost, and the list lags for longer than the settling time."""
    dds.unique_names = False
    dds.lost_answers = [AmbiguousError("read timeout")]
    dds.hidden_for = 15

    result = make_creation(dds, clock).back_up(A)

    assert len(dds.backups) == 1
    assert result.outcome in {Outcome.CREATED, Outcome.ALREADY_EXISTS}
