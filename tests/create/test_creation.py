"""One instance through every answer that DDS may give."""

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
from shared.identity import key_of
from shared.model import BackupJob
from tests.fakes import INSTANCES, A, FakeClock, FakeDds, make_creation


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def dds(clock: FakeClock) -> FakeDds:
    return FakeDds(clock)


def test_a_backup_is_made_and_both_ids_told(clock: FakeClock, dds: FakeDds) -> None:
    """The plain case: look once, create once."""
    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.backup_id, result.job_id) == (Outcome.CREATED, dds.backups[0].id, "job-1")
    assert dds.calls == ["list", "create"]
    assert result.name == dds.backups[0].name
    assert key_of(dds.backups[0].description) == result.event_key
    assert result.attempts == 1


def test_a_redelivery_finds_the_backup_and_its_job(clock: FakeClock, dds: FakeDds) -> None:
    """The second delivery of an event makes nothing and tells the same ids."""
    first = make_creation(dds, clock).back_up(A)
    clock.sleep(600)

    second = make_creation(dds, clock).back_up(A)

    assert second.outcome is Outcome.ALREADY_EXISTS
    assert (second.backup_id, second.job_id, second.backup_status) == (first.backup_id, first.job_id, "BUILDING")
    assert len(dds.backups) == 1


def test_another_event_makes_another_backup(clock: FakeClock, dds: FakeDds) -> None:
    """Two events are two backups, however alike they are."""
    make_creation(dds, clock, identity=("test", "1")).back_up(A)
    clock.sleep(600)

    result = make_creation(dds, clock, identity=("test", "2")).back_up(A)

    assert result.outcome is Outcome.CREATED
    assert len({backup.name for backup in dds.backups}) == 2


def test_last_months_backup_of_the_wanted_name_is_a_conflict(clock: FakeClock, dds: FakeDds) -> None:
    """A backup that merely has the name is never mistaken for this event's."""
    dds.add(A, "mybackup1", "by hand", "COMPLETED")
    clock.sleep(3600)

    result = make_creation(dds, clock, request=BackupRequest(instance_id=A, name="mybackup1")).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "name_conflict", False)
    assert dds.backups[0].id in str(result.message)
    assert len(dds.backups) == 1


def test_the_wanted_name_on_another_instance_is_a_conflict(clock: FakeClock, dds: FakeDds) -> None:
    """Names are unique in the project, and the list of one instance does not show the other's."""
    dds.add(INSTANCES[1], "mybackup1")

    result = make_creation(dds, clock, request=BackupRequest(instance_id=A, name="mybackup1")).back_up(A)

    assert result.code == "name_conflict"


def test_a_name_that_exists_but_never_shows_is_left_for_a_redelivery(clock: FakeClock, dds: FakeDds) -> None:
    """DBS.201201 without any such backup in the list, after the settling time."""
    dds.create_faults = [ExistsError("exists")]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "already_exists", True)
    assert sum(clock.slept) == pytest.approx(10)
    assert dds.calls.count("create") == 1


def test_a_concurrent_delivery_that_won_the_name_is_found(clock: FakeClock, dds: FakeDds) -> None:
    """Between our look and our create another delivery made the backup: its name is the lock."""
    other = make_creation(dds, clock)
    dds.create_faults = [lambda: other.back_up(A)]
    dds.duration = 0

    result = make_creation(dds, clock).back_up(A)

    assert result.outcome is Outcome.ALREADY_EXISTS
    assert len(dds.backups) == 1


def test_a_concurrent_delivery_is_found_behind_a_busy_instance_where_names_are_not_unique(
    clock: FakeClock, dds: FakeDds
) -> None:
    """Without unique names the instance's own lock keeps the second create out; then the backup is there."""
    dds.unique_names, dds.duration = False, 4
    other = make_creation(dds, clock)
    dds.create_faults = [lambda: other.back_up(A)]

    result = make_creation(dds, clock).back_up(A)

    assert result.outcome is Outcome.ALREADY_EXISTS
    assert len(dds.backups) == 1


@pytest.mark.parametrize("on_busy", list(OnBusy))
def test_busy_with_this_events_own_backup_is_no_reason_to_skip_or_fail(
    clock: FakeClock, dds: FakeDds, on_busy: OnBusy
) -> None:
    """Whatever ON_BUSY says, another delivery's backup of this event is found."""
    dds.unique_names = False
    other = make_creation(dds, clock)
    dds.create_faults = [lambda: other.back_up(A)]

    result = make_creation(dds, clock, policy=CreationPolicy(on_busy=on_busy)).back_up(A)

    assert result.outcome is Outcome.ALREADY_EXISTS


