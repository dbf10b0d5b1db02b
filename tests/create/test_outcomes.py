"""What the outcome of an instance tells people, and how long the pauses before it are."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.create.creation import CreationPolicy, OnBusy
from shared.create.report import InstanceResult, Outcome
from shared.create.request import BackupRequest
from shared.errors import AmbiguousError, CloudError, DeniedError, ExistsError, TransientError
from shared.fleet import Fence
from tests.fakes import INSTANCES, A, FakeClock, FakeDds, make_creation


B = INSTANCES[1]
NAMED = BackupRequest(instance_id=A, name="mybackup1")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def dds(clock: FakeClock) -> FakeDds:
    return FakeDds(clock)


def earlier(status: str) -> Callable[[FakeDds, FakeClock], None]:
    """Return what lets an earlier delivery make the backup, which now has `status`."""

    def set_up(dds: FakeDds, clock: FakeClock) -> None:
        make_creation(dds, clock).back_up(A)
        dds.backups[0] = replace(dds.backups[0], status=status)

    return set_up


def fails(error: CloudError) -> Callable[[FakeDds, FakeClock], None]:
    """Return what lets every create fail with `error`."""
    return lambda dds, clock: dds.create_faults.extend([error] * 9)


def busy(dds: FakeDds, clock: FakeClock) -> None:
    """Keep the instance busy for longer than the invocation."""
    dds.busy_until[A] = 1000


OVER = "the invocation's time was over"
OUTCOMES = {
    "in another operation": (busy, 60, Outcome.DEFERRED, f"{OVER} while waiting: in another operation"),
    "no such name in the list": (fails(ExistsError("it exists")), 300, Outcome.FAILED, "it exists"),
    "unclear at the deadline": (fails(AmbiguousError("502")), 8, Outcome.DEFERRED, f"{OVER} while waiting: 502"),
    "unclear after five": (fails(AmbiguousError("502")), 300, Outcome.FAILED, "502"),
    "unavailable at the deadline": (fails(TransientError("503")), 2.5, Outcome.DEFERRED, f"{OVER} while waiting: 503"),
    "unavailable": (fails(TransientError("503")), 300, Outcome.FAILED, "503"),
    "denied": (fails(DeniedError("no")), 300, Outcome.FAILED, "no"),
    "no time": (lambda dds, clock: None, 0, Outcome.DEFERRED, f"{OVER} before this instance's turn"),
    "made": (lambda dds, clock: None, 300, Outcome.CREATED, None),
    "made earlier": (earlier("BUILDING"), 300, Outcome.ALREADY_EXISTS, None),
    "failed earlier": (
        earlier("FAILED"),
        300,
        Outcome.FAILED,
        "DDS made the event's backup, but the backup failed; a new event makes a new one",
    ),
    "being deleted": (
        earlier("DISABLED"),
        300,
        Outcome.FAILED,
        "the event's backup is being deleted; a new event makes a new one",
    ),
}


@pytest.mark.parametrize(("set_up", "remaining", "outcome", "message"), OUTCOMES.values(), ids=list(OUTCOMES))
def test_each_outcome_tells_its_instance_and_its_reason(
    clock: FakeClock,
    dds: FakeDds,
    set_up: Callable[[FakeDds, FakeClock], None],
    remaining: float,
    outcome: Outcome,
    message: str | None,
) -> None:
    """Nothing is unusual about any of them, so none has a warning. The duration is that of this instance alone."""
    set_up(dds, clock)
    clock.sleep(7)
    before = clock.seconds

    creation = make_creation(dds, clock, remaining=remaining)
    result = creation.back_up(A)

    assert (result.instance_id, result.outcome, result.message) == (A, outcome, message)
    assert (result.name, result.event_key) == (creation.names.name(A), creation.names.key)
    assert result.retryable is (outcome is Outcome.DEFERRED or message in {"it exists", "502", "503"})
    assert result.warnings == ()
    assert result.duration == pytest.approx(clock.seconds - before)


@pytest.mark.parametrize("on_busy", [OnBusy.SKIP, OnBusy.FAIL])
def test_a_busy_instance_that_is_not_waited_for_is_told(clock: FakeClock, dds: FakeDds, on_busy: OnBusy) -> None:
    """The message is that of DDS."""
    busy(dds, clock)

    result = make_creation(dds, clock, policy=CreationPolicy(on_busy=on_busy)).back_up(A)

    assert (result.instance_id, result.message) == (A, "in another operation")


def test_a_lost_answer_is_a_warning(clock: FakeClock, dds: FakeDds) -> None:
    """The backup was found by its name."""
    dds.lost_answers = [AmbiguousError("read timeout")]

    result = make_creation(dds, clock).back_up(A)

    assert result.instance_id == A
    assert result.warnings == ("the answer to the create call was lost; the backup was found by its name",)


def test_a_shortened_description_is_a_warning(clock: FakeClock, dds: FakeDds) -> None:
    """The warning has the reason."""
    result = make_creation(dds, clock, request=BackupRequest(instance_id=A, description="x" * 256)).back_up(A)

    assert result.warnings == ("description shortened: the event's key has to follow it",)


@pytest.mark.parametrize("strict", [False, True])
def test_an_unusual_instance_id_tells_the_usual_shape(clock: FakeClock, dds: FakeDds, *, strict: bool) -> None:
    """It is refused if the operator wants it so, and a warning by default."""
    dds.instances = ["orders"]
    policy = CreationPolicy(strict_instance_ids=True) if strict else CreationPolicy()

    result = make_creation(dds, clock, request=BackupRequest(instance_id="orders"), policy=policy).back_up("orders")

    message = "an instance id is 32 hexadecimal digits, 'in' and two digits (STRICT_INSTANCE_IDS is on)"
    assert result.instance_id == "orders"
    assert (result.code, result.message) == (("invalid_instance_id", message) if strict else (None, None))
    assert result.warnings == ("unusual instance id: the documents show 32 hexadecimal digits, 'in' and two digits",)


def test_a_refused_instance_is_told(clock: FakeClock, dds: FakeDds) -> None:
    """The report has its id."""
    result = make_creation(dds, clock, policy=CreationPolicy(fence=Fence(("b*",)))).back_up(A)

    assert (result.instance_id, result.code) == (A, "not_allowed")


def test_a_younger_backup_is_told(clock: FakeClock, dds: FakeDds) -> None:
    """The message has its name and its begin."""
    first = make_creation(dds, clock).back_up(A)
    clock.sleep(3600)
    request = BackupRequest(instance_id=A, min_interval="1d")

    result = make_creation(dds, clock, identity=("test", "2"), request=request).back_up(A)

    assert (result.instance_id, result.outcome, result.code) == (A, Outcome.SKIPPED, "min_interval")
    assert result.message == f"backup {first.name} began at {dds.backups[0].begin_time}, within min_interval"
    assert len(dds.backups) == 1


def test_the_name_of_one_of_several_instances_can_be_a_conflict(clock: FakeClock, dds: FakeDds) -> None:
    """Its name ends with its digest."""
    request = BackupRequest(instance_ids=(A, B), name="mybackup1")
    other = make_creation(dds, clock, request=request, identity=("test", "2")).back_up(A)
    clock.sleep(3600)

    result = make_creation(dds, clock, request=request).back_up(A)

    assert (result.code, result.name) == ("name_conflict", other.name)


def conflict(dds: FakeDds, clock: FakeClock, *, instance_id: str, identity: tuple[str, ...]) -> InstanceResult:
    """Make a backup of `instance_id` under a name, and then the event's backup of A under the same name."""
    made = make_creation(dds, clock, request=NAMED, identity=identity)
    dds.create(instance_id, "mybackup1", made.names.description(""))
    clock.sleep(3600)
    return make_creation(dds, clock, request=NAMED).back_up(A)


