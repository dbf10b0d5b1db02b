"""Whole events: every instance is tried and announced, none waits for another."""

import json

import pytest

from shared.create.creation import CreationPolicy
from shared.create.report import InstanceResult, Outcome
from shared.create.request import BackupRequest
from shared.create.service import BackupService, NamedRequest
from shared.errors import AbsentError, InvalidRequestError, ThrottledError, TransientError
from shared.notify import Notifier, Rejection, Sender
from shared.report import Status
from shared.retry import AdaptiveRateLimiter, Retrying, split_time
from tests.fakes import INSTANCES, A, FakeClock, FakeDds, FakeJobs, FakeTopic, Steady, ids_of, name_request


SENDER = Sender("urn:fss:cn-north-4:p:function:default:create_backup", "cn-north-4", "p", "request-1")


class Event:
    """An event on fakes."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock)
        self.topic = FakeTopic()
        self.rejected: list[Rejection] = []

    def deliver(self, *instances: str, remaining: float = 300, concurrency: int = 4) -> list[InstanceResult]:
        """One delivery of the event for these instances."""
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
            requests = [NamedRequest(request, names, instances)]
        results, self.rejections = service.run(requests, self.rejected, trigger="smn")
        return results


@pytest.fixture
def event() -> Event:
    return Event()


def test_every_instance_is_backed_up_and_announced(event: Event) -> None:
    """One list, one create and one publish an instance; results in the order asked for."""
    results = event.deliver(*INSTANCES)

    assert [result.instance_id for result in results] == list(INSTANCES)
    assert all(result.status is Status.SUCCEEDED for result in results)
    assert event.dds.calls.count("list") == 1
    assert event.dds.calls.count("create") == len(event.topic.sent) == len(INSTANCES)
    assert {json.loads(note.body)["data"]["job_id"] for note in event.topic.sent} == {r.job_id for r in results}


def test_one_bad_instance_costs_the_others_nothing(event: Event) -> None:
    """All are tried, the failure is announced like the rest."""
    results = event.deliver(A, "unknown", INSTANCES[1])

    assert [result.outcome for result in results] == [Outcome.CREATED, Outcome.FAILED, Outcome.CREATED]
    assert all(result.notified for result in results)
    assert not results[1].unfinished


def test_an_error_of_our_own_costs_the_others_nothing(event: Event) -> None:
    """A bug met on one instance is its outcome, left for a redelivery."""

    def crash() -> None:
        raise ZeroDivisionError

    event.dds.create_faults = [crash]

    results = event.deliver(*INSTANCES[:3], concurrency=1)

    assert [result.code for result in results] == ["internal_error", None, None]
    assert results[0].unfinished
    assert results[0].name


def test_a_redelivery_announces_again_under_the_same_ids(event: Event) -> None:
    """So that whoever listens can drop the second."""
    event.deliver(A)
    event.deliver(A)

    first, second = ids_of(event.topic.sent)
    assert first == second


def test_different_instances_and_outcomes_have_different_ids(event: Event) -> None:
    """A started backup is not a failed one, nor another instance's."""
    event.deliver(*INSTANCES[:3], "unknown")

    assert len(set(ids_of(event.topic.sent))) == 4


def test_a_topic_that_is_down_leaves_the_event_unfinished_and_the_redelivery_publishes(event: Event) -> None:
    """The backup is made once; its job id arrives with the redelivery."""
    event.topic.faults = [TransientError("503")] * 100
    (first,) = event.deliver(A)
    event.topic.faults.clear()

    (second,) = event.deliver(A)

    assert (first.outcome, first.notified, first.unfinished) == (Outcome.CREATED, False, True)
    assert (second.outcome, second.unfinished, second.job_id) == (Outcome.ALREADY_EXISTS, False, first.job_id)
    assert len(event.dds.backups) == 1


def test_a_hiccup_of_the_topic_is_retried(event: Event) -> None:
    """Throttled once, unavailable once, then published."""
    event.topic.faults = [ThrottledError("429"), TransientError("500")]

    (result,) = event.deliver(A)

    assert result.notified
    assert len(event.topic.sent) == 1


def test_a_topic_that_throttles_is_waited_for_however_often(event: Event) -> None:
    """Too fast is no failure: it is slowed down to until the topic takes it."""
    event.topic.faults = [ThrottledError("429")] * 12

    (result,) = event.deliver(A)

    assert result.notified
    assert len(event.topic.sent) == 1


def test_a_topic_that_does_not_exist_is_not_retried_in_vain(event: Event) -> None:
    """Only somebody who mends the setting can help; the event stays unfinished."""
    event.topic.faults = [AbsentError("no such topic")] * 100

    (result,) = event.deliver(A)

    assert not result.notified
    assert event.clock.seconds == 0


def test_publishing_ends_with_the_deadline(event: Event) -> None:
    """Retries of the topic must not let the invocation be killed."""
    event.topic.faults = [ThrottledError("429", retry_after=100)] * 100

    (result,) = event.deliver(A, remaining=20)

    assert not result.notified
    assert event.clock.seconds <= 20


def test_what_the_deadline_cuts_off_is_deferred_and_announced(event: Event) -> None:
    """A busy instance uses the time up; the others had theirs."""
    event.dds.busy_until[A] = 1000

    results = event.deliver(*INSTANCES[:3], remaining=30, concurrency=1)

    assert [result.outcome for result in results] == [Outcome.DEFERRED, Outcome.CREATED, Outcome.CREATED]
    assert [json.loads(note.body)["type"] for note in event.topic.sent] == [
        "dds.backup.deferred",
        "dds.backup.started",
        "dds.backup.started",
    ]


def test_a_rejected_message_is_announced_with_what_it_said(event: Event) -> None:
    """Nothing that arrived is lost."""
    error = InvalidRequestError(["instance_ids: required, but missing"])
    event.rejected = [Rejection("record.0.smn.message", error, '{"nome": "x"}', ("smn", "m1"))]

    event.deliver()
    event.deliver()

    body = json.loads(event.topic.sent[0].body)
    assert body["type"] == "dds.backup.rejected"
    assert body["data"]["payload"] == '{"nome": "x"}'
    assert body["data"]["errors"] == ["instance_ids: required, but missing"]
    assert event.rejections[0].notified
    first, second = ids_of(event.topic.sent)
    assert first == second