def test_a_lost_answer_is_reconciled_by_name(clock: FakeClock, dds: FakeDds) -> None:
    """The create was carried out, its answer lost: the backup is found and its job recovered, nothing is repeated."""
    dds.lost_answers = [AmbiguousError("read timeout")]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.job_id) == (Outcome.CREATED, "job-1")
    assert dds.calls.count("create") == 1
    assert "lost" in result.warnings[0]


def test_a_lost_answer_is_reconciled_although_the_list_lags(clock: FakeClock, dds: FakeDds) -> None:
    """The list shows the backup only after some seconds: it is looked for until the settling time is over."""
    dds.lost_answers = [AmbiguousError("read timeout")]
    dds.hidden_for = 7

    result = make_creation(dds, clock).back_up(A)

    assert result.outcome is Outcome.CREATED
    assert dds.calls.count("create") == 1


def test_a_lost_request_is_sent_again_only_after_the_settling_time(clock: FakeClock, dds: FakeDds) -> None:
    """Nothing was made: after looking for ten seconds the create is repeated, under the same name."""
    dds.create_faults = [AmbiguousError("502")]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.attempts) == (Outcome.CREATED, 2)
    assert sum(clock.slept) == pytest.approx(10)
    assert len(dds.backups) == 1


def test_an_unknown_outcome_is_not_repeated_while_the_list_cannot_be_read(clock: FakeClock, dds: FakeDds) -> None:
    """With no list to tell whether the backup was made, a second create would be a guess."""
    dds.lost_answers = [AmbiguousError("read timeout")]
    dds.list_faults = [None, *[TransientError("503")] * 20]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "outcome_unknown", True)
    assert dds.calls.count("create") == 1


def test_a_create_that_never_gets_an_answer_is_given_up(clock: FakeClock, dds: FakeDds) -> None:
    """Five lost answers and nothing made: the event is left for a redelivery."""
    dds.create_faults = [AmbiguousError("504")] * 20

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable, result.attempts) == (
        Outcome.FAILED,
        "outcome_unknown",
        True,
        5,
    )


def test_an_unknown_outcome_at_the_deadline_is_deferred(clock: FakeClock, dds: FakeDds) -> None:
    """No time to settle the doubt in this invocation."""
    dds.lost_answers = [AmbiguousError("read timeout")]
    dds.hidden_for = 100

    result = make_creation(dds, clock, remaining=8).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.DEFERRED, "outcome_unknown", True)
    assert clock.seconds <= 8


def test_a_busy_instance_is_waited_for(clock: FakeClock, dds: FakeDds) -> None:
    """Another operation of forty seconds, then the backup."""
    dds.busy_until[A] = 40

    result = make_creation(dds, clock).back_up(A)

    assert result.outcome is Outcome.CREATED
    assert clock.seconds >= 40


def test_a_busy_instance_is_not_waited_for_beyond_the_deadline(clock: FakeClock, dds: FakeDds) -> None:
    """Out of time: deferred as busy, within the time that the invocation has."""
    dds.busy_until[A] = 1000

    result = make_creation(dds, clock, remaining=60).back_up(A)

    assert (result.outcome, result.code, result.cloud_code) == (Outcome.DEFERRED, "busy", "DBS.200019")
    assert result.retryable
    assert clock.seconds <= 55


def test_on_busy_skip_says_why(clock: FakeClock, dds: FakeDds) -> None:
    """ON_BUSY=skip: skipped at once, nothing left to do."""
    dds.busy_until[A] = 1000

    result = make_creation(dds, clock, policy=CreationPolicy(on_busy=OnBusy.SKIP)).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.SKIPPED, "busy", False)
    assert clock.seconds == 0


def test_on_busy_fail_fails_at_once(clock: FakeClock, dds: FakeDds) -> None:
    """ON_BUSY=fail: failed without waiting, though a later try may succeed."""
    dds.busy_until[A] = 1000

    result = make_creation(dds, clock, policy=CreationPolicy(on_busy=OnBusy.FAIL)).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "busy", True)
    assert clock.seconds == 0


def test_throttling_is_waited_out(clock: FakeClock, dds: FakeDds) -> None:
    """429 until the pace is slow enough."""
    dds.create_faults = [ThrottledError("429")] * 6

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.attempts) == (Outcome.CREATED, 7)
    assert clock.seconds > 5


def test_retry_after_is_honoured(clock: FakeClock, dds: FakeDds) -> None:
    """The service asked for a pause of 42 seconds."""
    dds.create_faults = [ThrottledError("429", retry_after=42)]

    make_creation(dds, clock).back_up(A)

    assert clock.slept == [42]


