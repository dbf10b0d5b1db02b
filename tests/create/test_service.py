"""Whole events: every instance is tried, and every outcome is published."""

import json

import pytest

from shared.create.creation import CreationPolicy
from shared.create.report import InstanceResult, Outcome
from shared.create.request import BackupRequest, HandedOn
from shared.create.service import BackupService, NamedRequest
from shared.errors import InvalidRequestError, TransientError
from shared.notify import Notifier, Rejection, Sender
from shared.report import Status
from shared.retry import AdaptiveRateLimiter, Retrying, split_time
from tests.fakes import INSTANCES, A, FakeClock, FakeDds, FakeJobs, FakeTopic, Steady, ids_of, name_request


SENDER = Sender("urn:fss:cn-north-4:p:function:default:create_backup", "cn-north-4", "p", "request-1")


class Event:
    """An event for some instances, and a cloud of fakes."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock)
        self.topic = FakeTopic()
        self.rejected: list[Rejection] = []

    def deliver(self, *instances: str, remaining: float = 300, concurrency: int = 4) -> list[InstanceResult]:
        """Deliver the event once."""
        work, notify = split_time(remaining, self.clock)
        service = BackupService(
            backups=self.dds,
            jobs=FakeJobs(self.dds),
            policy=CreationPolicy(),
            concurrency=concurrency,
            hand_off=None,
            spread=0,
            retrying=Retrying(work, AdaptiveRateLimiter(self.clock, Steady()), Steady()),
            notifier=Notifier(
                self.topic, Retrying(notify, AdaptiveRateLimiter(self.clock, Steady()), Steady()), SENDER
            ),
        )
        requests = []
        if instances:
            request = BackupRequest(instance_ids=instances)
            names = name_request(request)
            requests = [NamedRequest(request, HandedOn(identity=("test", "1")), names, instances)]
        results, self.rejections = service.run(requests, self.rejected, trigger="smn")
        return results


@pytest.fixture
def event() -> Event:
    return Event()


def test_each_instance_costs_one_create_and_one_publish(event: Event) -> None:
    """One list serves all instances; the results are in the order of the request."""
    results = event.deliver(*INSTANCES)

    assert [result.instance_id for result in results] == list(INSTANCES)
    assert all(result.status is Status.SUCCEEDED for result in results)
    assert event.dds.calls.count("list") == 1
    assert event.dds.calls.count("create") == len(event.topic.sent) == len(INSTANCES)
    assert {json.loads(note.body)["data"]["job_id"] for note in event.topic.sent} == {r.job_id for r in results}


def test_an_unknown_instance_does_not_affect_the_others(event: Event) -> None:
    """Its failure is final and published."""
    results = event.deliver(A, "unknown", INSTANCES[1])

    assert [result.outcome for result in results] == [Outcome.CREATED, Outcome.FAILED, Outcome.CREATED]
    assert all(result.notified for result in results)
    assert not results[1].unfinished


def test_an_internal_error_does_not_affect_the_other_instances(event: Event) -> None:
    """It is the outcome of its instance, which a redelivery tries again."""

    def crash() -> None:
        raise ZeroDivisionError

    event.dds.create_faults = [crash]

    results = event.deliver(*INSTANCES[:3], concurrency=1)

    assert [result.code for result in results] == ["internal_error", None, None]
    assert results[0].unfinished
    assert results[0].name


def test_a_redelivery_publishes_under_the_same_ids(event: Event) -> None:
    """Consumers can drop the duplicates."""
    event.deliver(A)
    event.deliver(A)

    first, second = ids_of(event.topic.sent)
    assert first == second


def test_each_instance_has_a_notification_of_its_own(event: Event) -> None:
    """Their ids differ."""
    event.deliver(*INSTANCES[:3], "unknown")

    assert len(set(ids_of(event.topic.sent))) == 4


def test_a_redelivery_publishes_what_was_not_published(event: Event) -> None:
    """The backup is made once; its job id is found again."""
    event.topic.faults = [TransientError("503")] * 100
    (first,) = event.deliver(A)
    event.topic.faults.clear()

    (second,) = event.deliver(A)

    assert (first.outcome, first.notified, first.unfinished) == (Outcome.CREATED, False, True)
    assert (second.outcome, second.unfinished, second.job_id) == (Outcome.ALREADY_EXISTS, False, first.job_id)
    assert len(event.dds.backups) == 1


def test_a_busy_instance_is_deferred_at_the_deadline(event: Event) -> None:
    """A wait that does not fit is not begun, so the next instances of the only worker get their turn."""
    event.dds.busy_until[A] = 1000

    results = event.deliver(*INSTANCES[:3], remaining=30, concurrency=1)

    assert [result.outcome for result in results] == [Outcome.DEFERRED, Outcome.CREATED, Outcome.CREATED]
    assert sorted(json.loads(note.body)["type"] for note in event.topic.sent) == [
        "dds.backup.deferred",
        "dds.backup.started",
        "dds.backup.started",
    ]


def test_a_rejected_message_is_published(event: Event) -> None:
    """A redelivery publishes it under the same id."""
    error = InvalidRequestError(["instance_ids: required, but missing"])
    event.rejected = [Rejection("record.0.smn.message", error, {"name": "x"}, ("smn", "m1"))]

    event.deliver()
    event.deliver()

    body = json.loads(event.topic.sent[0].body)
    assert body["type"] == "dds.backup.rejected"
    assert body["data"]["payload"] == '{"name": "x"}'
    assert body["data"]["errors"] == ["instance_ids: required, but missing"]
    assert event.rejections[0].notified
    first, second = ids_of(event.topic.sent)
    assert first == second