@pytest.mark.parametrize(
    ("identity", "maker"),
    [
        (("test", "2"), "another event or somebody else made"),
        (("test", "1"), f"this event made of instance {B}: the digests of both instance ids are the same"),
    ],
)
def test_a_name_of_another_backup_is_a_conflict(
    clock: FakeClock, dds: FakeDds, identity: tuple[str, ...], maker: str
) -> None:
    """The message tells whose backup it is."""
    dds.instances = [A, B]

    result = conflict(dds, clock, instance_id=B, identity=identity)

    assert (result.instance_id, result.outcome, result.code) == (A, Outcome.FAILED, "name_conflict")
    assert result.message == f"mybackup1 is the name of backup {dds.backups[0].id}, which {maker}"
    assert not result.retryable


def test_the_pauses_for_a_busy_instance_grow_from_five_to_thirty_seconds(clock: FakeClock, dds: FakeDds) -> None:
    """Backups take minutes. The jitter is off here."""
    busy(dds, clock)

    make_creation(dds, clock, remaining=140).back_up(A)

    assert clock.slept == [5, 10, 20, 30, 30, 30]


@pytest.mark.parametrize(
    ("settling_time", "pauses"), [(0.5, [0.5]), (3, [1, 2]), (10, [1, 2, 4, 3]), (15, [1, 2, 4, 4, 4])]
)
def test_the_pauses_for_the_list_grow_from_one_to_four_seconds(
    clock: FakeClock, dds: FakeDds, settling_time: float, pauses: list[float]
) -> None:
    """The last one ends with the settling time. Each doubt begins them anew."""
    dds.create_faults = [AmbiguousError("502"), AmbiguousError("502")]

    result = make_creation(dds, clock, policy=CreationPolicy(settling_time=settling_time)).back_up(A)

    assert clock.slept == [*pauses, *pauses]
    assert (result.outcome, result.attempts) == (Outcome.CREATED, 3)


def test_a_wait_for_a_busy_instance_is_logged(clock: FakeClock, dds: FakeDds, caplog: pytest.LogCaptureFixture) -> None:
    """The line has the instance and the seconds of the pause."""
    dds.busy_until[A] = 4

    with caplog.at_level(logging.INFO, logger="shared"):
        make_creation(dds, clock).back_up(A)

    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("shared.create.creation", "instance is busy, waiting")
    assert record.__dict__["fields"] == {"instance_id": A, "seconds": 5}


def test_the_words_of_on_busy_are_public() -> None:
    """Settings and requests hold them."""
    assert [choice.value for choice in OnBusy] == ["wait", "skip", "fail"]