def test_throttling_up_to_the_deadline_is_deferred(clock: FakeClock, dds: FakeDds) -> None:
    """Throttled to the end: deferred, for a redelivery."""
    dds.list_faults = [ThrottledError("429")] * 1000

    result = make_creation(dds, clock, remaining=60).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.DEFERRED, "throttled", True)
    assert "create" not in dds.calls


def test_transient_errors_are_retried_and_then_given_up(clock: FakeClock, dds: FakeDds) -> None:
    """Five tries with growing pauses, then left for a redelivery."""
    dds.create_faults = [TransientError("busy system")] * 20

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable, result.attempts) == (Outcome.FAILED, "unavailable", True, 5)
    assert clock.slept == [0.5, 1, 2, 4]


def test_a_transient_error_costs_a_moment(clock: FakeClock, dds: FakeDds) -> None:
    """One hiccup of the list and one of the create."""
    dds.list_faults = [TransientError("503")]
    dds.create_faults = [TransientError("system busy")]

    assert make_creation(dds, clock).back_up(A).outcome is Outcome.CREATED


def test_a_pause_that_does_not_fit_is_not_begun(clock: FakeClock, dds: FakeDds) -> None:
    """A transient error with no time for another try is deferred."""
    dds.create_faults = [TransientError("system busy")] * 9

    result = make_creation(dds, clock, remaining=2).back_up(A)

    assert (result.outcome, result.code) == (Outcome.DEFERRED, "unavailable")
    assert clock.seconds <= 1.5


def test_no_time_at_all_is_deferred_without_a_call(clock: FakeClock, dds: FakeDds) -> None:
    """The deadline passed before this instance's turn."""
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
def test_what_cannot_succeed_fails_at_once(clock: FakeClock, dds: FakeDds, error: CloudError, code: str) -> None:
    """One create, one outcome, nothing for a redelivery."""
    dds.create_faults = [error]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, code, False)
    assert result.cloud_code == error.cloud_code
    assert dds.calls == ["list", "create"]


def test_without_the_right_to_list_nothing_is_created(clock: FakeClock, dds: FakeDds) -> None:
    """No look, no create: the list is what keeps an event from being backed up twice."""
    dds.list_faults = [DeniedError("no")]

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code) == (Outcome.FAILED, "denied")
    assert dds.calls == ["list"]


def test_an_old_list_is_not_believed(clock: FakeClock, dds: FakeDds) -> None:
    """An instance whose turn comes late is looked up again before it is created."""
    request = BackupRequest(instance_ids=INSTANCES[:2])
    creation = make_creation(dds, clock, request=request)
    creation.back_up(INSTANCES[0])
    dds.unique_names, dds.duration = False, 0
    make_creation(dds, clock, request=request).back_up(INSTANCES[1])
    clock.sleep(31)

    assert creation.back_up(INSTANCES[1]).outcome is Outcome.ALREADY_EXISTS


def test_one_list_serves_all_instances(clock: FakeClock, dds: FakeDds) -> None:
    """The stem is common to the event's instances."""
    creation = make_creation(dds, clock, request=BackupRequest(instance_ids=INSTANCES))

    for instance_id in INSTANCES:
        creation.back_up(instance_id)

    assert dds.calls.count("list") == 1


def test_a_region_that_ignores_the_name_filter_changes_nothing(clock: FakeClock, dds: FakeDds) -> None:
    """The list is filtered again on this side."""
    dds.filters = False
    dds.add(A, "something-else")
    clock.sleep(100)

    assert make_creation(dds, clock).back_up(A).outcome is Outcome.CREATED
    assert make_creation(dds, clock).back_up(A).outcome is Outcome.ALREADY_EXISTS


def test_a_region_without_job_ids_gets_it_from_the_task_list(clock: FakeClock, dds: FakeDds) -> None:
    """The create's answer has no job id."""
    dds.tells_job_id = False

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.job_id) == (Outcome.CREATED, "job-1")


class Nothing(list[BackupJob]):
    """A task list that stays empty."""

    def append(self, task: BackupJob) -> None:
        """Forget it."""


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda dds: setattr(dds, "list_faults", [None, *[TransientError("503")] * 99]), "list the backup yet (503)"),
        (lambda dds: setattr(dds, "hidden_for", 100), "list the backup yet"),
        (lambda dds: setattr(dds, "job_faults", [DeniedError("no")]), "began with the backup (no)"),
        (lambda dds: setattr(dds, "job_faults", [TransientError("no")] * 99), "began with the backup (no)"),
        (
            lambda dds: dds.create_faults.append(lambda: setattr(dds, "tasks", Nothing())),
            "no job of this instance alone",
        ),
    ],
    ids=["list fails", "list lags", "tasks denied", "tasks fail", "no task"],
)
def test_a_lost_job_id_never_fails_a_backup(clock: FakeClock, dds: FakeDds, break_it: object, reason: str) -> None:
    """The backup is made; the job id is null, with the reason."""
    dds.tells_job_id = False
    assert callable(break_it)
    break_it(dds)

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.job_id) == (Outcome.CREATED, None)
    assert reason in str(result.job_id_missing)


def test_a_job_that_shows_late_is_waited_for(clock: FakeClock, dds: FakeDds) -> None:
    """The list lags for some seconds, then the task list fails once."""
    dds.tells_job_id = False
    dds.hidden_for = 5
    dds.job_faults = [TransientError("503")]

    assert make_creation(dds, clock).back_up(A).job_id == "job-1"
    assert clock.seconds <= 10


def test_the_events_backup_that_failed_is_reported_as_failed(clock: FakeClock, dds: FakeDds) -> None:
    """A redelivery must not call a broken backup a success."""
    make_creation(dds, clock).back_up(A)
    dds.backups[0] = replace(dds.backups[0], status="FAILED")

    result = make_creation(dds, clock).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "backup_failed", False)
    assert result.backup_id == dds.backups[0].id


def test_an_instance_with_a_young_backup_of_ours_is_skipped(clock: FakeClock, dds: FakeDds) -> None:
    """min_interval: the reason names the backup and when it began."""
    make_creation(dds, clock, identity=("test", "1")).back_up(A)
    clock.sleep(1800)

    request = BackupRequest(instance_id=A, min_interval="1h")
    result = make_creation(dds, clock, identity=("test", "2"), request=request).back_up(A)

    assert (result.outcome, result.code) == (Outcome.SKIPPED, "min_interval")
    assert dds.backups[0].name in str(result.message)


def test_a_redelivery_within_min_interval_finds_its_own_backup(clock: FakeClock, dds: FakeDds) -> None:
    """The event's own backup is found, not taken for a reason to skip."""
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
    ids=["failed", "not ours", "too old"],
)
def test_other_backups_do_not_count_for_min_interval(
    clock: FakeClock, dds: FakeDds, status: str, description: str, age: float
) -> None:
    """Only a good backup of ours, young enough, is a reason to skip."""
    dds.duration = 0
    dds.add(A, "other", description, status)
    clock.sleep(age)
    request = BackupRequest(instance_id=A, min_interval=3600)

    assert make_creation(dds, clock, request=request).back_up(A).outcome is Outcome.CREATED


def test_an_instance_that_is_not_allowed_costs_no_call(clock: FakeClock, dds: FakeDds) -> None:
    """ALLOWED_INSTANCES."""
    result = make_creation(dds, clock, policy=CreationPolicy(allowed=("b*", "c?"))).back_up(A)

    assert (result.outcome, result.code, result.retryable) == (Outcome.FAILED, "not_allowed", False)
    assert "b*, c?" in str(result.message)
    assert not dds.calls


@pytest.mark.parametrize(("strict", "outcome"), [(False, Outcome.CREATED), (True, Outcome.FAILED)])
def test_an_unusual_instance_id_is_a_warning_unless_strict(
    clock: FakeClock, dds: FakeDds, *, strict: bool, outcome: Outcome
) -> None:
    """The documents disagree on the shape, so it decides nothing by itself."""
    dds.instances = ["orders"]
    request = BackupRequest(instance_id="orders")

    result = make_creation(dds, clock, request=request, policy=CreationPolicy(strict_instance_ids=strict)).back_up(
        "orders"
    )

    assert result.outcome is outcome
    assert any("unusual" in warning for warning in result.warnings)
    assert bool(dds.calls) is not strict


def test_a_long_description_makes_room_for_the_key(clock: FakeClock, dds: FakeDds) -> None:
    """256 characters are allowed, the key needs 37 of them: the text is cut, which is said."""
    result = make_creation(dds, clock, request=BackupRequest(instance_id=A, description="x" * 256)).back_up(A)

    assert len(str(dds.backups[0].description)) == 256
    assert key_of(dds.backups[0].description) == result.event_key
    assert any("shortened" in warning for warning in result.warnings)


def test_busy_error_of_a_lost_create_is_waited_for_and_found(clock: FakeClock, dds: FakeDds) -> None:
    """An answer got lost, the list lags beyond the settling time, and the repeated create finds the instance busy."""
    dds.unique_names = False
    dds.lost_answers = [AmbiguousError("read timeout")]
    dds.hidden_for = 15

    result = make_creation(dds, clock).back_up(A)

    assert len(dds.backups) == 1
    assert result.outcome in {Outcome.CREATED, Outcome.ALREADY_EXISTS}
